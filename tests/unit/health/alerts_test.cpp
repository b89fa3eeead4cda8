// What changed, and in which words it is told.
#include "health/alerts.hpp"
#include "unit/health/support.hpp"

namespace pgbakd::health {

using namespace testing;
using model::AlertKind;

namespace {

Finding holds(FindingKind kind, const std::string& job, Severity severity = Severity::warning,
              const std::string& where = {}) {
    Finding finding;
    finding.key = {kind, job, where};
    finding.severity = severity;
    finding.message = "as it is";
    finding.hint = "do this";
    return finding;
}

Teller teller(base::Timestamp at = now) {
    return {"db1", at, [number = 0]() mutable { return std::to_string(++number); }};
}

// "critical finding_opened shop failed: why"; of an end that is for those who were told: "was finding_closed …"
Texts told(const std::vector<ToldAlert>& alerts) {
    Texts result;
    for (const auto& [alert, reaches, about, heard] : alerts)
        result.push_back(fmt::format("{} {} {}: {}", reaches ? model::severity_text(*reaches) : "was",
                                     model::alert_text(alert.kind), alert.title, alert.message));
    return result;
}

model::RunReport report(model::Outcome outcome) {
    model::RunReport run;
    run.run = base::RunId::make(now, {});
    run.job = "shop";
    run.outcome = outcome;
    run.started_at = now - 65s;
    run.finished_at = now;
    if (outcome == model::Outcome::failed)
        run.error = model::ErrorReport{"no_space", "the disk is full", "make room"};
    else
        run.set = "shop/20260113_000001";
    run.size_bytes = outcome == model::Outcome::failed ? 0 : 1024;
    return run;
}

}  // namespace

TEST_CASE("findings open, rise, are said again and close") {
    auto raised = open(FindingKind::run_failed, "a");
    auto still = open(FindingKind::copy_owed, "b", "r2", 100h);
    auto critical = open(FindingKind::too_old, "c", "local", 23h);
    critical.severity = Severity::critical;
    auto due = critical;
    due.key.job = "d";
    due.told_at = now - 24h;
    auto stepped = critical;
    stepped.key.job = "e";
    stepped.told_at = now + 48h;  // the clock was set back
    const auto over = open(FindingKind::corrupt, "f", "local");
    const auto changes = reconcile({raised, still, critical, due, stepped, over},
                                   {holds(FindingKind::run_failed, "a", Severity::critical),
                                    holds(FindingKind::copy_owed, "b", Severity::warning, "r2"),
                                    holds(FindingKind::too_old, "c", Severity::critical, "local"),
                                    holds(FindingKind::too_old, "d", Severity::critical, "local"),
                                    holds(FindingKind::too_old, "e", Severity::critical, "local"),
                                    holds(FindingKind::disk_usage, "", Severity::warning, "/srv")},
                                   now);
    REQUIRE(changes.opened.size() == 1);
    CHECK(changes.opened[0].key.kind == FindingKind::disk_usage);
    CHECK(changes.opened[0].opened_at == now);
    CHECK(changes.opened[0].told_at == now);
    REQUIRE(changes.raised.size() == 1);
    CHECK(changes.raised[0].key.job == "a");
    CHECK(changes.raised[0].opened_at == raised.opened_at);
    CHECK(changes.raised[0].told_at == now);
    REQUIRE(changes.reminded.size() == 2);
    CHECK(changes.reminded[0].key.job == "d");
    CHECK(changes.reminded[0].told_at == now);
    CHECK(changes.reminded[1].key.job == "e");
    REQUIRE(changes.still.size() == 2);
    CHECK(changes.still[0].key.job == "b");
    CHECK(changes.still[0].told_at == still.told_at);
    CHECK(changes.still[0].message == "as it is");
    CHECK(changes.still[1].key.job == "c");
    REQUIRE(changes.closed.size() == 1);
    CHECK(changes.closed[0].key.job == "f");
    CHECK(changes.closed[0].closed_at == now);
    CHECK(changes.closed[0].message == "as it was");
    CHECK(changes.all().size() == 7);
}

TEST_CASE("what is milder than before, or as it was, is told nobody") {
    auto critical = open(FindingKind::run_failed, "a", {}, 48h);
    critical.severity = Severity::critical;
    const auto milder = reconcile({critical}, {holds(FindingKind::run_failed, "a")}, now);
    CHECK(milder.still.size() == 1);
    CHECK(milder.still[0].severity == Severity::warning);
    CHECK(alerts_of(milder, teller()).empty());
    // A finding that evaluate() hands through closes nothing and keeps its times.
    const auto through = reconcile({critical}, {critical}, now - 47h);
    CHECK(through.still == std::vector{critical});
    CHECK(alerts_of(reconcile({}, {}, now), teller()).empty());
}

TEST_CASE("a day of looks every six hours says a critical finding once more, whatever the clock's moments") {
    std::vector<Finding> before;
    std::size_t alerts = 0;
    for (int look = 0; look < 9; ++look) {
        const auto at = now + look * 6h + std::chrono::milliseconds(look % 2 == 0 ? 40 : 900);
        const auto changes = reconcile(before, {holds(FindingKind::too_old, "a", Severity::critical)}, at);
        alerts += alerts_of(changes, teller(at)).size();
        before = changes.all();
    }
    CHECK(alerts == 3);  // at the beginning, a day later, two days later
}

TEST_CASE("what people are told of findings") {
    Changes changes;
    changes.opened = {holds(FindingKind::too_old, "shop", Severity::critical, "local")};
    changes.raised = {holds(FindingKind::run_failed, "shop", Severity::critical)};
    changes.reminded = {holds(FindingKind::corrupt, "shop", Severity::critical, "r2")};
    changes.reminded[0].opened_at = now - 49h;
    changes.closed = {open(FindingKind::disk_usage, "", "/srv", 3h)};
    changes.still = {holds(FindingKind::copy_owed, "shop")};
    const auto alerts = alerts_of(changes, teller());
    CHECK(told(alerts) ==
          Texts{"critical finding_opened shop: no recent good set in the repository: as it is",
                "critical finding_raised shop failed: as it is",
                "critical finding_reminded still: shop: a corrupt set in r2: for 2 d 1 h now: as it is",
                "was finding_closed recovered: the disk of /srv fills up: it is well again, after 3 h; it was: as it "
                "was"});
    const auto& first = alerts[0].alert;
    CHECK(first.id == "1");
    CHECK(first.host == "db1");
    CHECK(first.at == now);
    CHECK(first.severity == Severity::critical);
    CHECK(first.job == "shop");
    CHECK(first.place == "local");
    CHECK(first.finding == "too_old");
    CHECK(first.hint == "do this");
    // A recovery is good news, for all who had the bad.
    CHECK(alerts[3].alert.severity == Severity::info);
    CHECK(alerts[3].alert.was == Severity::warning);
    CHECK(alerts[3].alert.hint.empty());
}

TEST_CASE("every kind of finding has a title") {
    for (int kind = 0; kind <= static_cast<int>(FindingKind::check_incomplete); ++kind) {
        Changes changes;
        changes.opened = {holds(static_cast<FindingKind>(kind), "shop", Severity::warning, "r2")};
        CHECK_FALSE(alerts_of(changes, teller()).at(0).alert.title.empty());
    }
}

TEST_CASE("what people are told of runs") {
    auto success = report(model::Outcome::success);
    success.notes = {"new database crm"};
    auto previous = report(model::Outcome::success);
    previous.size_bytes = 2048;
    previous.started_at = now - 100s;
    const auto alert = alert_of(success, previous, teller());
    REQUIRE(alert);
    CHECK(alert->kind == AlertKind::run_succeeded);
    CHECK(alert->severity == Severity::info);
    CHECK(alert->title == "shop succeeded");
    CHECK(alert->message == "1.00 KiB in 1 min 5 s; new database crm");
    CHECK(alert->run == success.run.text());
    CHECK(alert->set == "shop/20260113_000001");
    CHECK(alert->bytes == 1024U);
    CHECK(alert->previous_bytes == 2048U);
    CHECK(alert->duration == 65s);
    CHECK(alert->previous_duration == 100s);

    auto warning = report(model::Outcome::warning);
    warning.targets = {{"r2", "owed", 0, "", "403 Forbidden"}, {"nas", "copied", 1024, "checksum", ""}};
    CHECK(alert_of(warning, {}, teller())->severity == Severity::warning);
    CHECK(alert_of(warning, {}, teller())->message == "1.00 KiB in 1 min 5 s; a copy is owed to r2: 403 Forbidden");
    CHECK_FALSE(alert_of(warning, {}, teller())->previous_bytes);

    const auto failed = alert_of(report(model::Outcome::failed), previous, teller());
    CHECK(failed->kind == AlertKind::run_failed);
    CHECK(failed->severity == Severity::critical);
    CHECK(failed->title == "shop failed");
    CHECK(failed->message == "the disk is full");
    CHECK(failed->hint == "make room");
    CHECK_FALSE(failed->bytes);
    CHECK(alert_of(report(model::Outcome::interrupted), {}, teller())->severity == Severity::warning);
    for (const auto none : {model::Outcome::running, model::Outcome::skipped, model::Outcome::cancelled})
        CHECK_FALSE(alert_of(report(none), {}, teller()));
    CHECK(alert_of_start("shop", "R", teller()).alert.kind == AlertKind::run_started);
}

TEST_CASE("a job that fails is told of once, and once when it is well again") {
    const auto failed = report(model::Outcome::failed);
    const auto finding = holds(FindingKind::run_failed, "shop", Severity::critical);
    const auto first = reconcile({}, {finding}, now);
    CHECK(told(alerts_after_run(failed, {}, first, teller())) ==
          Texts{"critical run_failed shop failed: the disk is full"});
    // The next failure is for those who hear of each run, until a day has gone by.
    const auto second = reconcile(first.all(), {finding}, now + 1h);
    CHECK(told(alerts_after_run(failed, {}, second, teller(now + 1h))) ==
          Texts{"info run_failed shop failed: the disk is full"});
    const auto third = reconcile(second.all(), {finding}, now + 24h);
    CHECK(told(alerts_after_run(failed, {}, third, teller(now + 24h))) ==
          Texts{"critical run_failed shop failed: the disk is full"});
    const auto well = reconcile(third.all(), {}, now + 25h);
    CHECK(told(alerts_after_run(report(model::Outcome::success), {}, well, teller(now + 25h))) ==
          Texts{"info run_succeeded shop succeeded again: 1.00 KiB in 1 min 5 s"});
    CHECK(told(alerts_after_run(report(model::Outcome::success), {}, reconcile({}, {}, now), teller())) ==
          Texts{"info run_succeeded shop succeeded: 1.00 KiB in 1 min 5 s"});
}

TEST_CASE("what else a run has shown is told with it") {
    const auto changes = reconcile({open(FindingKind::too_old, "shop", "local")},
                                   {holds(FindingKind::copy_owed, "shop", Severity::warning, "r2")}, now);
    CHECK(told(alerts_after_run(report(model::Outcome::warning), {}, changes, teller())) ==
          Texts{"info run_succeeded shop succeeded, but not all of it: 1.00 KiB in 1 min 5 s",
                "warning finding_opened shop: copies are owed to r2: as it is",
                "was finding_closed recovered: shop: no recent good set in the repository: it is well again, after "
                "5 h; it was: as it was"});
    CHECK(told(alerts_after_run(report(model::Outcome::cancelled), {}, changes, teller())).size() == 2);
}

TEST_CASE("a run that is told of late does not speak for those that came behind it") {
    // Both ended before anybody was told, the first well, the second not; and the other way round.
    const auto failure = holds(FindingKind::run_failed, "shop", Severity::critical);
    const auto newer_failed = reconcile({}, {failure}, now);
    CHECK(told(alerts_after_run(report(model::Outcome::success), {}, newer_failed, teller())) ==
          Texts{"info run_succeeded shop succeeded: 1.00 KiB in 1 min 5 s",
                "critical finding_opened shop failed: as it is"});
    const auto newer_succeeded = reconcile({open(FindingKind::run_failed, "shop")}, {}, now);
    CHECK(told(alerts_after_run(report(model::Outcome::failed), {}, newer_succeeded, teller())) ==
          Texts{"info run_failed shop failed: the disk is full",
                "was finding_closed recovered: shop failed: it is well again, after 5 h; it was: as it was"});
}

TEST_CASE("a job that is gone has no findings, so its failure speaks for itself") {
    CHECK(told(alerts_after_run(report(model::Outcome::failed), {}, {}, teller(), JobIs::gone)) ==
          Texts{"critical run_failed shop failed: the disk is full"});
    CHECK(told(alerts_after_run(report(model::Outcome::success), {}, {}, teller(), JobIs::gone)) ==
          Texts{"info run_succeeded shop succeeded: 1.00 KiB in 1 min 5 s"});
}

TEST_CASE("what nobody looks at any more is not well again") {
    struct Row {
        Finding finding;
        std::string why;  // empty: it is well again
    };
    auto job = well_job("shop");
    auto any_age = well_job("logs");
    any_age.max_age.reset();
    auto inputs = inputs_of({job, any_age});
    inputs.channels = {{"ops", 0, {}, 0, ""}};
    inputs.directories.resize(1);
    inputs.directories[0].path = "/srv";
    inputs.rooms = {{.target = "nas", .place = {}}, {.target = "bucket", .place = {}, .answered = true}};
    const std::string gone = "the configuration has no job crm any more";
    for (const auto& row : std::vector<Row>{
             {open(FindingKind::too_old, "shop", "local"), ""},
             {open(FindingKind::run_failed, "shop"), ""},
             {open(FindingKind::run_failed, "crm"), gone},
             {open(FindingKind::too_old, "crm", "local"), gone},
             {open(FindingKind::copy_owed, "shop", "r2"), ""},
             {open(FindingKind::copy_owed, "shop", "nas"), "shop keeps no sets on nas any more"},
             {open(FindingKind::corrupt, "shop", "nas"), "shop keeps no sets on nas any more"},
             {open(FindingKind::size_changed, "shop"), ""},
             {open(FindingKind::too_old, "logs", "r2"), "sets of logs may be of any age now"},
             {open(FindingKind::channel_failing, "", "ops"), ""},
             {open(FindingKind::channel_failing, "", "mail"), "the configuration has no channel mail any more"},
             {open(FindingKind::disk_usage, "", "/srv"), ""},
             {open(FindingKind::free_space, "", "/mnt"), "nothing is written to /mnt any more"},
             {open(FindingKind::free_space, "", "nas"), ""},
             {open(FindingKind::disk_usage, "", "old-nas"), "nothing is written to old-nas any more"},
             {open(FindingKind::disk_usage, "", "bucket"), "bucket does not tell how much room it has"},
             {open(FindingKind::reload_refused, ""), ""},
         }) {
        inputs.open = {row.finding};
        const auto changes = reconcile(inputs, {});
        INFO(text(row.finding));
        CHECK(changes.closed.size() == (row.why.empty() ? 1 : 0));
        REQUIRE(changes.dropped.size() == (row.why.empty() ? 0 : 1));
        CHECK(changes.all().size() == 1);
        CHECK(changes.all()[0].closed_at == now);
        if (!row.why.empty()) CHECK(changes.dropped[0].why == row.why);
    }
    inputs.open = {open(FindingKind::run_failed, "crm")};
    const auto alerts = alerts_of(reconcile(inputs, {}), teller());
    CHECK(told(alerts) == Texts{"was finding_closed no longer looked at: crm failed: the configuration has no job crm "
                                "any more; it was, for 5 h: as it was"});
}

}  // namespace pgbakd::health
