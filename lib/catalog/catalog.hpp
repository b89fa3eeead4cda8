// The durable state of the daemon: one SQLite file (WAL, synchronous=FULL). Blocks; use it on the pool. Safe to call
// from several threads (one connection behind a mutex). Throws base::Error.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/identifier.hpp"
#include "model/alert.hpp"
#include "model/finding.hpp"
#include "model/run.hpp"

namespace pgbakd::catalog {

// How a job's schedule stands: what the planner needs after a restart.
struct JobState {
    std::string job;
    std::string schedule;    // canonical text and zone under which `anchor` was set; a change re-anchors
    base::Instant anchor{};  // fires at or before it are settled (done, skipped, or before the job was known)
    bool paused = false;
    bool operator==(const JobState&) const = default;
};

struct RunFilter {
    std::optional<std::string> job;
    std::optional<model::Outcome> outcome;
    int limit = 50;  // 1–10,000
    int offset = 0;
    std::optional<base::Timestamp> not_after{};  // began by then
    std::vector<std::string> without{};          // ids of runs that are left out
};

struct SetState {
    model::SetId id;
    model::Verification verified = model::Verification::none;  // by a check after the run
    base::Timestamp verified_at{};
    bool corrupt = false;
    std::string message;
};

// A copy of a set on a target.
struct Copy {
    std::string target;
    model::SetId id;
    base::RunId run;          // that made the set; empty: entered before runs were noted here
    std::string host;         // another host, which made it and prunes it; empty: it is this one's
    bool owed = false;        // it is still to be sent; else the target has all of it
    base::Timestamp since{};  // owed, or there, since then
    // Of the set, as its manifest says:
    base::Timestamp started_at{};
    std::uint64_t bytes = 0;
    bool complete = true;
    model::Verification verified = model::Verification::none;
    std::string milestone;
    // What is known of the bytes over there: "checksum", "read back"; empty while it is owed.
    std::string assurance;
    // Of one that is owed:
    int attempts = 0;  // that failed
    base::Timestamp next_attempt{};
    std::string message;     // of the last failure
    std::string unfinished;  // the file whose upload was under way, and where it can be taken up; maybe empty
    std::string checkpoint;
    bool begun = false;           // something of it was sent: what lies there under its name is ours
    std::set<std::string> tried;  // files that may have come there, whatever they are there; no line end in a name
};

// An alert on its way to a channel.
struct QueuedAlert {
    std::string channel;
    model::Alert alert;
};
struct WaitingAlert {
    std::string channel;
    model::Alert alert;
    base::Timestamp created_at{};
    int attempts = 0;  // at its channel that failed while it waited
    base::Timestamp next_attempt{};
    std::string message;  // of the last failure
};
// Who is to have alerts later that their channel has taken for others.
struct LaterQueue {
    std::string channel;  // under which they wait
    base::Timestamp next_attempt{};
    std::string message;  // why
};
// What is to be remembered of a channel itself.
struct ChannelState {
    std::string channel;
    base::Timestamp asked_at{};    // it asked for a pause then
    base::Timestamp not_before{};  // until then; the epoch: for none
    base::Timestamp lost_at{};     // an alert for it was lost then; the epoch: none since it took one
    std::string message;           // why it was lost
    bool operator==(const ChannelState&) const = default;
};
// What waits for one channel.
struct Backlog {
    std::string channel;
    std::size_t waiting = 0;
    base::Timestamp oldest{};        // when the one that waits longest was queued
    base::Timestamp next_attempt{};  // the earliest
    int attempts = 0;                // the most that failed of one alert
    std::string message;             // of the last failure of the one that waits longest; empty: none has failed
    bool operator==(const Backlog&) const = default;
};

class Catalog {
  public:
    // Opens or creates (0600). A file that SQLite calls malformed is moved aside (".damaged-<time>") and a new one
    // made: losing it loses no backup; `was_damaged` says so. A file of a newer schema is refused (unsupported).
    [[nodiscard]] static std::unique_ptr<Catalog> open(const std::filesystem::path& file, base::Timestamp now);
    // The same for a tool that frees space while no daemon runs: where there is no room for the file's companions, they
    // are done without, and everybody else is kept out for as long as it is open. Writing may still fail (no_space).
    [[nodiscard]] static std::unique_ptr<Catalog> open_without_space(const std::filesystem::path& file,
                                                                     base::Timestamp now);
    // For tools beside a running daemon: read-only, never creates; nothing if there is no file.
    [[nodiscard]] static std::unique_ptr<Catalog> open_for_reading(const std::filesystem::path& file);
    ~Catalog();
    [[nodiscard]] bool was_damaged() const noexcept;

