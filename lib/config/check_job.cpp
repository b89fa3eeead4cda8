#include "config/check_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/units.hpp"
#include "config/client_keys.hpp"
#include "config/dump_options.hpp"
#include "config/encryption_keys.hpp"
#include "config/milestones.hpp"
#include "config/unknown_names.hpp"

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
    if (around.host.was_in_force && around.host.was_in_force(around.config.state_file(), job)) {
        // With jitter it may be about to start.
        const auto jitter = std::chrono::ceil<std::chrono::seconds>(job.jitter);
        if (job.schedule.next_ever(around.host.now - jitter, *job.zone)) return;
        return problems.warning(schedule,
                                fmt::format("\"{}\" has passed: the job does not run by the clock any more", text),
                                "remove the job, or give it a later time");
    }
    const bool once = job.schedule.kind() == calendar::ScheduleKind::once;
    problems.error(schedule, fmt::format("\"{}\" {}", text, once ? "lies in the past" : "has no fire to come"),
                   "give it a later time, or remove the job");
}

// By the schedule's text alone. What else brings fires together, a change of clocks, comes and goes with the date and
// with the zone's rules, and a file that was right must not turn wrong. Nor does it matter: all fires of a job have one
// offset, so they start in order, as far apart as they are.
void check_jitter(Problems& problems, const JobSurroundings& around, const Node& jitter, const JobSpec& job) {
    if (job.jitter.count() == 0) return;
    const auto gap = job.schedule.shortest_gap();
    if (!gap || job.jitter < *gap) return;
    const auto message = fmt::format("must be less than the schedule's shortest gap, {} (got {})",
                                     base::format_duration(*gap), base::format_duration(job.jitter));
    const std::string hint = "else a fire would start after the next one is due";
    if (around.host.was_in_force && around.host.was_in_force(around.config.state_file(), job))
        problems.warning(jitter, message, hint);
    else
        problems.error(jitter, message, hint);
}

// Files tell when they change; databases and programs do not.
void check_change(Problems& problems, const Node& node, const Node& schedule, const JobSpec& job) {
    const bool by_change = job.schedule.kind() == calendar::ScheduleKind::on_change;
    const auto* source = node.usable("source");
    if (by_change && source != nullptr && !std::holds_alternative<model::FilesSource>(job.source))
        problems.error(schedule, "\"on change\" is for files: nothing else tells when it changes",
                       "use a schedule by the clock, as in schedule: daily at 02:00");
    const auto* settle = node.usable("settle");
    if (!by_change && settle != nullptr)
        problems.error(*settle, "only with schedule: on change", "remove the key, or write schedule: on change");
}

void check_schedule(Problems& problems, const JobSurroundings& around, const Node& node, const JobSpec& job) {
    const auto* schedule = node.usable("schedule");
    if (schedule == nullptr || job.zone == nullptr) return;
    check_milestones(problems, around, node, job);
    check_change(problems, node, *schedule, job);
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
    if (const auto* jitter = node.usable("jitter")) check_jitter(problems, around, *jitter, job);
}

void check_pg_dump(Problems& problems, const JobSurroundings& around, const Node& node,
                   const model::PgDumpSource& source) {
    const auto* exclude = node.usable("exclude");
    if (exclude != nullptr && !source.all_databases && node.usable("databases") != nullptr)
        problems.error(*exclude, "only with databases: all", "remove the key, and the names from databases");
    const auto* jobs = node.usable("jobs");
    if (jobs != nullptr && source.jobs > 1 && source.format != model::DumpFormat::directory)
        problems.error(*jobs, "more than one only with format: directory", "remove the key, or add format: directory");
    if (const auto* options = node.usable("options")) check_options_of_format(problems, *options, source.format);
    const auto* format = node.usable("format");
    const auto elsewhere = around.clients_elsewhere.find(source.server);
    if (format != nullptr && source.format == model::DumpFormat::directory &&
        elsewhere != around.clients_elsewhere.end())
        refuse_elsewhere(problems, *format, elsewhere->second);
}

