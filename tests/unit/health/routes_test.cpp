// Who is told what, and what the answer of /healthz is.
#include "health/routes.hpp"

#include "health/healthz.hpp"
#include "support/nouns.hpp"
#include "unit/health/support.hpp"

namespace pgbakd::health {

using namespace testing;
using model::AlertKind;

namespace {

Teller teller() {
    return {"db1", now, [number = 0]() mutable { return std::to_string(++number); }};
}

model::RunReport report(model::Outcome outcome) {
    model::RunReport run;
    run.run = base::RunId::make(now, {});
    run.job = "shop";
    run.outcome = outcome;
    run.started_at = now - 65s;
    run.finished_at = now;
    return run;
}

model::ChannelSpec channel(const std::string& name, Severity least, std::vector<std::string> jobs = {}) {
    return {name, model::WebhookPlace{}, least, std::move(jobs)};
}
model::ChannelSpec heartbeat(const std::string& name, std::vector<std::string> jobs) {
    return {name, model::HeartbeatPlace{}, Severity::info, std::move(jobs)};
}

config::Config configuration(std::optional<std::vector<std::string>> alerts = {}) {
    config::Config config;
    for (auto&& each :
         {channel("all", Severity::info), channel("ops", Severity::warning), channel("night", Severity::critical),
          channel("crm", Severity::info, {"crm"}), heartbeat("pulse", {"shop"})})
        config.channels.emplace(each.name, each);
    auto job = pgbakd::testing::job_spec("shop", {"r2"});
    job.alerts = std::move(alerts);
    config.jobs = {std::make_shared<const model::JobSpec>(std::move(job))};
    return config;
}

ToldAlert alert(AlertKind kind, Severity reaches, const std::string& job = "shop", const std::string& finding = {},
                const std::string& where = {}) {
    model::Alert result;
    result.id = "1";
    result.kind = kind;
    result.job = job;
    result.finding = finding;
    result.place = where;
    return {result, reaches};
}

Finding told_of(FindingKind kind, const std::string& job, std::vector<std::string> channels,
                const std::string& where = {}) {
    auto finding = open(kind, job, where);
    finding.told_severity = Severity::critical;
    finding.told_to = std::move(channels);
    return finding;
}

const ChannelsOfJobs none;

Texts channels_of(const std::vector<ToldAlert>& told, const config::Config& config,
                  const ChannelsOfJobs& former = none) {
    Changes changes;
    Texts names;
    for (const auto& queued : routed(told, {config, former}, changes)) names.push_back(queued.channel);
    return names;
}

}  // namespace

TEST_CASE("who is told what") {
    struct Row {
        ToldAlert told;
        std::optional<std::vector<std::string>> of_job;  // its own list of channels
        Texts expected;
    };
    const auto nobody = std::nullopt;
    for (const auto& row : std::vector<Row>{
             {alert(AlertKind::run_started, Severity::info), nobody, {"pulse"}},
             {alert(AlertKind::run_succeeded, Severity::info), nobody, {"all", "pulse"}},
             {alert(AlertKind::run_succeeded, Severity::critical), nobody, {"all", "night", "ops", "pulse"}},
             {alert(AlertKind::run_failed, Severity::info), nobody, {"all", "pulse"}},
             {alert(AlertKind::run_failed, Severity::critical), nobody, {"all", "night", "ops", "pulse"}},
             {alert(AlertKind::finding_opened, Severity::critical), nobody, {"all", "night", "ops"}},
             {alert(AlertKind::finding_closed, Severity::warning), nobody, {"all", "ops"}},
             {alert(AlertKind::note, Severity::info), nobody, {"all"}},
             // Of another job, of none, of one that is not there any more.
             {alert(AlertKind::run_failed, Severity::critical, "crm"), nobody, {"all", "crm", "night", "ops"}},
             {alert(AlertKind::finding_opened, Severity::warning, ""), nobody, {"all", "crm", "ops"}},
             // Where the job names its channels.
             {alert(AlertKind::run_failed, Severity::critical), Texts{"night", "pulse"}, {"night", "pulse"}},
             {alert(AlertKind::run_failed, Severity::critical), Texts{"ops"}, {"ops"}},
             {alert(AlertKind::run_failed, Severity::critical), Texts{}, {}},
             // That a channel fails cannot be told there.
             {alert(AlertKind::finding_opened, Severity::warning, "", "channel_failing", "ops"),
              nobody,
              {"all", "crm"}},
         }) {
        CAPTURE(model::alert_text(row.told.alert.kind), model::severity_text(*row.told.reaches), row.told.alert.job);
        CHECK(channels_of({row.told}, configuration(row.of_job)) == row.expected);
    }
    CHECK(channels_of({}, configuration()).empty());
    CHECK(channels_of({alert(AlertKind::note, Severity::info), alert(AlertKind::test, Severity::info)}, configuration())
              .size() == 2);
}

TEST_CASE("what is told of a finding is noted with it: by whom it was heard, and how severe it was at the worst") {
    const auto config = configuration();
    auto finding = open(FindingKind::too_old, "shop", "local");
    Changes changes;
    changes.opened = {finding};
    (void)routed(alerts_of(changes, teller()), {config, none}, changes);
    CHECK(changes.opened[0].told_to == Texts{"all", "ops"});
    CHECK(changes.opened[0].told_severity == Severity::warning);

    // It gets worse: others hear of it too. Then milder, which nobody is told.
    auto worse = finding;
    worse.severity = Severity::critical;
    auto raised = reconcile(changes.all(), {worse}, now);
    (void)routed(alerts_of(raised, teller()), {config, none}, raised);
    REQUIRE(raised.raised.size() == 1);
    CHECK(raised.raised[0].told_to == Texts{"all", "ops", "night"});
    CHECK(raised.raised[0].told_severity == Severity::critical);
    auto milder = reconcile(raised.all(), {finding}, now);
    CHECK(routed(alerts_of(milder, teller()), {config, none}, milder).empty());
    REQUIRE(milder.still.size() == 1);

    // Its end is told to all three, with how severe it had been.
    const auto ended = alerts_of(reconcile(milder.all(), {}, now), teller());
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].alert.was == Severity::critical);
    CHECK(channels_of(ended, config) == Texts{"all", "night", "ops"});
}

