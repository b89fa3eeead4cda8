// next: the coming fires.
#include <fmt/format.h>

#include "admin/configuration.hpp"
#include "admin/fires.hpp"
#include "admin/output.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "host/identity.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {
namespace {

constexpr int most_fires = 100'000;

base::Instant start_of(Context& context, const Arguments& arguments) {
    const auto after = arguments.find("--after");
    if (!after) return context.now();
    const auto time = calendar::parse_rfc3339(*after);
    if (!time)
        throw usage_error(fmt::format("--after: {}", time.error().message()),
                          "write it as in 2026-01-14T02:00:00+01:00");
    return *time;
}

calendar::ZonePtr zone_for(Context& context, const Arguments& arguments, const calendar::Schedule& schedule) {
    const auto named = arguments.find("--timezone");
    // A shell's unset variable would quietly be another zone than was meant.
    if (named && named->empty())
        throw usage_error("--timezone: no time zone is named", "name one, as in Europe/Berlin");
    const bool is_own = !schedule.own_zone().empty();
    const auto name = is_own ? std::string(schedule.own_zone()) : named.value_or("");
    if (name.empty()) {
        const auto config = load_if_valid(context);
        return config ? config->zone : context.host_zone();
    }
    const auto zone = context.around.zones.find(name);
    if (zone) return *zone;
    if (!is_own) throw usage_error(zone.error().message(), zone.error().hint());
    throw usage_error(fmt::format("--schedule: {} at column {}", zone.error().message(),
                                  calendar::own_zone_column(arguments.text("--schedule"))),
                      zone.error().hint());
}

JobFires fires_of_text(Context& context, const Arguments& arguments, const FireRequest& request) {
    const auto schedule = calendar::Schedule::parse(arguments.text("--schedule"));
    if (!schedule) throw usage_error("--schedule: " + schedule.error().message(), schedule.error().hint());
    auto fires = fires_of({}, *schedule, zone_for(context, arguments, *schedule), request);
    fires.warnings = schedule->warnings();
    return fires;
}

void print(Context& context, const JobFires& job) {
    const auto name = job.job.empty() ? std::string() : styled(job.job, Style::strong, context.colour) + ": ";
    context.out << name << summary_of(job) << '\n';
    for (const auto& warning : job.warnings) context.out << "  note: " << base::printable(warning) << '\n';
    for (const auto fire : job.fires)
        context.out << fmt::format(
            "  {}   {}   {}{}\n", calendar::format_for_people(fire, *job.zone), calendar::format_rfc3339_utc(fire),
            styled(distance_text(context.now(), fire), Style::faint, context.colour),
            job.milestones.empty() ? std::string() : "   " + model::milestone_name(job.milestones, fire, *job.zone));
}

}  // namespace

ExitCode perform_next(Context& context, const Arguments& arguments) {
    const FireRequest request{start_of(context, arguments), arguments.number("--number", 10, 1, most_fires)};
    const auto job = arguments.find("JOB");
    std::vector<JobFires> all;
    if (arguments.has("--schedule")) {
        if (job) throw usage_error("a job and --schedule exclude each other");
        all.push_back(fires_of_text(context, arguments, request));
    } else {
        if (arguments.has("--timezone")) throw usage_error("--timezone goes with --schedule only");
        const auto config = load(context);
        if (job)
            all.push_back(fires_of(*find_job(*config, *job), request));
        else
            for (const auto& spec : config->jobs) all.push_back(fires_of(*spec, request));
    }
    if (context.json) {
        boost::json::array jobs;
        for (const auto& each : all) jobs.push_back(json_fires(each));
        print_json(context, boost::json::object{{"jobs", std::move(jobs)}});
    } else {
        for (const auto& each : all) print(context, each);
    }
    return ExitCode::good;
}

}  // namespace pgbakd::admin
