// What an administrator declared: servers, jobs, limits. Immutable after the configuration is loaded.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calendar/schedule.hpp"
#include "codec/compress.hpp"
#include "model/encryption.hpp"
#include "model/milestone.hpp"
#include "model/secret_reference.hpp"
#include "model/source.hpp"

namespace pgbakd::model {

enum class ServerType { postgresql, tdengine };

// Where the client programs of a server run: on this host, in a container of it, or on another host.
struct ClientSpec {
    enum class Where { here, docker, ssh };
    Where where = Where::here;
    std::string name;                 // of the container; of the host as ssh takes it, user@host; empty: here
    std::filesystem::path directory;  // of the programs; empty: found by the server's version
    friend bool operator==(const ClientSpec&, const ClientSpec&) = default;
};

struct ServerSpec {
    std::string name;
    ServerType type = ServerType::postgresql;
    std::string host;        // empty: libpq's default Unix socket; a path: a socket directory
    std::uint16_t port = 0;  // 0: libpq's default
    std::string user;        // empty: libpq's default, the operating-system user
    SecretReference password;
    std::filesystem::path passfile;  // empty: libpq's default (~/.pgpass)
    std::string sslmode;             // empty: libpq's default
    std::filesystem::path sslrootcert;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    std::string maintenance_database = "postgres";
    ClientSpec client;
};

struct RetentionPolicy {
    std::optional<int> last;
    std::optional<int> days;
    std::optional<int> weeks;
    std::optional<int> daily;
    std::optional<int> weekly;
    std::optional<int> monthly;
    std::optional<int> yearly;
    int at_least = 2;  // newest good sets that are kept whatever the rules say
    // No rule at all: the caller puts the default (30 days) before it plans.
    [[nodiscard]] bool has_rule() const noexcept {
        return last || days || weeks || daily || weekly || monthly || yearly;
    }
};

struct CatchUp {
    enum class Policy { skip, once, all };
    Policy policy = Policy::once;
    std::optional<std::chrono::milliseconds> within;  // only with once
    bool operator==(const CatchUp&) const = default;
};

enum class Overlap { skip, queue };

struct Retries {
    int attempts = 3;  // in all; 1: no retry
    std::chrono::milliseconds backoff = std::chrono::minutes(1);
};

// Whether the repository keeps sets of a job that has targets.
enum class KeepLocal {
    always,        // by its own retention
    until_copied,  // only until every target has the set
    never,         // nothing of a dump is on this host's disks at any time
};

struct JobSpec {
    std::string name;
    calendar::Schedule schedule;
    std::string timezone;  // never empty: the job's, else the configuration's, else the host's
    calendar::ZonePtr zone;
    std::vector<Milestone> milestones;  // only with `schedule: milestone`, in the file's order; no two of one name
    CatchUp catch_up;
    Overlap overlap = Overlap::skip;
    std::chrono::milliseconds jitter{0};
    std::optional<std::chrono::milliseconds> settle{};  // only with `schedule: on change`
    Source source;
    codec::Compression compression;
    Encryption encryption{};
    std::vector<std::string> targets;  // names, in the file's order
    KeepLocal keep_local = KeepLocal::always;
    RetentionPolicy local_retention;
    std::map<std::string, RetentionPolicy> target_retention;  // one for each of `targets`
    std::chrono::milliseconds timeout = std::chrono::hours(12);
    Retries retries;
    std::optional<std::chrono::milliseconds> max_age{};  // of the newest good set in each place; nothing: any
    int size_change = 50;                                // percent, either way; more is a finding
    std::optional<std::vector<std::string>> alerts{};    // names of channels; nothing: every channel
};

struct Limits {
    int concurrent_runs = 2;
    int concurrent_runs_per_server = 1;
    int compression_threads = 0;    // 0: one per core
    std::uint64_t upload_rate = 0;  // bytes per second over all targets; 0: unlimited
    int nice = 10;
};

}  // namespace pgbakd::model