TEST_CASE("the end of a finding goes to those who were told of it, whatever was edited meanwhile") {
    struct Row {
        std::string what;
        Texts told_to;
        std::optional<Texts> of_job;
        std::string job;
        Texts expected;
    };
    const auto nobody = std::nullopt;
    for (const auto& row : std::vector<Row>{
             {"nobody was told", {}, nobody, "shop", {}},
             {"one was, others want to hear of such things now", {"night"}, nobody, "shop", {"night"}},
             {"the job names others now", {"ops"}, Texts{"all"}, "shop", {"ops"}},
             {"the channel has other jobs now", {"crm"}, nobody, "shop", {"crm"}},
             {"the job is gone, which had channels of its own", {"ops"}, nobody, "gone", {"ops"}},
             {"the channel is gone", {"former", "ops"}, nobody, "shop", {"ops"}},
             {"the channel is a heartbeat now", {"pulse"}, nobody, "shop", {}},
         }) {
        INFO(row.what);
        Changes changes;
        changes.closed = {told_of(FindingKind::too_old, row.job, row.told_to, "local")};
        CHECK(channels_of(alerts_of(changes, teller()), configuration(row.of_job)) == row.expected);
    }
}

TEST_CASE("a success behind a failure goes to those who heard of that, and to those who hear of each run") {
    Changes changes;
    changes.closed = {told_of(FindingKind::run_failed, "shop", {"night"})};
    const auto told = alerts_after_run(report(model::Outcome::success), {}, changes, teller());
    REQUIRE(told.size() == 1);
    CHECK(told[0].alert.was == Severity::critical);
    CHECK(channels_of(told, configuration()) == Texts{"all", "night", "pulse"});
}

