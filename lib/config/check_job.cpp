#include "config/check_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/units.hpp"
#include "config/dump_options.hpp"

namespace pgbakd::config {
namespace {

using model::JobSpec;

// The zone of a job and the node that names it; null if it is not the job that does.
void resolve_zone(Problems& problems, const JobSurroundings& around, const Node& node, JobSpec& job) {
    const auto* named_by = node.usable("timezone");
    const auto* schedule = node.usable("schedule");
    if (schedule != nullptr && !job.schedule.own_zone().empty()) {
        if (named_by != nullptr && job.timezone != job.schedule.own_zone())
            problems.warning(*named_by,
                             fmt::format("the schedule names a zone of its own, {}, and goes by it",
                                         excerpt(job.schedule.own_zone())),
                             "name the zone in one place");
        job.timezone = job.schedule.own_zone();
        named_by = schedule;
    }
    if (named_by == nullptr) {
        job.timezone = around.config.timezone;
        job.zone = around.config.zone;
        return;
    }
    const auto& zone = around.zones.find(job.timezone);
    if (zone) {
        job.zone = *zone;
        return;
    }
    auto message = zone.error().message();
    if (named_by == schedule) message += fmt::format(" at column {}", calendar::own_zone_column(schedule->text));
    problems.error(*named_by, message, zone.error().hint());
}

// A time in the past is a slip of whoever wrote it, unless the daemon had it when it was still to come: refusing that
// one would, at the next start, take all other jobs down with it.
void check_past(Problems& problems, const JobSurroundings& around, const Node& schedule, const JobSpec& job) {
    const auto& text = job.schedule.canonical();
    if (around.host.was_in_force && around.host.was_in_force(around.config.state_file(), job))
        return problems.warning(schedule,
                                fmt::format("\"{}\" has passed: the job does not run by the clock any more", text),
                                "remove the job, or give it a later time");
    const bool once = job.schedule.kind() == calendar::ScheduleKind::once;
    problems.error(schedule, fmt::format("\"{}\" {}", text, once ? "lies in the past" : "has no fire to come"),
                   "give it a later time, or remove the job");
}

void check_schedule(Problems& problems, const JobSurroundings& around, const Node& node, const JobSpec& job) {
    const auto* schedule = node.usable("schedule");
    if (schedule == nullptr || job.zone == nullptr) return;
    for (const auto& warning : job.schedule.warnings()) problems.warning(*schedule, warning);
    if (job.schedule.never_fires(*job.zone))
        return problems.error(*schedule, fmt::format("\"{}\" never fires", job.schedule.canonical()),
                              "there is no such day: check the day and the month");
    if (job.schedule.is_timed() && !job.schedule.next(around.host.now, *job.zone)) {
        const auto far = job.schedule.next_ever(around.host.now, *job.zone);
        if (!far) return check_past(problems, around, *schedule, job);
        return problems.error(*schedule,
                              fmt::format("\"{}\" lies beyond the next 100 years: its next fire is {}",
                                          job.schedule.canonical(), calendar::format_for_people(*far, *job.zone)),
                              "give it an earlier time, or remove the job");
    }
    const auto* jitter = node.usable("jitter");
    if (jitter == nullptr || job.jitter.count() == 0) return;
    const auto gaps = job.schedule.gaps(around.host.now, *job.zone);
    if (gaps && job.jitter >= gaps->shortest)
        problems.error(*jitter,
                       fmt::format("must be less than the schedule's shortest gap, {} (got {})",
                                   base::format_duration(gaps->shortest), base::format_duration(job.jitter)),
                       "else a fire could come after the next one");
}

std::string list_servers(const std::vector<std::string>& servers) {
    if (servers.empty()) return "none is defined: add servers: {local: {}}";
    constexpr std::size_t shown = 10;
    const auto first = std::span(servers).first(std::min(servers.size(), shown));
    auto list = "servers defined here: " + base::join(first, ", ");
    return servers.size() > shown ? list + fmt::format(" and {} more", servers.size() - shown) : list;
}

void check_source(Problems& problems, const JobSurroundings& around, const Node& node, const JobSpec& job) {
    const auto& source = job.source;
    const auto* server = node.usable("server");
    const auto& servers = around.servers;
    if (server != nullptr && around.servers_known && !problems.full() &&
        !std::binary_search(servers.begin(), servers.end(), source.server)) {
        const auto similar = did_you_mean(source.server, servers);
        problems.error(*server, fmt::format("no server named \"{}\"", excerpt(source.server)),
                       similar.empty() ? list_servers(servers) : similar + " " + list_servers(servers));
    }
    const auto* exclude = node.usable("exclude");
    if (exclude != nullptr && !source.all_databases && node.usable("databases") != nullptr)
        problems.error(*exclude, "only with databases: all", "remove the key, and the names from databases");
    const auto* jobs = node.usable("jobs");
    if (jobs != nullptr && source.jobs > 1 && source.format != model::DumpFormat::directory)
        problems.error(*jobs, "more than one only with format: directory", "remove the key, or add format: directory");
    if (const auto* options = node.usable("options")) check_options_of_format(problems, *options, source.format);
}

void check_compression(Problems& problems, const Node& node, const JobSpec& job) {
    const auto* compression = node.usable("compression");
    if (compression == nullptr || job.source.format == model::DumpFormat::plain) return;
    if (job.compression.method == codec::Method::gzip && job.compression.level > 9)
        problems.error(
            *compression,
            fmt::format("at most gzip:9 with this format (got {})", codec::compression_text(job.compression)),
            "pg_dump itself compresses the formats custom and directory; levels 10 to 12 need format: plain");
}

void check_retention(Problems& problems, const Node& node, JobSpec& job) {
    constexpr std::array rules{"last", "days", "weeks", "daily", "weekly", "monthly", "yearly"};
    const std::string hint = "as in retention: {local: {days: 30}}; without the key retention sets stay for 30 days";
    const auto* retention = node.find("retention");
    if (retention == nullptr) {
        job.local_retention.days = 30;
        return;
    }
    if (retention->refused) return;
    const auto* local = retention->find("local");
    if (local == nullptr && retention->children.empty()) problems.error(*retention, "has no rule", hint);
    if (local == nullptr || local->refused) return;
    const bool has_rule =
        std::any_of(rules.begin(), rules.end(), [local](const char* rule) { return local->find(rule) != nullptr; });
    if (!has_rule) problems.error(*local, "has no rule", hint);
}

}  // namespace

void check_job(Problems& problems, const JobSurroundings& surroundings, Named<JobSpec>& job) {
    const auto& node = *job.node;
    resolve_zone(problems, surroundings, node, job.value);
    check_schedule(problems, surroundings, node, job.value);
    if (const auto* source = node.usable("source")) {
        check_source(problems, surroundings, *source, job.value);
        check_compression(problems, node, job.value);
    }
    check_retention(problems, node, job.value);
}

}  // namespace pgbakd::config
