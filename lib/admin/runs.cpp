// runs: history from the catalog.
#include <fmt/format.h>

#include "admin/configuration.hpp"
#include "admin/fires.hpp"
#include "admin/run_view.hpp"
#include "admin/sets.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {
namespace {

constexpr int most_runs = 10'000;

std::optional<model::Outcome> outcome_of(const Arguments& arguments) {
    const auto given = arguments.find("--status");
    if (!given) return std::nullopt;
    auto word = *given;
    for (auto& c : word)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const auto outcome = model::parse_outcome(word);
    if (!outcome) throw usage_error("--status: " + outcome.error().message(), outcome.error().hint());
    return *outcome;
}

calendar::ZonePtr zone_of_run(Context& context, const config::Config& config, const model::RunReport& run) {
    if (const auto job = config.job(run.job)) return job->zone;
    const auto zone = context.around.zones.find(run.timezone);
    return zone ? *zone : calendar::Zone::utc();
}

void print(Context& context, const config::Config& config, const std::vector<model::RunReport>& runs) {
    if (runs.empty()) {
        context.out << "no runs\n";
        return;
    }
    Table table(
        {{"RUN"}, {"JOB"}, {"STARTED"}, {"TOOK", true}, {"TRIGGER"}, {"STATUS"}, {"SIZE", true}, {"SET OR CAUSE"}});
    for (const auto& run : runs) {
        const bool running = run.outcome == model::Outcome::running;
        const auto status = std::string(model::outcome_text(run.outcome));
        table.add({{run.run.text()},
                   {run.job},
                   {calendar::format_for_people(base::to_instant(run.started_at), *zone_of_run(context, config, run))},
                   {running ? "" : base::format_duration(run.duration())},
                   {std::string(model::trigger_text(run.trigger))},
                   {status, style_of_status(status)},
                   {run.size_bytes > 0 ? base::format_size(run.size_bytes) : ""},
                   {run.error ? base::clamp_utf8(run.error->message, 200) : run.set}});
    }
    table.print(context.out, context.colour);
}

}  // namespace

ExitCode perform_runs(Context& context, const Arguments& arguments) {
    catalog::RunFilter filter;
    filter.job = arguments.find("JOB");
    filter.outcome = outcome_of(arguments);
    filter.limit = arguments.number("--limit", filter.limit, 1, most_runs);
    const auto config = load(context);
    std::vector<model::RunReport> runs;
    if (const auto history = catalog::Catalog::open_for_reading(config->state_file())) runs = history->runs(filter);
    // A job that is gone may have a history; a name that nothing knows is a mistake.
    if (runs.empty() && filter.job && !filter.outcome) (void)find_job(*config, *filter.job);
    if (context.json) {
        boost::json::array list;
        for (const auto& run : runs) list.push_back(model::json_run(run));
        print_json(context, boost::json::object{{"runs", std::move(list)}});
    } else {
        print(context, *config, runs);
    }
    return ExitCode::good;
}

}  // namespace pgbakd::admin
