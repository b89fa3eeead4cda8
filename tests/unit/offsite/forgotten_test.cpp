#include "offsite/forgotten.hpp"

#include <fmt/format.h>

#include "offsite/backlog.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;

namespace {

using Texts = std::vector<std::string>;

// Days of January 2026; today is the first of February.
std::string day(int number) {
    return fmt::format("2026-01-{:02}T00:00:00Z", number);
}

struct House {
    Place place;
    offsite::BothPlaces places;
    model::RetentionPolicy policy;

    model::SetId here(int number, bool complete = true) {
        auto id = add_set(place.repository, "shop", day(number), complete);
        look();
        return id;
    }
    void look() { places.here = place.repository.sets("shop"); }
    void there(int number) {
        retention::Candidate candidate;
        candidate.started_at = at(day(number));
        candidate.id = {"shop", model::set_name(base::to_instant(candidate.started_at), *calendar::Zone::utc())};
        places.there.push_back(candidate);
    }
    Texts owed() {
        Texts result;
        for (const auto& copy : offsite::forgotten_copies("r2", places, policy, today, *calendar::Zone::utc())) {
            CHECK(copy.target == "r2");
            CHECK(copy.owed);
            CHECK_FALSE(copy.begun);
            CHECK(copy.next_attempt == today);
            result.push_back(copy.id.set.substr(6, 2));
        }
        return result;
    }
};

}  // namespace

TEST_CASE("what a target lacks is owed, the oldest first, as far as its retention would keep it") {
    House house;
    for (const int number : {10, 20, 28, 29, 30}) house.here(number);
    house.there(28);
    house.policy.at_least = 1;
    struct Row {
        std::function<void(model::RetentionPolicy&)> rule;
        Texts owed;
    };
    for (const auto& row :
         {Row{[](auto& policy) { policy.last = 2; }, {"29", "30"}},
          Row{[](auto& policy) { policy.days = 5; }, {"29", "30"}},
          Row{[](auto& policy) { policy.days = 15; }, {"20", "29", "30"}},
          // Those of the weeks that end with the 11th, the 25th and the 1st.
          Row{[](auto& policy) { policy.weekly = 2; }, {"20", "30"}}, Row{[](auto&) {}, {"10", "20", "29", "30"}}}) {
        house.policy = {};
        house.policy.at_least = 1;
        row.rule(house.policy);
        CHECK(house.owed() == row.owed);
    }
}

TEST_CASE("what retention has deleted over there is not sent once more") {
    House house;
    for (const int number : {1, 2, 3, 4, 5}) house.here(number);
    house.policy.last = 2;
    house.policy.at_least = 1;
    house.there(4);
    house.there(5);
    CHECK(house.owed().empty());
    // Nor what nobody can read there.
    House other;
    other.here(5);
    other.there(5);
    other.places.there.back().complete = false;
    CHECK(other.owed().empty());
}

TEST_CASE("what is not good is not owed; what is pinned or a milestone is") {
    House house;
    house.policy.last = 1;
    house.policy.at_least = 1;
    const auto pinned = house.here(1);
    house.here(2);
    const auto marked = house.here(3);
    const auto known = house.here(4);
    const auto broken = house.here(5);
    house.here(6, false);
    house.there(7);
    house.place.repository.pin(pinned, true);
    house.place.repository.mark_corrupt(marked, repository::Corruption{today, "cut off"});
    house.places.known_here.push_back({known, model::Verification::none, today, true, "cut off"});
    std::filesystem::remove(house.place / "shop" / broken.set / ("shop_" + broken.set + ".sql.gz"));
    house.look();
    CHECK(house.owed() == Texts{"01"});
    house.policy.last = 9;
    CHECK(house.owed() == Texts{"01", "02"});
}

TEST_CASE("of a target that cannot be asked nothing is proved but what the catalog knows to be there, or owed") {
    const support::TemporaryDirectory directory;
    const auto catalog = catalog::Catalog::open(directory / "state.db", today);
    House house;
    model::SetId sent;
    for (const int number : {1, 20, 28, 29, 30}) sent = house.here(number);
    house.here(31, false);
    auto job = job_spec("shop", {"r2"});
    job.target_retention["r2"].days = 15;
    job.target_retention["r2"].at_least = 1;
    const auto unproven = [&](catalog::Catalog* known) {
        Texts result;
        for (const auto& id : offsite::unproven_copies("r2", house.place.repository, known, job, today))
            result.push_back(id.set.substr(6, 2));
        return result;
    };
    CHECK(unproven(nullptr) == Texts{"20", "28", "29", "30"});
    CHECK(unproven(catalog.get()) == Texts{"20", "28", "29", "30"});
    auto copy = offsite::owed_copy("r2", house.place.repository.find(sent).manifest, today);
    catalog->put_copy(copy);
    CHECK(unproven(catalog.get()) == Texts{"20", "28", "29"});
    copy.owed = false;
    catalog->put_copy(copy);
    CHECK(unproven(catalog.get()) == Texts{"20", "28", "29"});
    copy.host = "db2";  // another host's is no proof
    catalog->put_copy(copy);
    copy.target = "nas";
    copy.host.clear();
    catalog->put_copy(copy);
    CHECK(unproven(catalog.get()) == Texts{"20", "28", "29", "30"});
}
