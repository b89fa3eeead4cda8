// prune: the retention plan, and on request what it deletes.
#include <fmt/format.h>

#include <algorithm>

#include "admin/configuration.hpp"
#include "admin/prune_targets.hpp"
#include "admin/sets.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "holdings/gaps.hpp"
#include "model/json.hpp"
#include "os/file.hpp"
#include "run/prune.hpp"
#include "source/database_commands.hpp"

namespace pgbakd::admin {
namespace {

using Jobs = std::vector<std::shared_ptr<const model::JobSpec>>;

// What became of the plans of all jobs.
struct Outcome {
    TargetsOutcome all;           // of every place
    std::optional<Failure> busy;  // of the last job that somebody else held
};

void append_local(TargetsOutcome& all, const std::vector<retention::Decision>& some) {
    for (const auto& decision : some) all.decisions.push_back({"local", decision});
}

// Sets of one job, or of all, that are in the repository and whose job is not in the configuration.
std::vector<model::SetId> sets_without_job(const config::Config& config, const std::optional<std::string>& job) {
    auto ids = repository::Repository(config.repository.directory).ids(job);
    std::erase_if(ids, [&config](const model::SetId& id) { return config.job(id.job) != nullptr; });
    std::reverse(ids.begin(), ids.end());  // newest first, as all others
    return ids;
}

void append_sets_without_job(TargetsOutcome& all, std::vector<model::SetId> ids) {
    for (auto& id : ids) all.decisions.push_back({"local", {std::move(id), true, std::string(kept_without_job)}});
}

Jobs chosen_jobs(const config::Config& config, const std::optional<std::string>& name) {
    if (!name) return config.jobs;
    if (auto job = config.job(*name)) return {std::move(job)};
    std::vector<std::string> others;
    for (auto& id : sets_without_job(config, std::nullopt)) others.push_back(std::move(id.job));
    return {find_job(config, *name, std::move(others))};
}

// A daemon does so when it starts, which may have been before the state file was put back, or may never be.
void notice_gaps(const Context& context, const repository::Repository& repository, catalog::Catalog& catalog,
                 const Jobs& jobs) {
    std::vector<std::string> names;
    for (const auto& job : jobs) names.push_back(job->name);
    holdings::notice_gaps(repository, catalog, names, context.around.clock.now());
}

Outcome plan(Context& context, const config::Config& config, const ResolveSecret& secrets, const Jobs& jobs) {
    Outcome outcome;
    const repository::Repository repository(config.repository.directory);
    const auto history = open_history(context, config);
    if (history) notice_gaps(context, repository, *history, jobs);
    for (const auto& job : jobs) {
        const JobTargets around{context, config, secrets, job, history.get()};
        const auto targets = plan_targets(around, outcome.all);
        const auto now = context.around.clock.now();
        append_local(outcome.all, run::plan_local(repository, history.get(), *job, now, std::nullopt, targets.holds));
        append_decisions(targets, outcome.all);
    }
    return outcome;
}

void delete_here(Context& context, const repository::Repository& repository, catalog::Catalog* catalog,
                 std::vector<retention::Decision> plan, TargetsOutcome& all) {
    auto pruned = run::delete_local(repository, catalog, std::move(plan));
    if (pruned.not_forgotten)
        remark(context, {pruned.not_forgotten->code(),
                         "deleted, but the catalog could not be told: " + pruned.not_forgotten->message(),
                         "nothing is lost by that; pgbakctl rescan strikes what is gone"});
    all.failed += pruned.failures.size();
    std::move(pruned.failures.begin(), pruned.failures.end(), std::back_inserter(all.failures));
}

// The targets are planned, and what they lack is owed, before anything goes here.
void apply_job(const JobTargets& around, TargetsOutcome& all) {
    const repository::Repository repository(around.config.repository.directory);
    auto targets = plan_targets(around, all);
    const auto now = around.context.around.clock.now();
    auto plan = run::plan_local(repository, around.catalog, *around.job, now, std::nullopt, targets.holds);
    append_local(all, plan);
    append_decisions(targets, all);
    // Where a full disk has no room for that the sets stay all the same, and it is entered once there is some.
    const bool recorded = record_plans(around, targets, nullptr);
    delete_here(around.context, repository, around.catalog, std::move(plan), all);
    if (!recorded) (void)record_plans(around, targets, &all);
    apply_plans(around, targets, all);
}

Outcome apply(Context& context, const config::Config& config, const ResolveSecret& secrets, const Jobs& jobs) {
    Outcome outcome;
    const repository::Repository repository(config.repository.directory);
    // Where the catalog cannot be read there is no telling which sets a check found corrupt: then nothing is deleted.
    std::unique_ptr<catalog::Catalog> catalog;
    if (os::target_status(config.state_file()))
        catalog = catalog::Catalog::open_without_space(config.state_file(), context.around.clock.now());
    if (catalog) notice_gaps(context, repository, *catalog, jobs);
    for (const auto& job : jobs) {
        if (job->targets.empty() && repository.ids(job->name).empty()) continue;
        try {
            const auto lock = lock_job(repository, job->name, "prune");
            const JobTargets around{context, config, secrets, job, catalog.get()};
            apply_job(around, outcome.all);
        } catch (const Failure& failure) {
            if (failure.exit() != ExitCode::busy) throw;
            remark(context, failure.error());
            outcome.busy.emplace(failure);
        }
    }
    return outcome;
}

void print_document(Context& context, const Outcome& outcome, bool applied) {
    boost::json::array decisions, failures;
    for (const auto& [place, decision] : outcome.all.decisions)
        decisions.push_back({{"set", model::json_text(decision.id.text())},
                             {"place", place},
                             {"action", decision.keep ? "keep" : "delete"},
                             {"reason", model::json_text(decision.reason)}});
    boost::json::object document{{"applied", applied}, {"decisions", std::move(decisions)}};
    for (const auto& failure : outcome.all.failures) failures.push_back(model::json_text(failure));
    if (applied || !outcome.all.failures.empty()) document["failures"] = std::move(failures);
    print_json(context, document);
}

void print_table(Context& context, const Outcome& outcome, bool applied) {
    const auto& decisions = outcome.all.decisions;
    if (decisions.empty()) {
        context.out << "no backup sets\n";
        return;
    }
    Table table({{"SET"}, {"PLACE"}, {"ACTION"}, {"REASON"}});
    std::size_t deleted = 0;
    for (const auto& [place, decision] : decisions) {
        if (!decision.keep) ++deleted;
        table.add({{decision.id.text()},
                   {place},
                   {decision.keep ? "keep" : "delete", decision.keep ? Style::plain : Style::warning},
                   {decision.reason}});
    }
    table.print(context.out, context.colour);
    const auto kept = decisions.size() - deleted;
    if (applied)
        context.out << fmt::format("{} deleted, {} kept\n",
                                   counted(deleted - std::min(deleted, outcome.all.failed), "set"), kept);
    else if (deleted > 0)
        context.out << fmt::format("{} to delete, {} to keep; --apply does it\n", counted(deleted, "set"), kept);
    else
        context.out << "nothing to delete\n";
}

// JOB is not in the configuration, but has these sets: no retention applies to them, so nothing is planned or deleted.
ExitCode conclude_without_job(Context& context, const config::Config& config, const std::string& job,
                              std::vector<model::SetId> ids, bool applied) {
    Outcome outcome;
    append_sets_without_job(outcome.all, std::move(ids));
    if (context.json) {
        print_document(context, outcome, applied);
        return ExitCode::good;
    }
    print_table(context, outcome, applied);
    context.out << fmt::format(
        "  hint: {} is not in the configuration; put it back, and its retention applies to these sets again\n"
        "  hint: a set that nobody needs any more is removed by hand: rm -r {}/SET && pgbakctl rescan\n",
        job, base::printable(source::shell_word((config.repository.directory / job).native())));
    return ExitCode::good;
}

}  // namespace

ExitCode perform_prune(Context& context, const Arguments& arguments) {
    const auto config = load(context);
    const auto name = arguments.find("JOB");
    if (name && !config->job(*name) && model::check_name("job", *name))
        if (auto ids = sets_without_job(*config, name); !ids.empty())
            return conclude_without_job(context, *config, *name, std::move(ids), arguments.has("--apply"));
    const auto jobs = chosen_jobs(*config, name);
    const bool applied = arguments.has("--apply");
    const auto secrets = read_target_secrets(context, *config);
    if (applied) become_owner_of(config->repository.directory);
    auto outcome = applied ? apply(context, *config, secrets, jobs) : plan(context, *config, secrets, jobs);
    // Whoever looks for space must see these too.
    if (!name) append_sets_without_job(outcome.all, sets_without_job(*config, name));
    // One job asked for and somebody else at it: nothing was done, and the error is the answer.
    if (outcome.busy && jobs.size() == 1) throw Failure(*outcome.busy);
    if (context.json)
        print_document(context, outcome, applied);
    else
        print_table(context, outcome, applied);
    for (const auto& remark : outcome.all.remarks) context.err << "pgbakctl: " << base::printable(remark) << '\n';
    for (const auto& failure : outcome.all.failures)
        context.err << "pgbakctl: could not prune " << base::printable(failure) << '\n';
    if (!outcome.all.failures.empty()) return ExitCode::failed;
    return outcome.busy ? ExitCode::busy : ExitCode::good;
}

}  // namespace pgbakd::admin
