#include "holdings/begin_set.hpp"

#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using holdings::Goes;

namespace {

const std::string second = "20260113_000001";

struct House {
    Place place;
    support::TemporaryDirectory directory;
    base::Timestamp now = at("2026-01-13T00:00:01Z");
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", now);

    std::string begin(Goes goes, const std::string& name = second) {
        return holdings::begin_set(place.repository, *catalog, "shop", name, goes, now).id.set;
    }
    // A start after a kill: nothing of what was being made is left here.
    void start_again() {
        (void)place.repository.sweep();
        catalog.reset();
        catalog = catalog::Catalog::open(directory / "state.db", now);
    }
};

}  // namespace

TEST_CASE("a run does not get the name of one that was killed in the same second, and that targets may know") {
    House house;
    CHECK(house.begin(Goes::to_targets) == second);
    house.start_again();
    CHECK(house.begin(Goes::to_targets) == second + "-2");
    house.start_again();
    CHECK(house.begin(Goes::to_targets) == second + "-3");
    CHECK(house.begin(Goes::to_targets, "20260113_000002") == "20260113_000002");
}

TEST_CASE("a name that a copy bears is taken") {
    House house;
    catalog::Copy copy;
    copy.target = "ceph";
    copy.id = {"shop", second};
    house.catalog->put_copy(copy);
    CHECK(house.begin(Goes::to_targets) == second + "-2");
}

TEST_CASE("of a set that goes nowhere nothing is left behind a kill, and its name is free") {
    House house;
    CHECK(house.begin(Goes::nowhere) == second);
    house.start_again();
    CHECK(house.begin(Goes::nowhere) == second);
}

TEST_CASE("where a name cannot be noted nothing is begun") {
    House house;
    house.catalog = catalog::Catalog::open_for_reading(house.directory / "state.db");
    CHECK_THROWS_AS(house.begin(Goes::to_targets), base::Error);
    CHECK(std::filesystem::is_empty(house.place / "shop"));
}

TEST_CASE("names are noted for a week") {
    House house;
    CHECK(house.begin(Goes::to_targets) == second);
    house.start_again();
    house.now += std::chrono::hours(6 * 24);
    CHECK(house.begin(Goes::to_targets, "20260119_000001") == "20260119_000001");
    CHECK(house.catalog->noted_set_names("shop").size() == 2);
    house.now += std::chrono::hours(2 * 24);
    CHECK(house.begin(Goes::to_targets, "20260121_000001") == "20260121_000001");
    CHECK(house.catalog->noted_set_names("shop") == std::vector<std::string>{"20260119_000001", "20260121_000001"});
    CHECK(house.catalog->noted_set_names("crm").empty());
}
