#include "holdings/corruption.hpp"

#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;

namespace {

const base::Timestamp now = at("2026-01-20T00:00:00Z");

struct House {
    Place place;
    support::TemporaryDirectory directory;
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", now);
    model::SetId id = add_set(place.repository, "shop", "2026-01-13T00:00:01Z");
    void mark() { holdings::mark_corrupt(place.repository, *catalog, id, now, "shop.sql is cut off"); }
    [[nodiscard]] std::optional<std::string> found() {
        return holdings::found_corrupt(place.repository.find(id), *catalog);
    }
    void make_catalog_read_only() { catalog = catalog::Catalog::open_for_reading(directory / "state.db"); }
};

}  // namespace

TEST_CASE("a corrupt set is known by its mark and by the catalog, and by either alone") {
    House house;
    CHECK_FALSE(house.found());
    house.mark();
    CHECK(house.found() == "shop.sql is cut off");
    CHECK(house.place.repository.find(house.id).corrupt->found_at == now);
    REQUIRE(house.catalog->corrupt_sets().size() == 1);
    SECTION("the mark alone") {
        house.catalog->forget_set(house.id);
    }
    SECTION("the catalog alone") {
        house.place.repository.mark_corrupt(house.id, std::nullopt);
    }
    CHECK(house.found() == "shop.sql is cut off");
}

TEST_CASE("a finding is noted in one place where the other cannot have it, and that is told") {
    House house;
    SECTION("with the set") {
        house.make_catalog_read_only();
        const auto error = error_of([&] { house.mark(); });
        CHECK(error.message().find("state.db") != std::string::npos);
        CHECK(house.place.repository.find(house.id).corrupt->message == "shop.sql is cut off");
    }
    SECTION("in the catalog") {
        // A directory in the mark's place, that is not empty.
        const auto set = house.place / house.id.job / house.id.set;
        std::filesystem::create_directories(set / "corrupt" / "x");
        const auto error = error_of([&] { house.mark(); });
        CHECK(error.message().find("corrupt") != std::string::npos);
        REQUIRE(house.catalog->corrupt_sets().size() == 1);
        CHECK(house.catalog->corrupt_sets().front().message == "shop.sql is cut off");
    }
    SECTION("in neither: both are told") {
        house.make_catalog_read_only();
        const auto set = house.place / house.id.job / house.id.set;
        std::filesystem::create_directories(set / "corrupt" / "x");
        const auto error = error_of([&] { house.mark(); });
        CHECK(error.message().find("state.db") != std::string::npos);
        CHECK(error.message().find(set.native()) != std::string::npos);
    }
}

TEST_CASE("what the catalog alone knew is left with the set") {
    House house;
    house.catalog->put_set_state({house.id, model::Verification::none, now, true, "cut off"});
    house.catalog->put_set_state({{"shop", "20250101_000000"}, model::Verification::none, now, true, "is gone"});
    CHECK(holdings::keep_findings(house.place.repository, *house.catalog).marked == std::vector{house.id});
    CHECK(house.place.repository.find(house.id).corrupt->message == "cut off");
    const auto again = holdings::keep_findings(house.place.repository, *house.catalog);
    CHECK(again.marked.empty());
    CHECK(again.failures.empty());
}
