#include "run/reconcile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "holdings/corruption.hpp"
#include "holdings/gaps.hpp"
#include "holdings/identity.hpp"
#include "os/file.hpp"
#include "os/marked_processes.hpp"
#include "run/report_file.hpp"
#include "source/connection.hpp"

namespace pgbakd::run {
namespace {

constexpr std::chrono::seconds process_patience{10};
constexpr std::size_t largest_report = std::size_t{64} << 20U;
constexpr int most_running = 10'000;

// Where it all happens.
struct Places {
    const repository::Repository& repository;
    catalog::Catalog& catalog;
    const std::filesystem::path& reports_directory;
    const Jobs& jobs;

    // Null: the configuration has none of that name any more.
    [[nodiscard]] const model::JobSpec* job(const std::string& name) const {
        const auto found =
            std::find_if(jobs.begin(), jobs.end(), [&name](const auto& job) { return job->name == name; });
        return found == jobs.end() ? nullptr : found->get();
    }
};

template <class Step>
void attempt(Reconciled& result, Step step) {
    try {
        step();
    } catch (const base::Error& error) {
        result.failures.push_back(error.message());
    }
}

// The set that a run left before the daemon ended, if it did: its manifest bears the run's id.
std::optional<repository::StoredSet> set_of(const repository::Repository& repository, const model::RunReport& run) {
    for (auto& set : repository.sets(run.job))
        if (set.problem.empty() && set.manifest.run == run.run) return std::move(set);
    return std::nullopt;
}

// The report that a run left before the catalog heard of its end. Only files that are younger than the run are read.
std::optional<model::RunReport> report_of(const std::filesystem::path& directory, const model::RunReport& run) {
    if (!os::file_status(directory)) return std::nullopt;
    const auto began = std::chrono::floor<std::chrono::seconds>(run.started_at.time_since_epoch()).count();
    for (const auto& name : os::list_directory(directory)) {
        if (!name.starts_with(run.job + "_") || !name.ends_with(".json")) continue;
        const auto status = os::file_status(directory / name);
        if (!status || !status->is_regular || status->modified_seconds < began) continue;
        auto report = model::parse_report(os::read_file(directory / name, largest_report));
        if (report && report->run == run.run && report->outcome != model::Outcome::running) return std::move(*report);
    }
    return std::nullopt;
}

void adopt(model::RunReport& run, const repository::StoredSet& set) {
    run.outcome = set.manifest.complete ? model::Outcome::success : model::Outcome::failed;
    if (set.manifest.complete) run.error.reset();
    run.finished_at = set.manifest.finished_at;
    run.set = set.manifest.id.text();
    run.set_directory = set.directory.string();
    run.size_bytes = set.manifest.bytes();
    run.artifacts = set.manifest.artifacts;
    run.notes.emplace_back("the daemon ended after the set was committed");
}

// What its targets had by then, and what is still owed to them.
void adopt_copies(model::RunReport& run, const std::vector<catalog::Copy>& copies) {
    for (const auto& copy : copies) {
        run.targets.push_back({.name = copy.target,
                               .status = copy.owed ? "owed" : "copied",
                               .bytes = copy.owed ? 0 : copy.bytes,
                               .verified = copy.assurance,
                               .message = copy.message});
        if (copy.owed && run.outcome == model::Outcome::success) run.outcome = model::Outcome::warning;
    }
}

// What the targets have of the set that a run made: all that there is of it, with `keep_local: never` and once the
// local one was removed.
std::vector<catalog::Copy> copies_of_run(catalog::Catalog& catalog, const model::RunReport& run) {
    auto copies = catalog.copies(run.job);
    std::erase_if(copies, [&run](const auto& copy) { return copy.run != run.run || copy.owed || !copy.host.empty(); });
    return copies;
}

void adopt_there(model::RunReport& run, const std::vector<catalog::Copy>& copies, const model::JobSpec* job) {
    const auto& copy = copies.front();
    run.outcome = copy.complete ? model::Outcome::success : model::Outcome::failed;
    if (copy.complete) run.error.reset();
    run.set = copy.id.text();
    run.size_bytes = copy.bytes;
    std::vector<std::string> names;
    for (const auto& each : copies) {
        names.push_back(each.target);
        run.finished_at = std::max(run.finished_at, each.since);
    }
    run.notes.push_back("the daemon ended after the set had come to " + base::join(names, ", "));
    adopt_copies(run, copies);
    if (job == nullptr) return;
    for (const auto& target : job->targets) {
        if (std::find(names.begin(), names.end(), target) != names.end()) continue;
        run.targets.push_back({.name = target,
                               .status = "failed",
                               .bytes = 0,
                               .verified = {},
                               .message = "the daemon ended before it had all of the set"});
        if (run.outcome == model::Outcome::success) run.outcome = model::Outcome::warning;
    }
}

void interrupt(model::RunReport& run, base::Timestamp now) {
    run.outcome = model::Outcome::interrupted;
    run.finished_at = std::max(now, run.started_at);  // the clock may have been set back since
    run.error = {std::string(base::code_text(base::ErrorCode::interrupted)), "pgbakd ended while the run was under way",
                 "nothing of it was kept on this host; the journal says why pgbakd ended"};
}

// pg_dump dies with the daemon, but the workers that it forked for a directory do not.
void end_processes(Reconciled& result, model::RunReport& run) {
    const auto ended = os::end_marked_processes(source::process_mark(run.run.text()), process_patience);
    if (ended == 0) return;
    run.notes.push_back(fmt::format("processes that it had left were ended: {}", ended));
    result.notes.push_back(
        fmt::format("{}: ended processes that run {} had left on this host: {}", run.job, run.run.text(), ended));
}

// The report is on the disk before the catalog tells the end: whenever this is cut short, the next start finds the run
// still running and comes to the same end.
void settle(Reconciled& result, const Places& places, model::RunReport run, base::Timestamp now) {
    attempt(result, [&] { end_processes(result, run); });
    if (auto written = report_of(places.reports_directory, run)) {
        places.catalog.finish_run(*written);
        if (written->outcome == model::Outcome::interrupted)
            result.interrupted.push_back(std::move(*written));
        else if (!written->set.empty())
            result.finished.push_back(std::move(*written));
        else
            result.notes.push_back(fmt::format("{}: run {} had ended ({}) before the daemon did", run.job,
                                               run.run.text(), model::outcome_text(written->outcome)));
        return;
    }
    const auto set = set_of(places.repository, run);
    std::vector<catalog::Copy> there;
    if (!set) there = copies_of_run(places.catalog, run);
    if (set) {
        adopt(run, *set);
        attempt(result, [&] { adopt_copies(run, places.catalog.copies_of(set->manifest.id)); });
    } else if (!there.empty()) {
        adopt_there(run, there, places.job(run.job));
    } else {
        interrupt(run, now);
    }
    const auto name = calendar::format_compact(base::to_instant(run.started_at), *calendar::Zone::utc());
    attempt(result, [&] { write_report(places.reports_directory, run, name + "Z_" + run.run.text()); });
    places.catalog.finish_run(run);
    (set || !there.empty() ? result.finished : result.interrupted).push_back(std::move(run));
}

// Before anything is pruned: a catalog that is lost later must not make good sets of them.
void mark_findings(Reconciled& result, const repository::Repository& repository, catalog::Catalog& catalog) {
    const auto kept = holdings::keep_findings(repository, catalog);
    for (const auto& id : kept.marked)
        result.notes.push_back(id.text() + ": found corrupt, which only the state file told: it is marked so now");
    for (const auto& failure : kept.failures) result.failures.push_back(failure.message());
}

// Whether the repository that is there is the one that the catalog is about.
void see_repository(Reconciled& result, const repository::Repository& repository, catalog::Catalog& catalog,
                    const std::string& fresh) {
    if (holdings::knows_nothing(catalog) && !repository.ids().empty())
        result.notes.emplace_back(
            "the state file is new: `pgbakctl rescan` tells it of the sets that are here, and `pgbakctl rescan --from "
            "TARGET` of those that are there; what a target lacks is owed to it again");
    holdings::become_acquainted(repository, catalog, fresh);
    const auto identity = holdings::identify(repository, catalog);
    if (identity.whose == holdings::Whose::another)
        result.notes.push_back(fmt::format(
            "{}: nothing is pruned there, and copies that are owed of sets that are not there stay owed; {}",
            identity.what, identity.hint));
}

std::vector<std::string> names_of(const Jobs& jobs) {
    std::vector<std::string> names;
    for (const auto& job : jobs) names.push_back(job->name);
    return names;
}

}  // namespace

std::map<std::string, std::vector<std::string>> targets_of(const Jobs& jobs) {
    std::map<std::string, std::vector<std::string>> targets;
    for (const auto& job : jobs) targets[job->name] = job->targets;
    return targets;
}

Reconciled reconcile(const repository::Repository& repository, catalog::Catalog& catalog,
                     const std::filesystem::path& reports_directory, const Jobs& jobs, base::Timestamp now,
                     const std::function<std::uint64_t()>& random) {
    const Places places{repository, catalog, reports_directory, jobs};
    Reconciled result;
    attempt(result, [&] { see_repository(result, repository, catalog, holdings::new_identity(now, random)); });
    attempt(result, [&] { catalog.know_targets(targets_of(jobs)); });
    attempt(result, [&] { holdings::notice_gaps(repository, catalog, names_of(jobs), now); });
    std::vector<model::RunReport> running;
    attempt(result, [&] {
        catalog::RunFilter filter;
        filter.outcome = model::Outcome::running;
        filter.limit = most_running;
        running = catalog.runs(filter);
    });
    for (const auto& run : running) attempt(result, [&] { settle(result, places, run, now); });
    // Those that could not be settled have ended all the same.
    attempt(result, [&] {
        for (auto& run : catalog.interrupt_running(now)) result.interrupted.push_back(std::move(run));
    });
    attempt(result, [&] { result.swept = repository.sweep(); });
    attempt(result, [&] { sweep_reports(reports_directory, now); });
    attempt(result, [&] { mark_findings(result, repository, catalog); });
    return result;
}

}  // namespace pgbakd::run
