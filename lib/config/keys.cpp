#include "config/keys.hpp"

#include "config/channel_keys.hpp"
#include "config/channel_types.hpp"
#include "config/client_keys.hpp"
#include "config/domain_types.hpp"
#include "config/encryption_keys.hpp"
#include "config/health_keys.hpp"
#include "config/milestones.hpp"
#include "config/retention_keys.hpp"
#include "config/source_keys.hpp"
#include "config/target_keys.hpp"
#include "config/target_types.hpp"
#include "config/tdengine_keys.hpp"

// The rows below are what docs/configuration.md shows as its reference. `later` lists keys of parts that this version
// does not have: they are refused with a word of their own.

namespace pgbakd::config {
namespace {

using namespace std::chrono_literals;
using model::JobSpec;
using model::ServerSpec;

constexpr auto day = 24h;

// A job before its keys are read. Its schedule is always replaced or refused: the key is required.
JobSpec blank_job() {
    return {.name = {},
            .schedule = calendar::Schedule::parse("daily at 00:00").value(),
            .timezone = {},
            .zone = {},
            .milestones = {},
            .catch_up = {},
            .source = {},
            .compression = {},
            .targets = {},
            .local_retention = {},
            .target_retention = {},
            .retries = {}};
}

const Section<model::Retries>& retries_keys() {
    static const Section<model::Retries> section(
        {}, {
                key<model::Retries>("attempts", &model::Retries::attempts, whole_number<int>(1, 100), is("3"),
                                    "How often a run is tried in all when the cause is a passing one (server starting "
                                    "up, connection lost, lock timeout); `1` means no second attempt."),
                key<model::Retries>("backoff", &model::Retries::backoff, duration(100ms, day), is("1m"),
                                    "How long to wait before the second attempt, at most; it doubles with each one."),
            });
    return section;
}

const Section<JobSpec>& job_keys() {
    static const Section<JobSpec> section(
        blank_job(),
        {
            key<JobSpec>("schedule", &JobSpec::schedule, schedule(), required("as in schedule: daily at 02:00"),
                         "When the job runs: see \"Schedules\" above."),
            key<JobSpec>("milestones", &JobSpec::milestones, milestones(), absent("none"),
                         "Dates on which a job with `schedule: milestone` runs, in its zone, once each; those that are "
                         "done may stay. Its sets have the milestone's name and are kept for ever."),
            key<JobSpec>("timezone", &JobSpec::timezone, time_zone(), absent("the configuration's `timezone`"),
                         "The zone the schedule is meant in, and the one that sets are named and kept by."),
            key<JobSpec>("catch_up", &JobSpec::catch_up, catch_up(), is("once"),
                         "What happens with fires missed while the daemon or the host was down: `skip` them, run "
                         "`once`, `once within` some time of the missed fire, or `all` of them one after another (24 "
                         "at most)."),
            key<JobSpec>("overlap", &JobSpec::overlap,
                         choice<model::Overlap>({{"skip", model::Overlap::skip}, {"queue", model::Overlap::queue}}),
                         is("skip"),
                         "What happens when the job is due while its last run is still going: `skip` the fire, or "
                         "`queue` one run."),
            key<JobSpec>("jitter", &JobSpec::jitter, duration(0s, 7 * day), is("0s"),
                         "Start up to this much later than scheduled, by a fixed offset for each host and job, so that "
                         "a fleet does not dump at once. Less than the schedule's shortest gap."),
            key<JobSpec>("settle", &JobSpec::settle, maybe(duration(1s, 1h)), absent("5s"),
                         "With `schedule: on change`, how long nothing more must change before a run starts; where "
                         "changes do not end it starts after twelve times that."),
            kinds_section<JobSpec>("source", &JobSpec::source, source_kinds(), {},
                                   required("as in source: {type: pg_dump, server: local, databases: all}"),
                                   "What is backed up."),
            key<JobSpec>(
                "compression", &JobSpec::compression, compression(), is("gzip:6"),
                "How artifacts are compressed. Formats `custom` and `directory` take gzip up to 9, and zstd from "
                "`pg_dump` 16 on. gzip:6 is as small as `pg_dump`'s own, or smaller, and so on."),
            section_key<JobSpec>("encryption", &JobSpec::encryption, encryption_keys(), absent("none"),
                                 "Who can read the artifacts: one of the keys below."),
            key<JobSpec>("targets", &JobSpec::targets, names_of_targets(), is("[]"),
                         "Entries of `targets` that get a copy of each set, while it is made."),
            key<JobSpec>(
                "keep_local", &JobSpec::keep_local,
                choice<model::KeepLocal>({{"true", model::KeepLocal::always},
                                          {"false", model::KeepLocal::until_copied},
                                          {"never", model::KeepLocal::never}}),
                is("true"),
                "Whether the repository keeps the sets of a job with `targets`: `true`, as long as "
                "`retention.local` says; `false`, only until every target has the set; `never`, not at all: the dump "
                "goes to the targets alone, for a host without room, and a target that fails is not made up for."),
            section_key<JobSpec>("retention", Same{}, retention_keys(blank_job()), {}, "How long sets are kept."),
            key<JobSpec>("timeout", &JobSpec::timeout, duration(1s, 30 * day), is("12h"),
                         "How long a run may take, with all its attempts."),
            section_key<JobSpec>("retries", &JobSpec::retries, retries_keys(), {}, "When a failed run is tried again."),
            section_key<JobSpec>("health", Same{}, job_health_keys(blank_job()), {}, "When the job is not well."),
            key<JobSpec>("alerts", &JobSpec::alerts, maybe(names_of_channels()), absent("every channel"),
                         "Entries of `alerts` that are told of the job; `[]`: none."),
        },
        {
            {"drill", "restore drills come with a later version: remove this job", "source"},
        });
    return section;
}

const Section<ServerSpec>& server_keys() {
    const auto mode = [](const char* name) { return Choice<std::string>{name, name}; };
    static const Section<ServerSpec> section(
        {}, {
                kind_key<ServerSpec>("type", "postgresql", {}, is("postgresql"), "A PostgreSQL server."),
                key<ServerSpec>("host", &ServerSpec::host, host_name(), absent("libpq's: the local Unix socket"),
                                "Host name, address, or the directory of a Unix socket."),
                key<ServerSpec>("port", &ServerSpec::port, whole_number<std::uint16_t>(1, 65535),
                                absent("libpq's: 5432"), "TCP port, also of a Unix socket."),
                key<ServerSpec>("user", &ServerSpec::user, text("the name of a role", 63),
                                absent("the operating-system user"), "Role to log in as."),
                key<ServerSpec>("password", &ServerSpec::password, secret(), absent("none; `passfile` is asked"),
                                "Password of the role; see \"Secrets\" above."),
                key<ServerSpec>("passfile", &ServerSpec::passfile, absolute_path(), absent("libpq's: `~/.pgpass`"),
                                "A password file of libpq."),
                key<ServerSpec>("sslmode", &ServerSpec::sslmode,
                                choice<std::string>({mode("disable"), mode("allow"), mode("prefer"), mode("require"),
                                                     mode("verify-ca"), mode("verify-full")}),
                                absent("libpq's: `prefer`"), "Whether TLS is used and what of the server is verified."),
                key<ServerSpec>("sslrootcert", &ServerSpec::sslrootcert, absolute_path(),
                                absent("libpq's: `~/.postgresql/root.crt`"),
                                "Certificates of the authorities that may vouch for the server."),
                key<ServerSpec>("connect_timeout", &ServerSpec::connect_timeout, duration(1s, 1h), is("10s"),
                                "How long a connection may take to come about."),
                key<ServerSpec>("maintenance_database", &ServerSpec::maintenance_database,
                                text("the name of a database", 63), is("postgres"),
                                "The database to connect to for questions about the whole server."),
                section_key<ServerSpec>("client", &ServerSpec::client, client_keys(), {},
                                        "Where the client programs run, and which they are."),
            });
    return section;
}

std::vector<Kind<ServerSpec>> server_kinds() {
    using model::ServerType;
    return {{"postgresql", &server_keys(), [](const auto& server) { return server.type == ServerType::postgresql; }},
            {"tdengine", &tdengine_keys(), [](const auto& server) { return server.type == ServerType::tdengine; }}};
}

const Section<model::Limits>& limit_keys() {
    using model::Limits;
    static const Section<Limits> section(
        {}, {
                key<Limits>("concurrent_runs", &Limits::concurrent_runs, whole_number<int>(1, 64), is("2"),
                            "How many runs go on at one time. One that only sends its copies any more does not count."),
                key<Limits>("concurrent_runs_per_server", &Limits::concurrent_runs_per_server, whole_number<int>(1, 64),
                            is("1"), "How many of them read from one server."),
                key<Limits>("compression_threads", &Limits::compression_threads, whole_number<int>(0, 256), is("0"),
                            "Threads that compress and hash; `0`: one per core."),
                key<Limits>("nice", &Limits::nice, whole_number<int>(0, 19), is("10"),
                            "The niceness of client programs and of the threads above."),
                key<Limits>("upload_rate", &Limits::upload_rate, byte_rate(), absent("unlimited"),
                            "How fast data goes to all targets together: `50 MiB/s`."),
            });
    return section;
}

const Section<Repository>& repository_keys() {
    static const Section<Repository> section(
        {}, {
                key<Repository>("directory", &Repository::directory, own_directory(), is("/var/lib/pgbakd/repository"),
                                "Where backup sets are kept."),
                key<Repository>("min_free", &Repository::min_free, size(std::uint64_t{1} << 50U), is("5 GiB"),
                                "Free space to leave: a run that would leave less does not start."),
            });
    return section;
}

const Section<Config>& report_keys() {
    static const Section<Config> section(
        {}, {key<Config>("directory", &Config::reports_directory, own_directory(), is("/var/lib/pgbakd/reports"),
                         "Where one JSON report per run is written.")});
    return section;
}

}  // namespace

const Section<Draft>& all_keys() {
    const auto config = [](auto& draft) -> auto& {
        return draft.config;
    };
    static const Section<Draft> section(
        {},
        {
            key<Draft>(
                "timezone", [](auto& draft) -> auto& { return draft.config.timezone; }, time_zone(),
                absent("the host's zone"), "The zone of schedules and of the names of sets."),
            section_key<Draft>(
                "repository", [](auto& draft) -> auto& { return draft.config.repository; }, repository_keys(), {},
                "The local directory of backup sets."),
            section_key<Draft>("reports", config, report_keys(), {}, "Reports for other programs to read."),
            section_key<Draft>(
                "limits", [](auto& draft) -> auto& { return draft.config.limits; }, limit_keys(), {},
                "What backups may take from the host and the servers."),
            key<Draft>(
                "shutdown_grace", [](auto& draft) -> auto& { return draft.config.shutdown_grace; }, duration(0s, 1h),
                is("30s"),
                "How long runs that are ended when the daemon is told to stop may take to wind up: end their programs "
                "and "
                "uploads, remove what has no use, leave their report. Then the daemon ends whatever hangs (after 1s at "
                "least)."),
            section_key<Draft>(
                "health", [](auto& draft) -> auto& { return draft.config.health; }, health_keys(), {},
                "When and how it is looked whether all is well."),
            section_key<Draft>("api", config, api_keys(), {}, "How the daemon is spoken to."),
            kinds_map<Draft>("servers", "server", &Draft::servers, server_kinds(),
                             "PostgreSQL servers, and TDengine servers by their `type`. `local: {}` is the PostgreSQL "
                             "server on this host, by its Unix socket.",
                             "postgresql"),
            kinds_map<Draft>("targets", "target", &Draft::targets, target_kinds(),
                             "Places off this host for copies of the sets: buckets, SFTP accounts, mounted "
                             "directories, rclone remotes."),
            kinds_map<Draft>("alerts", "channel", &Draft::channels, channel_kinds(),
                             "Channels that tell people: Discord, webhooks, mail, heartbeats."),
            open_map<Draft>("jobs", "job", &Draft::jobs, job_keys(),
                            "What is backed up, when, and how long it is kept."),
        });
    return section;
}

}  // namespace pgbakd::config