    // --- schedule -------------------------------------------------------------------------------------------------
    [[nodiscard]] std::vector<JobState> job_states();
    void put_job_state(const JobState& state);
    void put_job_states(const std::vector<JobState>& states);  // in one transaction
    void forget_job(const std::string& job);                   // its schedule state only, history stays
    // What the files of a job were like when they were last saved (source/tree_watch.hpp).
    [[nodiscard]] std::optional<std::string> change_stamp(const std::string& job);
    void put_change_stamp(const std::string& job, const std::string& stamp);
    // In one transaction: the slot (job, instant) is taken, the run recorded as running, the job's anchor moved to the
    // slot if that is later. False (and nothing written) if the slot was taken before.
    [[nodiscard]] bool take_slot(const JobState& state, base::Instant slot, const model::RunReport& run);
    // In one transaction: the schedule stands as `state` says, the slot (job, instant) is taken, and the run that did
    // not come is recorded, with its end. False if the slot was taken before: then the state alone is written.
    [[nodiscard]] bool skip_slot(const JobState& state, base::Instant slot, const model::RunReport& run);

    // --- runs -----------------------------------------------------------------------------------------------------
    void begin_run(const model::RunReport& run);   // manual runs: no slot
    void finish_run(const model::RunReport& run);  // replaces what begin_run or take_slot wrote
    // Runs still recorded as running: marked INTERRUPTED with `now` as their end, and returned.
    [[nodiscard]] std::vector<model::RunReport> interrupt_running(base::Timestamp now);
    [[nodiscard]] std::vector<model::RunReport> runs(const RunFilter& filter);  // newest first
    [[nodiscard]] std::uint64_t count_runs(const RunFilter& filter);
    [[nodiscard]] std::optional<model::RunReport> run(const base::RunId& id);
    // Those that ended since then, by themselves or with the daemon, and that nobody was told of (apply_findings): the
    // newest of them, the oldest first. Runs that the catalog learned of from sets, or that ended before this was
    // noted, count as told.
    [[nodiscard]] std::vector<model::RunReport> untold_runs(base::Timestamp since, std::size_t limit);
    [[nodiscard]] bool is_told(const base::RunId& run);
    // job → finished_at. What a clock ahead has dated counts where there is nothing else.
    [[nodiscard]] std::map<std::string, base::Timestamp> last_success(base::Timestamp now);
    // Databases of a job's last run that listed them (`databases: all`), to tell new and vanished ones.
    [[nodiscard]] std::optional<std::vector<std::string>> known_databases(const std::string& job);
    void put_known_databases(const std::string& job, const std::vector<std::string>& databases);
    // The last run of a job that says whether its backups work: good, failed or interrupted. One that was skipped or
    // cancelled says nothing, one under way nothing yet.
    [[nodiscard]] std::optional<model::RunReport> last_verdict(const std::string& job, base::Timestamp now);
    // The job's newest success that began by then and whose set was not found corrupt since: what there is to restore,
    // where its set cannot be looked at. Nothing if none is known.
    [[nodiscard]] std::optional<model::RunReport> newest_made(const std::string& job, base::Timestamp now);
    // The job's success before this run, to compare with.
    [[nodiscard]] std::optional<model::RunReport> success_before(const model::RunReport& run);
    // Bytes of the job's last successes, the newest first; those that a clock ahead has dated come last. 0: its report
    // did not tell.
    [[nodiscard]] std::vector<std::uint64_t> sizes_of_last_successes(const std::string& job, int count,
                                                                     base::Timestamp now);
    // Drops runs that finished longer ago than `kept`, but never a job's newest success, at most `limit` at a time. A
    // clock ahead drops nothing: the newest run is as late as it can be told to be, and one that is dated later than
    // `now` makes no other the second newest.
    std::size_t expire_runs(base::Timestamp now, std::chrono::milliseconds kept, std::size_t limit);

