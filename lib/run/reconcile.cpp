#include "run/reconcile.hpp"

#include "run/report_file.hpp"

namespace pgbakd::run {
namespace {

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

}  // namespace

Reconciled reconcile(const repository::Repository& repository, catalog::Catalog& catalog,
                     const std::filesystem::path& reports_directory, base::Timestamp now) {
    Reconciled result;
    std::vector<model::RunReport> found;
    attempt(result, [&] { found = catalog.interrupt_running(now); });
    for (auto& run : found)
        attempt(result, [&] {
            if (const auto set = set_of(repository, run)) {
                adopt(run, *set);
                catalog.finish_run(run);
                result.finished.push_back(run);
            } else {
                result.interrupted.push_back(run);
            }
            const auto name = calendar::format_compact(base::to_instant(run.started_at), *calendar::Zone::utc());
            write_report(reports_directory, run, name + "Z_" + run.run.text());
        });
    attempt(result, [&] { result.swept = repository.sweep(); });
    return result;
}

}  // namespace pgbakd::run