TEST_CASE("who hears of each failure has heard of the finding") {
    const auto config = configuration();
    auto before = told_of(FindingKind::run_failed, "shop", {"night"});
    before.severity = Severity::critical;
    auto changes = reconcile({before}, {before}, now - 4h);
    REQUIRE(changes.still.size() == 1);
    const auto told = alerts_after_run(report(model::Outcome::failed), {}, changes, teller());
    CHECK(routed(told, {config, none}, changes).size() == 2);  // "all", and the heartbeat
    CHECK(changes.still[0].told_to == Texts{"night", "all"});
}

TEST_CASE("who has not heard of what is wrong, and would, hears of it once") {
    const auto config = configuration();
    auto before = told_of(FindingKind::run_failed, "shop", {"former", "ops"});
    before.severity = Severity::critical;
    before.told_at = now - 1h;
    auto changes = reconcile({before}, {before}, now);
    REQUIRE(changes.still.size() == 1);
    const auto names = [](const std::vector<catalog::QueuedAlert>& queued) {
        Texts result;
        for (const auto& each : queued) {
            CHECK(each.alert.kind == AlertKind::finding_reminded);
            result.push_back(each.channel);
        }
        return result;
    };
    // One that would lose it again is left out until it works.
    auto losing = changes;
    CHECK(names(news_for_others({config, none}, teller(), losing, {"all", "ops"})) == Texts{"night"});
    CHECK(losing.still[0].told_to == Texts{"former", "ops", "night"});
    CHECK(names(news_for_others({config, none}, teller(), changes)) == Texts{"all", "night"});
    CHECK(changes.still[0].told_to == Texts{"former", "ops", "all", "night"});
    CHECK(changes.still[0].told_at == now - 1h);  // the next reminder comes when it would have
    CHECK(names(news_for_others({config, none}, teller(), changes)).empty());
    // What none of them wants to hear of is told to nobody.
    auto mild = told_of(FindingKind::run_failed, "shop", {"all", "ops"});
    changes = reconcile({mild}, {mild}, now);
    CHECK(names(news_for_others({config, none}, teller(), changes)).empty());
}

TEST_CASE("what ran of a job that is gone is told where it would have been") {
    const ChannelsOfJobs former{{"gone", Texts{"night"}}, {"other", std::nullopt}};
    const auto failed = [&](const std::string& job) {
        auto run = report(model::Outcome::failed);
        run.job = job;
        return channels_of(alerts_after_run(run, {}, {}, teller(), JobIs::gone), configuration(), former);
    };
    CHECK(failed("gone") == Texts{"night"});
    CHECK(failed("other") == Texts{"all", "night", "ops"});
    CHECK(failed("never seen") == Texts{"all", "night", "ops"});
}

TEST_CASE("healthz fails where a job has no good set in any of its places") {
    const auto config = configuration();
    const auto old = [](const std::string& where) { return open(FindingKind::too_old, "shop", where); };
    CHECK(healthz({}, config).ok());
    CHECK(healthz({old("r2")}, config).ok());
    CHECK(healthz({old("local")}, config).ok());
    CHECK(healthz({open(FindingKind::run_failed, "shop"), open(FindingKind::disk_usage, "", "/srv")}, config).ok());
    const auto failing = healthz({old("r2"), old("local")}, config);
    CHECK_FALSE(failing.ok());
    CHECK(failing.jobs == Texts{"shop"});
    // A job that is gone bothers nobody.
    CHECK(healthz({open(FindingKind::too_old, "gone", "local")}, config).ok());
}

TEST_CASE("a repository that keeps no set of a job is none of its places") {
    model::JobSpec job = *configuration().jobs[0];
    CHECK(places_of(job) == Texts{"local", "r2"});
    job.keep_local = model::KeepLocal::until_copied;
    CHECK(places_of(job) == Texts{"r2"});
    job.keep_local = model::KeepLocal::never;
    CHECK(places_of(job) == Texts{"r2"});
    job.keep_local = model::KeepLocal::always;
    job.targets.clear();
    CHECK(places_of(job) == Texts{"local"});
}

}  // namespace pgbakd::health