    // --- sets -----------------------------------------------------------------------------------------------------
    void put_set_state(const SetState& state);
    [[nodiscard]] std::vector<SetState> set_states();
    // Those found corrupt, of one job or of all.
    [[nodiscard]] std::vector<SetState> corrupt_sets(const std::optional<std::string>& job = std::nullopt);
    void forget_set(const model::SetId& id);
    // A run has given its set that name: it is not given again within a week, whatever becomes of the run.
    void note_set_name(const model::SetId& id, base::Timestamp now);
    [[nodiscard]] std::vector<std::string> noted_set_names(const std::string& job);
    // The id of the repository whose sets all of this is about; nothing if it was never told.
    [[nodiscard]] std::optional<std::string> repository_id();
    void put_repository_id(const std::string& id);

    // --- copies ---------------------------------------------------------------------------------------------------
    void put_copy(const Copy& copy);
    void put_copies(const std::vector<Copy>& copies);  // in one transaction
    // By target, job and name; of one job or of all.
    [[nodiscard]] std::vector<Copy> copies(const std::optional<std::string>& job = std::nullopt);
    [[nodiscard]] std::vector<Copy> copies_of(const model::SetId& id);
    [[nodiscard]] std::vector<Copy> owed_copies();
    // What a target was found to have, in one transaction. `there` takes the place of what is known, which keeps since
    // when it is there, how it was compared and whose it is. A copy that is owed stays owed, unless what is there is of
    // the same run. `gone`: what is not there any more, forgotten unless it is owed. Gives how many were forgotten.
    std::size_t rescan_copies(const std::vector<Copy>& there, const std::vector<Copy>& gone);
    // That of this host's newest complete set of the job that is on any target, and was not found corrupt there
    // (verified: none); nothing if there is none. What a clock ahead of `now` has dated counts where there is nothing
    // else.
    [[nodiscard]] std::optional<Copy> newest_copy(const std::string& job, base::Timestamp now);
    // That target works: what is owed to it and waits for a later attempt is due at `now`.
    void hasten_copies(const std::string& target, base::Timestamp now);
    void forget_copy(const std::string& target, const model::SetId& id);
    // Sets of the job that began before then are older than what the catalog knows of that target, which was not asked
    // since: that it knows of no copy there says nothing. Nothing: it was asked.
    [[nodiscard]] std::optional<base::Timestamp> unasked_before(const std::string& job, const std::string& target);
    // What it has of the job is entered, and what it lacks is owed to it: it was asked.
    void put_asked(const std::string& job, const std::string& target);
    // The targets of jobs, by their names, as they are configured now. One that a job gets later was never to have what
    // is older than the catalog.
    void know_targets(const std::map<std::string, std::vector<std::string>>& jobs);
    // Where the file is older than sets that lie here (an old one was put back), it knows nothing of them either.
    void notice_gaps(const std::vector<model::BackupSet>& sets);

    // --- health ---------------------------------------------------------------------------------------------------
    // A place where a job's sets are to be: "local" or a target.
    struct KnownPlace {
        std::string job;
        std::string place;
        std::string schedule;  // of the job, calendar::schedule_key
    };
    // Since when each of these places, which are all there are, has been due to get sets by that schedule: since `now`
    // for those that are new or whose schedule was edited. Others are forgotten. By job and place.
    std::map<std::pair<std::string, std::string>, base::Timestamp> know_places(const std::vector<KnownPlace>& places,
                                                                               base::Timestamp now);

    // By place, as know_places() noted it of that job.
    [[nodiscard]] std::map<std::string, base::Timestamp> known_since(const std::string& job);

