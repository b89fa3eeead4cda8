// What a look at everything saw: values, so that what is made of it needs no clock and no disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/backup_set.hpp"
#include "model/finding.hpp"
#include "model/run.hpp"
#include "target/target.hpp"

namespace pgbakd::health {

// The place that is the repository; all others are names of targets, which cannot be called so.
inline constexpr std::string_view local_place = "local";

struct GoodSet {
    model::SetId id;
    base::Timestamp finished_at{};  // of its run; where that is not known, when it began
};

// A place where sets of a job are to be.
struct Place {
    std::string name;       // "local", or a target
    bool looked_at = true;  // false: what is there could not be seen this time
    // By what is there; else by what the catalog knows was made.
    std::optional<GoodSet> newest;
    base::Timestamp known_since{};  // it is due to get sets since then, by the schedule that is in force
    // Why it could not be looked at; empty where that is the matter of more than this job (Inputs::unseen).
    std::string problem{}, hint{};
};

// The job's last run that succeeded, failed or was interrupted.
struct LastRun {
    model::Outcome outcome{};
    std::string set;  // of a success
    std::string message;
    std::string hint;
};

struct CorruptSet {
    model::SetId id;
    std::string place;
    std::string message;
};

// A set that could not be read again, the last time that was tried.
struct UnreadSet {
    model::SetId id;
    std::string message;
};

// Copies that one target lacks.
struct Owed {
    std::string target;
    std::size_t count = 0;
    model::SetId oldest;
    base::Timestamp since{};  // that one
    std::string message;      // of the last failure; empty: none was tried yet
};

struct MissedFires {
    std::uint64_t count = 0;
    bool more = false;   // there were more; counting stops somewhere
    std::string latest;  // as people write it, in the job's zone
};

// That what lies there is not what the state file is about.
struct OtherRepository {
    std::string message, hint;
};

struct Job {
    std::string name;
    std::optional<std::chrono::milliseconds> max_age;  // nothing: any, or no fire is to come
    int size_change = 50;                              // percent
    std::vector<Place> places;
    std::vector<std::uint64_t> sizes;  // of the last eight successes, the newest first; 0: not known
    std::optional<LastRun> last_run;
    std::optional<base::Timestamp> last_success;  // when it finished
    std::vector<CorruptSet> corrupt;
    std::vector<UnreadSet> unread{};
    bool was_read = true;  // false: of the one that is open as unread it was not tried since the daemon's start
    std::vector<Owed> owed;
    std::optional<MissedFires> missed;                  // since it was last looked
    std::optional<OtherRepository> other_repository{};  // its directory alone
    bool is_compared = true;                            // false: whose that is could not be seen this time
};

// A directory that is written to.
struct Directory {
    std::filesystem::path path;
    std::uint64_t total = 0;
    std::uint64_t available = 0;
    std::uint64_t min_free = 0;  // 0: any
    std::string file_system;     // its mount point: directories of one share their room; empty: not known
    std::string problem;         // not empty: it could not be looked at
};

// The room of a target that copies are sent to.
struct TargetRoom {
    std::string target;
    std::string place;                   // for people: "sftp://backup@nas/~/sets"
    std::optional<target::Room> room{};  // nothing: it has no bounds, cannot tell, or did not answer this time
    bool answered = false;
    std::string file_system{};  // as it last told: targets of one share their room; empty: not known, or another host's
};

// What could not be looked at beside directories: the repository.
struct Unseen {
    std::string place;
    std::string message;
    std::string hint;
};

struct RefusedReload {
    std::size_t problems = 0;
    std::string first;  // "/etc/pgbakd.yaml:14:15: …"
};

struct Channel {
    std::string name;
    std::size_t waiting = 0;
    base::Timestamp oldest{};
    int attempts = 0;     // that failed, at most of one alert
    std::string message;  // of the last failure
    std::string lost{};   // why an alert for it was lost; empty: it has taken one since, or lost none
};

struct Inputs {
    base::Timestamp now{};
    // Whether it was looked at everything: all jobs there are, disks, channels, the last reload. Else only at `jobs`,
    // and nothing is said of the rest.
    bool everything = true;
    std::vector<Job> jobs;
    std::optional<OtherRepository> other_repository;
    bool is_compared = true;  // as for a job
    std::vector<Directory> directories;
    std::vector<TargetRoom> rooms;  // all targets there are
    int disk_usage = 80;            // percent
    std::vector<Unseen> unseen;
    std::optional<RefusedReload> refused_reload;  // the configuration in force is not that on disk
    std::vector<Channel> channels;                // all there are
    std::vector<model::Finding> open;             // as the catalog has them: all, or at least those of `jobs`
};

}  // namespace pgbakd::health
