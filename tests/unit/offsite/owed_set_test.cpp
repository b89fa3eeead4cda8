#include "offsite/owed_set.hpp"

#include "holdings/identity.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;

namespace {

struct House {
    Bench bench;
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(bench.directory / "state.db", today);
    model::SetId id = bench.add_set("2026-01-13T00:00:01Z");
    [[nodiscard]] std::filesystem::path directory() const { return bench.place / id.job / id.set; }
    offsite::OwedSet look() { return offsite::find_owed_set(bench.place.repository, *catalog, id); }
};

}  // namespace

TEST_CASE("a good set can be sent") {
    House house;
    const auto found = house.look();
    REQUIRE(found.set);
    CHECK(found.set->manifest.id == house.id);
    CHECK_FALSE(found.held);
}

TEST_CASE("a set that was found corrupt is held, by its mark and by the catalog's word") {
    House house;
    SECTION("marked") {
        house.bench.place.repository.mark_corrupt(house.id, repository::Corruption{today, "shop.sql is cut off"});
    }
    SECTION("in the catalog alone") {
        house.catalog->put_set_state({house.id, model::Verification::none, today, true, "shop.sql is cut off"});
    }
    const auto found = house.look();
    CHECK_FALSE(found.set);
    REQUIRE(found.held);
    CHECK(found.held->code() == ErrorCode::corrupt);
    CHECK(found.held->message() == "the local set was found corrupt, and is not sent: shop.sql is cut off");
    CHECK(found.held->hint() == "pgbakctl verify shop/20260113_000001");
}

TEST_CASE("a set that cannot be read or lacks an artifact is held") {
    House house;
    SECTION("its manifest is away for a moment") {
        std::filesystem::rename(house.directory() / "manifest.json", house.directory() / "m");
        CHECK(house.look().held->message() == house.directory().native() + " holds no manifest");
    }
    SECTION("its manifest is none") {
        write(house.directory() / "manifest.json", "x");
    }
    SECTION("an artifact is away") {
        std::filesystem::remove(house.directory() / "globals_20260113_000001.sql.gz");
        CHECK(house.look().held->message() == "globals_20260113_000001.sql.gz is missing");
    }
    CHECK_FALSE(house.look().set);
    CHECK(house.look().held);
}

TEST_CASE("a set that is not there is gone only where the repository is plainly in use") {
    House house;
    std::filesystem::remove_all(house.directory());
    SECTION("it is") {
        house.bench.add_set("2026-01-12T00:00:01Z", "crm");
        const auto found = house.look();
        CHECK_FALSE(found.set);
        CHECK_FALSE(found.held);
    }
    SECTION("its file system is not mounted, and a run has left its set in the mount point") {
        house.bench.add_set("2026-01-14T00:00:01Z");
        const auto found = house.look();
        CHECK_FALSE(found.set);
        REQUIRE(found.held);
        CHECK(found.held->message().ends_with("holds no set that is as old as this one"));
    }
    SECTION("nothing is there, as where it is not mounted") {
        std::filesystem::remove_all(house.bench.place / "shop");
        const auto found = house.look();
        REQUIRE(found.held);
        const auto root = house.bench.place.repository.directory().native();
        CHECK(found.held->message() == "the repository " + root + " holds no set at all");
        CHECK(found.held->hint().find("findmnt --target " + root) != std::string::npos);
    }
    SECTION("not even its directory") {
        std::filesystem::remove_all(house.bench.place.repository.directory());
        CHECK(house.look().held);
    }
}

TEST_CASE("half of a set is of use where the copy that began it is owed, and its set may be sent yet") {
    House house;
    catalog::Copy copy;
    copy.target = "r2";
    copy.id = house.id;
    copy.owed = true;
    copy.begun = true;
    const auto of_use = [&](const std::string& target = "r2") {
        return offsite::is_half_of_use(house.bench.place.repository, *house.catalog, target, house.id);
    };
    CHECK_FALSE(of_use());
    house.catalog->put_copy(copy);
    CHECK(of_use());
    CHECK_FALSE(of_use("nas"));
    SECTION("another's, or one whose beginning was forgotten") {
        copy.begun = false;
        house.catalog->put_copy(copy);
        CHECK_FALSE(of_use());
    }
    SECTION("its set is away for a moment") {
        std::filesystem::remove_all(house.directory());
        CHECK(of_use());
    }
    SECTION("its set is marked as corrupt") {
        house.bench.place.repository.mark_corrupt(house.id, repository::Corruption{today, "cut off"});
        CHECK_FALSE(of_use());
    }
    SECTION("the catalog alone knows that it is corrupt") {
        house.catalog->put_set_state({house.id, model::Verification::none, today, true, "cut off"});
        CHECK_FALSE(of_use());
    }
}

TEST_CASE("where the repository is known to be the one that the catalog is about, what is gone is gone") {
    House house;
    holdings::take_over(house.bench.place.repository, *house.catalog, "OURS");
    const auto job = house.bench.place / "shop";
    SECTION("the set alone, and no older one is there") {
        house.bench.add_set("2026-01-14T00:00:01Z");
        std::filesystem::remove_all(house.directory());
    }
    SECTION("the only set of all") {
        std::filesystem::remove_all(house.directory());
    }
    SECTION("the job's directory with it") {
        std::filesystem::remove_all(job);
    }
    const auto found = house.look();
    CHECK_FALSE(found.set);
    CHECK_FALSE(found.held);
}

TEST_CASE("in a repository that the catalog is not about nothing is gone, whatever it holds") {
    House house;
    holdings::take_over(house.bench.place.repository, *house.catalog, "OURS");
    std::filesystem::remove_all(house.directory());
    house.bench.add_set("2026-01-12T00:00:01Z");  // an older one
    const auto root = house.bench.place.repository.directory();
    SECTION("it is another one") {
        write(root / ".repository-id", "pgbakd-repository THEIRS\n");
    }
    SECTION("it has no id") {
        std::filesystem::remove(root / ".repository-id");
    }
    SECTION("the job's is another one") {
        write(root / "shop/.repository-id", "pgbakd-repository THEIRS\n");
    }
    const auto found = house.look();
    CHECK_FALSE(found.set);
    REQUIRE(found.held);
    CHECK(found.held->message().starts_with("the set is not there, and " + root.native()));
    CHECK(found.held->hint().ends_with("pgbakctl rescan"));
}
