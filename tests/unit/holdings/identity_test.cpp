#include "holdings/identity.hpp"

#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using holdings::Whose;

namespace {

struct House {
    Place place;
    support::TemporaryDirectory directory;
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", today);

    void start(const std::string& fresh = "FRESH") { holdings::become_acquainted(place.repository, *catalog, fresh); }
    [[nodiscard]] Whose whose() { return holdings::identify(place.repository, *catalog).whose; }
    [[nodiscard]] Whose whose(const std::string& job) {
        return holdings::identify(place.repository, *catalog, job).whose;
    }
    // A set, and its run in the catalog.
    model::SetId known_set(const std::string& job = "shop") {
        auto id = add_set(place.repository, job, "2026-01-13T00:00:01Z");
        (void)catalog->add_runs({place.repository.find(id).manifest});
        return id;
    }
    void owe(const model::SetId& id) {
        catalog::Copy copy;
        copy.target = "r2";
        copy.id = id;
        copy.owed = true;
        catalog->put_copy(copy);
    }
    // Another file system in its place, or none.
    void swap(const std::string& id = {}) {
        std::filesystem::rename(place.repository.directory(), directory / "away");
        std::filesystem::create_directory(place.repository.directory());
        if (!id.empty()) write(place / ".repository-id", "pgbakd-repository " + id + "\n");
    }
};

}  // namespace

TEST_CASE("a new repository and a new catalog get one id, and keep it") {
    House house;
    CHECK(house.whose() == Whose::unknown);
    house.start();
    CHECK(house.catalog->repository_id() == "FRESH");
    CHECK(contents(house.place / ".repository-id") == "pgbakd-repository FRESH\n");
    CHECK(house.whose() == Whose::ours);
    house.start("ANOTHER");
    CHECK(house.place.repository.identity() == "FRESH");
    // It disturbs nothing.
    const auto id = house.known_set();
    CHECK(house.whose("shop") == Whose::ours);
    CHECK(house.whose("crm") == Whose::ours);  // nothing of it is here
    CHECK(house.place.repository.ids() == std::vector{id});
    CHECK(house.place.repository.sets().size() == 1);
    CHECK(house.place.repository.sweep().empty());
    CHECK(house.place.repository.identity("shop") == "FRESH");
}

TEST_CASE("a catalog that was lost takes the id that the repository has") {
    House house;
    house.start();
    house.known_set();
    house.catalog.reset();
    std::filesystem::remove(house.directory / "state.db");
    house.catalog = catalog::Catalog::open(house.directory / "state.db", today);
    house.start("ANOTHER");
    CHECK(house.catalog->repository_id() == "FRESH");
    CHECK(house.whose("shop") == Whose::ours);
}

TEST_CASE("a repository from before there were ids gets one where it is plainly the catalog's") {
    House house;
    const auto id = house.known_set();
    SECTION("it has a set that the catalog knows") {
        house.start();
        CHECK(house.whose() == Whose::ours);
        CHECK(house.whose("shop") == Whose::ours);
    }
    SECTION("and all whose copies are owed") {
        house.owe(id);
        house.start();
        CHECK(house.whose("shop") == Whose::ours);
    }
    SECTION("but not where one of those is away") {
        house.owe({"shop", "20260112_000001"});
        house.start();
        CHECK(house.whose() == Whose::unknown);
        CHECK_FALSE(std::filesystem::exists(house.place / ".repository-id"));
    }
    SECTION("nor where it has none that the catalog knows, as an empty mount point") {
        house.swap();
        house.start();
        CHECK(house.whose() == Whose::unknown);
        add_set(house.place.repository, "shop", "2026-01-14T00:00:01Z");
        house.start();
        CHECK(house.whose() == Whose::unknown);
    }
}

TEST_CASE("another repository, one without an id, and an unreadable id are not the catalog's") {
    House house;
    house.start();
    house.known_set();
    std::string text;
    SECTION("not mounted") {
        house.swap();
        text = " has no id, and is not what the state file is about";
    }
    SECTION("another") {
        house.swap("THEIRS");
        text = " is another one than what the state file is about";
    }
    SECTION("damaged") {
        write(house.place / ".repository-id", "pgbakd-repository ../FRESH\n");
        text = " has no id, and is not what the state file is about";
    }
    SECTION("a directory in its place") {
        std::filesystem::remove(house.place / ".repository-id");
        std::filesystem::create_directory(house.place / ".repository-id");
        text = " has no id, and is not what the state file is about";
    }
    const auto found = holdings::identify(house.place.repository, *house.catalog, "shop");
    CHECK(found.whose == Whose::another);
    const auto root = house.place.repository.directory().native();
    CHECK(found.what == root + text);
    CHECK(found.hint.find("findmnt --target " + root) != std::string::npos);
    CHECK(found.hint.ends_with("pgbakctl rescan"));
    house.start("ANOTHER");
    CHECK(house.whose() == Whose::another);  // no start makes it ours
}

TEST_CASE("a job's directory may be a file system of its own") {
    House house;
    house.start();
    house.known_set();
    SECTION("that is not mounted") {
        std::filesystem::remove_all(house.place / "shop");
        std::filesystem::create_directory(house.place / "shop");
        CHECK(house.whose("shop") == Whose::unknown);
        // Runs go on into the mount point.
        add_set(house.place.repository, "shop", "2026-01-14T00:00:01Z");
        CHECK(house.whose("shop") == Whose::unknown);
    }
    SECTION("that is another's") {
        write(house.place / "shop/.repository-id", "pgbakd-repository THEIRS\n");
        CHECK(house.whose("shop") == Whose::another);
        CHECK(holdings::identify(house.place.repository, *house.catalog, "shop").what ==
              (house.place / "shop").native() + " is another one than what the state file is about");
    }
    CHECK(house.whose() == Whose::ours);
}

TEST_CASE("an administrator says that the catalog is about this repository from now on") {
    House house;
    house.start();
    house.known_set();
    std::string expected;
    SECTION("its id was lost") {
        std::filesystem::remove(house.place / ".repository-id");
        std::filesystem::remove(house.place / "shop/.repository-id");
        expected = "FRESH";
    }
    SECTION("it has another") {
        house.swap("THEIRS");
        add_set(house.place.repository, "shop", "2026-01-14T00:00:01Z");
        write(house.place / "shop/.repository-id", "pgbakd-repository FRESH\n");
        expected = "THEIRS";
    }
    holdings::take_over(house.place.repository, *house.catalog, "NEW");
    CHECK(house.catalog->repository_id() == expected);
    CHECK(house.place.repository.identity() == expected);
    CHECK(house.whose("shop") == Whose::ours);
}

TEST_CASE("new ids are ids, and differ") {
    std::uint64_t number = 0;
    const auto random = [&number] { return ++number; };
    const auto first = holdings::new_identity(today, random);
    const auto second = holdings::new_identity(today, random);
    CHECK(first != second);
    CHECK(base::RunId::parse(first));
}
