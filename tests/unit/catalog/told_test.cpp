// Who has heard of what is wrong.
#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using catalog::Catalog;
using model::AlertKind;
using model::FindingKind;

namespace {

using Names = std::vector<std::string>;

const model::FindingKey key{FindingKind::too_old, "shop", "local"};

model::Finding wrong(base::Timestamp closed_at = {}) {
    model::Finding result;
    result.key = key;
    result.message = "it is wrong";
    result.opened_at = today;
    result.closed_at = closed_at;
    return result;
}

model::Alert told(const std::string& id, AlertKind kind = AlertKind::finding_opened) {
    model::Alert result;
    result.id = id;
    result.kind = kind;
    result.at = today;
    result.job = key.job;
    result.place = key.place;
    result.finding = model::finding_text(key.kind);
    result.title = "shop: no recent good set";
    result.message = "it is wrong";
    return result;
}

Names heard(Catalog& catalog) {
    const auto open = catalog.told_findings();
    return open.empty() ? Names{} : open.front().told_to;
}

Names waiting(Catalog& catalog, const std::string& channel) {
    Names ids;
    for (const auto& each : catalog.waiting_alerts(channel, 100)) ids.push_back(each.alert.id);
    return ids;
}

}  // namespace

TEST_CASE("a channel has heard of a finding when it has taken an alert of it, and will have while one waits") {
    Place place;
    auto& catalog = *place.catalog;
    catalog.apply_findings({wrong()}, {{"mail", told("1")}, {"ops", told("1")}, {"night", told("1")}}, today);
    CHECK(heard(catalog) == Names{"mail", "ops", "night"});
    CHECK(catalog.told_findings("shop").front().told_to.size() == 3);
    CHECK(catalog.open_findings("shop").front().told_to.empty());
    catalog.alerts_delivered("ops", {"1"});
    catalog.alerts_delivered("ops", {"1"});
    // Whoever looked before that does not make it unheard.
    catalog.apply_findings({wrong()}, {}, today);
    catalog.alerts_lost("night", {"1"}, today, "status 400");
    place.reopen();
    CHECK(heard(*place.catalog) == Names{"ops", "mail"});
    // A channel that is taken out loses what waited for it, and is new when it comes back.
    (void)place.catalog->keep_channels({"ops", "night"});
    CHECK(heard(*place.catalog) == Names{"ops"});
    // What was heard once stays heard, though a reminder of it is lost.
    place.catalog->apply_findings({wrong()}, {{"ops", told("2", AlertKind::finding_reminded)}}, today);
    place.catalog->alerts_lost("ops", {"2"}, today, "status 400");
    CHECK(heard(*place.catalog) == Names{"ops"});
}

TEST_CASE("a run's own alert tells of the finding that it failed") {
    const Place place;
    auto failed = wrong();
    failed.key = {FindingKind::run_failed, "shop", {}};
    auto alert = told("1", AlertKind::run_failed);
    alert.finding = "run_failed";
    alert.place.clear();
    place.catalog->apply_findings({failed}, {{"ops", alert}}, today);
    place.catalog->alerts_delivered("ops", {"1"});
    CHECK(heard(*place.catalog) == Names{"ops"});
}

TEST_CASE("what was told of an earlier time tells nothing of this one") {
    const Place place;
    auto& catalog = *place.catalog;
    catalog.apply_findings({wrong()}, {{"ops", told("1")}, {"mail", told("1")}}, today);
    catalog.apply_findings({wrong(today + 1h)}, {{"ops", told("2", AlertKind::finding_closed)}}, today);
    catalog.apply_findings({wrong()}, {}, today);
    CHECK(heard(catalog) == Names{"mail"});  // of which nothing says that it is over
    catalog.alerts_delivered("ops", {"1"});
    CHECK(heard(catalog) == Names{"mail"});
    catalog.queue_alerts({{"ops", told("3", AlertKind::finding_reminded)}}, today);
    catalog.alerts_delivered("ops", {"2", "3"});
    CHECK(heard(catalog) == Names{"ops", "mail"});
}

TEST_CASE("of what it has not heard a channel does not hear the end either") {
    const Place place;
    auto& catalog = *place.catalog;
    catalog.apply_findings({wrong()}, {{"ops", told("1")}}, today);
    catalog.apply_findings({wrong(today + 1h)}, {{"ops", told("2", AlertKind::finding_closed)}}, today);
    catalog.apply_findings({wrong()}, {{"ops", told("3")}}, today);
    catalog.apply_findings({wrong(today + 2h)}, {{"ops", told("4", AlertKind::finding_closed)}}, today);
    catalog.alerts_lost("ops", {"1"}, today, "not delivered within 7 days");
    CHECK(waiting(catalog, "ops") == Names{"3", "4"});
    // Of what it has heard it does, whatever is lost besides.
    const Place other;
    auto& second = *other.catalog;
    second.apply_findings({wrong()}, {{"ops", told("1")}}, today);
    second.alerts_delivered("ops", {"1"});
    second.apply_findings({wrong()}, {{"ops", told("2", AlertKind::finding_reminded)}}, today);
    second.apply_findings({wrong(today + 1h)}, {{"ops", told("3", AlertKind::finding_closed)}}, today);
    second.alerts_lost("ops", {"2"}, today, "status 400");
    CHECK(waiting(second, "ops") == Names{"3"});
}

TEST_CASE("an alert waits on for recipients who are to have it later, since it was told first") {
    const Place place;
    auto& catalog = *place.catalog;
    catalog.queue_alerts({{"mail", told("1")}, {"mail", told("2")}}, today);
    catalog.alerts_delivered("mail", {"1"}, {{"mail b@example.com", today + 1min, "b@example.com: 450"}});
    CHECK(waiting(catalog, "mail") == Names{"2"});
    REQUIRE(waiting(catalog, "mail b@example.com") == Names{"1"});
    const auto later = catalog.waiting_alerts("mail b@example.com", 1).front();
    CHECK(later.alert == told("1"));
    CHECK(later.created_at == today);
    CHECK(later.attempts == 1);
    CHECK(later.next_attempt == today + 1min);
    CHECK(later.message == "b@example.com: 450");
    // Given up, it is noted with the channel that people know.
    catalog.alerts_lost("mail b@example.com", {"1"}, today, "450", "mail");
    REQUIRE(catalog.channel_states().size() == 1);
    CHECK(catalog.channel_states().front().channel == "mail");
    CHECK(waiting(catalog, "mail b@example.com").empty());
}
