#include "alert/wants.hpp"

#include "unit/alert/support.hpp"

using namespace pgbakd;
using namespace alerts;
using model::AlertKind;
using model::Severity;

namespace {

model::ChannelSpec channel(Severity least, std::vector<std::string> jobs = {}) {
    model::ChannelSpec spec;
    spec.name = "ops";
    spec.place = model::DiscordPlace{};
    spec.min_severity = least;
    spec.jobs = std::move(jobs);
    return spec;
}

model::ChannelSpec heartbeat(std::vector<std::string> jobs) {
    auto spec = channel(Severity::critical, std::move(jobs));
    spec.place = model::HeartbeatPlace{};
    return spec;
}

model::Alert of(AlertKind kind, Severity severity, const std::string& job = "shop") {
    auto alert = failed(job);
    alert.kind = kind;
    alert.severity = severity;
    return alert;
}

}  // namespace

TEST_CASE("which alerts a channel gets") {
    struct Row {
        std::string what;
        model::ChannelSpec channel;
        model::Alert alert;
        bool wanted;
    };
    const auto critical = channel(Severity::critical);
    const auto info = channel(Severity::info);
    const auto of_shop = channel(Severity::info, {"shop", "crm"});
    const auto pulse = heartbeat({"shop"});
    for (const auto& [what, spec, alert, wanted] : std::vector<Row>{
             {"at its severity", critical, of(AlertKind::run_failed, Severity::critical), true},
             {"below it", critical, of(AlertKind::finding_opened, Severity::warning), false},
             {"a start is for heartbeats", info, of(AlertKind::run_started, Severity::info), false},
             {"a success", info, of(AlertKind::run_succeeded, Severity::info), true},
             {"a test", info, of(AlertKind::test, Severity::info), true},
             {"a job of its own", of_shop, of(AlertKind::run_failed, Severity::critical), true},
             {"a job of others", of_shop, of(AlertKind::run_failed, Severity::critical, "erp"), false},
             {"of no job, where jobs are named", of_shop, of(AlertKind::finding_opened, Severity::critical, ""), true},
             {"of no job, where none are", info, of(AlertKind::finding_opened, Severity::critical, ""), true},
             {"heartbeat: start", pulse, of(AlertKind::run_started, Severity::info), true},
             {"heartbeat: success, whatever its severity", pulse, of(AlertKind::run_succeeded, Severity::info), true},
             {"heartbeat: failure", pulse, of(AlertKind::run_failed, Severity::critical), true},
             {"heartbeat: finding", pulse, of(AlertKind::finding_opened, Severity::critical), false},
             {"heartbeat: test", pulse, of(AlertKind::test, Severity::critical), false},
             {"heartbeat: another job", pulse, of(AlertKind::run_failed, Severity::critical, "erp"), false},
         }) {
        INFO(what);
        CHECK(alert::wants(spec, alert, alert.severity) == wanted);
    }
}

TEST_CASE("whom an alert reaches is not how severe it is") {
    const auto again = of(AlertKind::run_failed, Severity::critical);
    CHECK_FALSE(alert::wants(channel(Severity::critical), again, Severity::info));
    CHECK(alert::wants(channel(Severity::info), again, Severity::info));
    CHECK(alert::wants(channel(Severity::critical), of(AlertKind::note, Severity::info), Severity::critical));
}

TEST_CASE("a job's own list of channels") {
    const auto info = channel(Severity::info);
    const auto alert = of(AlertKind::run_failed, Severity::critical);
    CHECK(alert::wants(info, alert, alert.severity, std::nullopt));
    CHECK(alert::wants(info, alert, alert.severity, std::vector<std::string>{"mail", "ops"}));
    CHECK_FALSE(alert::wants(info, alert, alert.severity, std::vector<std::string>{"mail"}));
    CHECK_FALSE(alert::wants(info, alert, alert.severity, std::vector<std::string>{}));
}