// Each program speaks to one kind of server.
void check_server_type(Problems& problems, const JobSurroundings& around, const Node& server, const JobSpec& job) {
    const auto& name = model::server_of(job.source);
    const auto found = around.server_types.find(name);
    if (found == around.server_types.end()) return;
    const bool wants_tdengine = std::holds_alternative<model::TaosdumpSource>(job.source);
    const bool is_tdengine = found->second == model::ServerType::tdengine;
    if (wants_tdengine == is_tdengine) return;
    problems.error(server,
                   fmt::format("\"{}\" is a {} server, which {} does not speak to", excerpt(name),
                               is_tdengine ? "TDengine" : "PostgreSQL", model::source_type(job.source)),
                   is_tdengine ? "as in source: {type: taosdump, server: NAME, databases: all}"
                               : "give the server type: tdengine, or the source type: pg_dump");
}

void check_source(Problems& problems, const JobSurroundings& around, const Node& node, const JobSpec& job) {
    const auto* server = node.usable("server");
    const auto& servers = around.servers;
    const auto& name = model::server_of(job.source);
    if (server != nullptr && around.servers_known && !std::binary_search(servers.begin(), servers.end(), name))
        report_unknown_name(problems, *server, "server", name, servers,
                            std::holds_alternative<model::TaosdumpSource>(job.source)
                                ? "servers: {ticks: {type: tdengine, host: ticks.example.com}}"
                                : "servers: {local: {}}");
    else if (server != nullptr)
        check_server_type(problems, around, *server, job);
    if (const auto* source = std::get_if<model::PgDumpSource>(&job.source))
        check_pg_dump(problems, around, node, *source);
}

// Whether pg_dump's own archives are made, compressed by whomever: they have the levels that pg_dump has.
bool makes_archives(const JobSpec& job) {
    const auto* source = std::get_if<model::PgDumpSource>(&job.source);
    return source != nullptr && source->format != model::DumpFormat::plain;
}

void check_compression(Problems& problems, const Node& node, const JobSpec& job) {
    const auto* compression = node.usable("compression");
    if (compression == nullptr || !makes_archives(job)) return;
    if (job.compression.method == codec::Method::gzip && job.compression.level > 9)
        problems.error(
            *compression,
            fmt::format("at most gzip:9 with this format (got {})", codec::compression_text(job.compression)),
            "pg_dump knows no higher one in the formats custom and directory; levels 10 to 12 need format: plain");
}

constexpr int usual_days = 30;

// Reports a policy that is given and has no rule.
void check_policy(Problems& problems, const Node& policy) {
    constexpr std::array rules{"last", "days", "weeks", "daily", "weekly", "monthly", "yearly"};
    if (policy.refused) return;
    if (std::none_of(rules.begin(), rules.end(), [&policy](const char* rule) { return policy.find(rule) != nullptr; }))
        problems.error(policy, "has no rule",
                       "as in retention: {local: {days: 30}}; without the key retention sets stay for 30 days");
}

void check_local_retention(Problems& problems, const Node& node, JobSpec& job) {
    const auto* retention = node.find("retention");
    if (retention == nullptr) {
        job.local_retention.days = usual_days;
        return;
    }
    if (retention->refused) return;
    const auto* local = retention->find("local");
    if (local == nullptr && retention->children.empty()) check_policy(problems, *retention);
    if (local != nullptr) check_policy(problems, *local);
    // Rules for targets alone say nothing of the repository.
    if (local == nullptr && !retention->children.empty()) job.local_retention.days = usual_days;
}

