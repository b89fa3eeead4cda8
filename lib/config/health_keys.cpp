#include "config/health_keys.hpp"

#include "config/channel_types.hpp"
#include "config/domain_types.hpp"
#include "config/network_types.hpp"

namespace pgbakd::config {
namespace {

using namespace std::chrono_literals;
using model::JobSpec;

// A schedule that comes again and again.
Type<calendar::Schedule> recurring_schedule() {
    auto type = schedule();
    type.read = [read = type.read](Problems& problems, const Node& node, calendar::Schedule& value) {
        auto given = value;
        read(problems, node, given);
        if (node.refused) return;
        if (given.kind() != calendar::ScheduleKind::recurring)
            return problems.error(node, "must come again and again", "as in schedule: every 6 hours");
        if (!given.own_zone().empty())
            return problems.error(node, "goes by the configuration's time zone", "remove the zone at its end");
        value = given;
    };
    return type;
}

}  // namespace

const Section<Health>& health_keys() {
    static const Section<Health> section(
        {},
        {
            key<Health>("schedule", &Health::schedule, recurring_schedule(), is("every 6 hours"),
                        "When all is looked at: the age and size of the newest sets, copies owed, disks, and one set "
                        "read anew. What a run shows is looked at after each run."),
            key<Health>("disk_usage", &Health::disk_usage, percentage(1, 100), is("80%"),
                        "A file system that backups are written to and that is fuller than this (Use% of df) is a "
                        "warning, those of targets that can tell (directory, sftp, rclone) included; `100%`: "
                        "never."),
        });
    return section;
}

const Section<JobSpec>& job_health_keys(const JobSpec& blank) {
    static const Section<JobSpec> section(
        blank,
        {
            key<JobSpec>("max_age", &JobSpec::max_age, maybe(duration(1min, 36'500 * 24h)),
                         absent("the schedule's longest gap, and 2h"),
                         "The newest good set, in each place, may be this old. A job without a schedule by the clock "
                         "has no such limit unless one stands here."),
            key<JobSpec>("size_change", &JobSpec::size_change, percentage(1, 10'000), is("50%"),
                         "A set that is larger or smaller than the middle one of the last seven by more than this is a "
                         "warning."),
        });
    return section;
}

const Section<Config>& api_keys() {
    static const Section<Config> section(
        {},
        {
            key<Config>("socket", &Config::api_socket, socket_path(), is("/run/pgbakd/control.sock"),
                        "The Unix socket on which `pgbakctl` speaks to the daemon."),
            key<Config>("listen", &Config::api_listen, maybe(listen_address()), absent("not by TCP"),
                        "Address and port for the HTTP API by TCP. There is no TLS: for other hosts, put a proxy in "
                        "front of it."),
            key<Config>("token", &Config::api_token, secret(), absent("required with `listen`"),
                        "What clients that come by TCP must show (`Authorization: Bearer …`); see \"Secrets\" above."),
        });
    return section;
}

}  // namespace pgbakd::config