    // By kind, job and place; those of one job, or all. told_to: the channels that took an alert of it.
    [[nodiscard]] std::vector<model::Finding> open_findings(const std::optional<std::string>& job = std::nullopt);
    // The same; told_to: those for which an alert of it waits, too. What was lost has told nobody.
    [[nodiscard]] std::vector<model::Finding> told_findings(const std::optional<std::string>& job = std::nullopt);
    // Those that closed, the newest first.
    [[nodiscard]] std::vector<model::Finding> closed_findings(int limit);
    // In one transaction, so that a finding counts as told exactly when its alert is on its way: each of `findings`
    // takes the place of the open one of its key, or is a new one; those with an end are closed by it. One with an end
    // of which none is open changes nothing. Whom they were told is not written by it, but by what becomes of the
    // alerts. These wait from `now` on. What became of `told_run` is among them: it
    // counts as told.
    void apply_findings(const std::vector<model::Finding>& findings, const std::vector<QueuedAlert>& alerts,
                        base::Timestamp now, const std::optional<base::RunId>& told_run = std::nullopt);
    // Drops findings that closed before `before`, at most `limit` at a time.
    std::size_t expire_findings(base::Timestamp before, std::size_t limit);

    // The channels that each job names, if it does (JobSpec::alerts).
    using ChannelsOfJobs = std::map<std::string, std::optional<std::vector<std::string>>>;
    // Notes those of the jobs there are. Returns those of jobs that were there after `gone_since` and are no more; what
    // is older is forgotten.
    ChannelsOfJobs know_channels(const ChannelsOfJobs& jobs, base::Timestamp now, base::Timestamp gone_since);

    // --- alerts ---------------------------------------------------------------------------------------------------
    // In one transaction; they wait from `now` on, whenever that happened which they tell, and are due at once. An
    // alert that waits for that channel already stays as it is.
    void queue_alerts(const std::vector<QueuedAlert>& alerts, base::Timestamp now);
    // In the order in which they were put there; of one channel or of all.
    [[nodiscard]] std::vector<WaitingAlert> waiting_alerts(const std::optional<std::string>& channel,
                                                           std::size_t limit);
    // The channel has taken them: it works, so what waits besides counts as not tried yet. It has heard of the findings
    // that they are of, as far as these are open. For each of `later` they wait on, as once tried.
    void alerts_delivered(const std::string& channel, const std::vector<std::string>& ids,
                          const std::vector<LaterQueue>& later = {});
    // They are said otherwise: taken out, nothing else.
    void alerts_superseded(const std::string& channel, const std::vector<std::string>& ids);
    // The channel will never have them: taken out, and noted with the channel. Of what it has not heard otherwise it
    // does not hear the end either. `noted_with`: another channel, if it is to be noted with that.
    void alerts_lost(const std::string& channel, const std::vector<std::string>& ids, base::Timestamp at,
                     const std::string& message, const std::string& noted_with = {});
    // The channel does not take anything now: another attempt failed for all that wait for it, which are not due before
    // `next_attempt` again.
    void alerts_failed(const std::string& channel, base::Timestamp next_attempt, const std::string& message);
    // The channel was set up anew, or works again: what waits for it is due at `now`, but for the pause it asked for.
    void hasten_alerts(const std::string& channel, base::Timestamp now);
    // Gives up those of channels that are not among `channels`, and forgets these: they are configured no more.
    std::map<std::string, std::size_t> keep_channels(const std::vector<std::string>& channels);
    [[nodiscard]] std::vector<ChannelState> channel_states();  // by channel; of those of which there is anything
    // It asked at `asked_at` for a pause until `not_before`.
    void put_channel_pause(const std::string& channel, base::Timestamp asked_at, base::Timestamp not_before);
    [[nodiscard]] std::vector<Backlog> alert_backlog();  // by channel; those with something waiting

    // A finished run for each of these sets whose run it does not know; how many those were.
    std::size_t add_runs(const std::vector<model::BackupSet>& sets);
    // Rebuilds what can be rebuilt from manifests: a finished run per set that the catalog does not know.
    struct Rescanned {
        std::size_t sets = 0, runs_added = 0;
        std::vector<model::SetId> dropped;  // what checks found of them is forgotten, since they are gone
    };
    Rescanned rescan(const std::vector<model::BackupSet>& sets);

  private:
    struct Impl;
    explicit Catalog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pgbakd::catalog