// Gives each target of the job its policy, and reports policies of places that are no targets of it.
void resolve_target_retention(Problems& problems, const Node& node, JobSpec& job) {
    const auto* retention = node.usable("retention");
    const auto* given = retention != nullptr ? retention->usable("targets") : nullptr;
    auto policies = std::exchange(job.target_retention, {});
    const auto common = policies.find({});
    if (given != nullptr && common != policies.end()) check_policy(problems, *given);
    if (given != nullptr && job.targets.empty() && node.find("targets") == nullptr)
        problems.error(*given, "the job has no targets", "add them, as in targets: [NAME], or remove the key");
    // At least what the repository keeps, and 30 days: a copy is no place to save by default.
    auto usual = job.local_retention;
    usual.days = std::max(usual.days.value_or(0), usual_days);
    for (const auto& name : job.targets) {
        const auto own = policies.find(name);
        if (own != policies.end())
            job.target_retention[name] = own->second;
        else
            job.target_retention[name] = common != policies.end() ? common->second : usual;
    }
    if (given == nullptr || common != policies.end()) return;
    for (const auto& child : given->children) {
        if (child.refused) continue;
        if (std::find(job.targets.begin(), job.targets.end(), child.key) != job.targets.end())
            check_policy(problems, child);
        else if (node.usable("targets") != nullptr)
            problems.error_at_key(
                child, "is no target of this job",
                job.targets.empty() ? std::string("the job has none") : list_names("targets", job.targets));
    }
}

void check_targets(Problems& problems, const JobSurroundings& around, const Node& node, const JobSpec& job) {
    const auto* targets = node.usable("targets");
    if (targets != nullptr && around.targets_known)
        check_names_exist(problems, *targets, "target", around.targets,
                          "targets: {nas: {type: directory, path: /mnt/nas/pgbakd}}");
    const auto* keep_local = node.usable("keep_local");
    if (keep_local == nullptr || job.keep_local == model::KeepLocal::always) return;
    const auto* given = node.find("targets");
    if (job.targets.empty() && (given == nullptr || !given->refused))
        problems.error(*keep_local, "the job has no targets: its sets would be nowhere",
                       "add targets: [NAME], or remove the key");
    const auto* source = std::get_if<model::PgDumpSource>(&job.source);
    if (job.keep_local == model::KeepLocal::never && source != nullptr &&
        source->format == model::DumpFormat::directory)
        problems.error(*keep_local, "pg_dump's directory format needs room on this host's disk",
                       "use format: custom, or keep_local: false");
    const auto* taosdump = std::get_if<model::TaosdumpSource>(&job.source);
    if (job.keep_local == model::KeepLocal::never && taosdump != nullptr &&
        !around.clients_elsewhere.contains(taosdump->server))
        problems.error(*keep_local, "taosdump needs room on this host's disk", "use keep_local: false");
}

// A set that is not followed by another in time is too old: two hours are for the run itself.
void resolve_max_age(const JobSurroundings& around, const Node& node, JobSpec& job) {
    const auto* health = node.find("health");
    if (job.max_age || job.zone == nullptr || node.usable("schedule") == nullptr) return;
    if (health != nullptr && (health->refused || health->find("max_age") != nullptr)) return;
    if (const auto gap = around.gaps.find(job.schedule, *job.zone)) job.max_age = *gap + std::chrono::hours(2);
}

void check_alerts(Problems& problems, const JobSurroundings& around, const Node& node) {
    const auto* alerts = node.usable("alerts");
    if (alerts != nullptr && around.channels_known)
        check_names_exist(problems, *alerts, "channel", around.channels,
                          "alerts: {ops: {type: webhook, url: \"https://ops.example.com/hook\"}}");
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
    if (const auto* encryption = node.find("encryption")) check_encryption(problems, *encryption, job.value.encryption);
    check_targets(problems, surroundings, node, job.value);
    check_alerts(problems, surroundings, node);
    resolve_max_age(surroundings, node, job.value);
    check_local_retention(problems, node, job.value);
    resolve_target_retention(problems, node, job.value);
}

}  // namespace pgbakd::config
