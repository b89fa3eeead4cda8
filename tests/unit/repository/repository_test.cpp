#include <sys/mount.h>

#include <iostream>

#include "repository/repository.hpp"

#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;

namespace {

std::vector<std::string> ids(const std::vector<repository::StoredSet>& sets) {
    std::vector<std::string> result;
    for (const auto& set : sets) result.push_back(set.manifest.id.text());
    return result;
}

}  // namespace

TEST_CASE("prepare makes a directory for us alone, and refuses one that everybody can write to") {
    const Place place;
    struct stat found {};
    REQUIRE(::stat(place.repository.directory().c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0700);
    place.repository.prepare();

    ::chmod(place.repository.directory().c_str(), 0777);
    const auto error = error_of([&] { place.repository.prepare(); });
    CHECK(error.code() == ErrorCode::permission_denied);
    CHECK(error.hint() == "chmod 0700 " + place.repository.directory().native());

    write(place.directory / "file", "");
    CHECK(error_of([&] { repository::Repository(place.directory / "file").prepare(); }).code() == ErrorCode::conflict);
}

TEST_CASE("a committed set lies as documented and can be checked with sha256sum") {
    const Place place;
    const auto id = add_set(place.repository, "shop-daily", "2026-01-13T00:00:01Z");
    CHECK(id.text() == "shop-daily/20260113_000001");
    const auto directory = place / "shop-daily/20260113_000001";
    CHECK(os::list_directory(place / "shop-daily") == std::vector<std::string>{"20260113_000001"});
    CHECK(os::list_directory(directory) == std::vector<std::string>{"globals_20260113_000001.sql.gz",
                                                                    "globals_20260113_000001.sql.gz.sha256",
                                                                    "manifest.json", "shop_20260113_000001.sql.gz",
                                                                    "shop_20260113_000001.sql.gz.sha256"});
    const auto file = contents(directory / "shop_20260113_000001.sql.gz");
    CHECK(contents(directory / "shop_20260113_000001.sql.gz.sha256") ==
          codec::sha256_hex(bytes_of(file)) + "  shop_20260113_000001.sql.gz\n");
    for (const auto& name : os::list_directory(directory))
        CHECK((os::file_status(directory / name)->mode & 07777U) == 0600);
    CHECK((os::file_status(directory)->mode & 07777U) == 0700);

    const auto set = place.repository.find(id);
    CHECK(set.problem.empty());
    CHECK(set.directory == directory);
    CHECK(set.manifest.artifacts.size() == 2);
}

TEST_CASE("sets come newest first, of one job or of all") {
    const Place place;
    CHECK(place.repository.sets().empty());
    add_set(place.repository, "b", "2026-01-13T00:00:01Z");
    add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    add_set(place.repository, "a", "2026-01-12T00:00:01Z", false);
    CHECK(ids(place.repository.sets()) ==
          std::vector<std::string>{"a/20260114_000001", "b/20260113_000001", "a/20260112_000001"});
    CHECK(ids(place.repository.sets("a")) == std::vector<std::string>{"a/20260114_000001", "a/20260112_000001"});
    CHECK(place.repository.sets("none").empty());
    CHECK_FALSE(place.repository.sets("a").back().manifest.complete);
    CHECK(repository::Repository(place.directory / "not-there").sets().empty());
    CHECK(error_of([&] { (void)place.repository.sets("../a"); }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("what is no set is not listed") {
    const Place place;
    add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    (void)place.repository.begin("a", "20260115_000001");
    std::filesystem::create_directories(place / "a/20260101_000000");  // no manifest
    std::filesystem::create_directories(place / "a/notes");
    std::filesystem::create_directories(place / "a/20260101_000001/manifest.json");
    write(place / "a/20260102_000000", "a file");
    write(place / "a/README", "");
    write(place / "stray", "");
    std::filesystem::create_directories(place / ".hidden/20260101_000000");
    // Links into places that are not ours, with whole sets behind them.
    std::filesystem::create_directory_symlink(place / "a/20260114_000001", place / "a/20260103_000000");
    std::filesystem::create_directory_symlink(place / "a", place / "linked");
    CHECK(ids(place.repository.sets()) == std::vector<std::string>{"a/20260114_000001"});
    CHECK(error_of([&] { (void)place.repository.find({"a", "20260103_000000"}); }).code() == ErrorCode::not_found);
    CHECK(error_of([&] { (void)place.repository.begin("linked", "20260115_000001"); }).code() == ErrorCode::conflict);
}

TEST_CASE("a broken set is listed with its problem") {
    const Place place;
    const auto id = add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    const auto directory = place / "a/20260114_000001";
    const auto file = directory / "shop_20260114_000001.sql.gz";
    const auto problem = [&] { return place.repository.sets().at(0).problem; };
    const auto size = std::filesystem::file_size(file);

    SECTION("an artifact is missing") {
        std::filesystem::remove(file);
        CHECK(problem() == "shop_20260114_000001.sql.gz is missing");
    }
    SECTION("an artifact has another size") {
        std::filesystem::resize_file(file, size - 1);
        CHECK(problem() == "shop_20260114_000001.sql.gz has a size of " + std::to_string(size - 1) + " instead of " +
                               std::to_string(size) + " bytes");
    }
    SECTION("an artifact is a link") {
        std::filesystem::rename(file, place / "elsewhere");
        std::filesystem::create_symlink(place / "elsewhere", file);
        CHECK(problem() == "shop_20260114_000001.sql.gz is not a regular file");
    }
    SECTION("the manifest is cut off") {
        std::filesystem::resize_file(directory / "manifest.json", 100);
        const auto set = place.repository.sets().at(0);
        CHECK(set.problem.find("manifest: not JSON at byte") == 0);
        // Nothing good is known of it, but where it belongs and from when it is.
        CHECK(set.manifest.id == id);
        CHECK_FALSE(set.manifest.complete);
        CHECK(set.manifest.verified() == model::Verification::none);
        CHECK(set.manifest.started_at == at("2026-01-14T00:00:01Z"));
        CHECK_FALSE(repository::verify(set, {}).ok());
    }
    SECTION("the manifest names a file elsewhere") {
        auto text = contents(directory / "manifest.json");
        for (auto found = text.find("\"shop_2026"); found != std::string::npos; found = text.find("\"shop_2026"))
            text.replace(found + 1, 5, "../x_");
        write(directory / "manifest.json", text);
        CHECK(problem().find("leads out of the set's directory") != std::string::npos);
    }
    CHECK_FALSE(place.repository.newest("a", today));
    CHECK_FALSE(place.repository.find(id).problem.empty());
}

TEST_CASE("a set that was copied elsewhere is what its directory says") {
    const Place place;
    add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    std::filesystem::create_directories(place / "old");
    std::filesystem::copy(place / "a/20260114_000001", place / "old/20260114_000001");
    const auto set = place.repository.find({"old", "20260114_000001"});
    CHECK(set.manifest.id.text() == "old/20260114_000001");
    CHECK(set.problem.empty());
}

TEST_CASE("a set is found by name, or as the latest complete one") {
    const Place place;
    add_set(place.repository, "shop", "2026-01-13T00:00:01Z");
    add_set(place.repository, "shop", "2026-01-14T00:00:01Z");
    add_set(place.repository, "shop", "2026-01-15T00:00:01Z", false);
    CHECK(place.repository.newest("shop", today)->manifest.id.set == "20260114_000001");

    struct Row {
        model::SetId id;
        std::string message, hint;
    };
    for (const auto& [id, message, hint] : std::vector<Row>{
             {{"shop", "20260114_000002"},
              "there is no backup set shop/20260114_000002",
              "did you mean shop/20260114_000001?"},
             {{"shop", "20200101_000000"},
              "there is no backup set shop/20200101_000000",
              "the newest of shop are 20260115_000001, 20260114_000001, 20260113_000001"},
             {{"shopp", "latest"},
              "job shopp has no backup set in " + place.repository.directory().native(),
              "did you mean shop?"},
         }) {
        const auto error = error_of([&, &wanted = id] { (void)place.repository.find(wanted); });
        CHECK(error.code() == ErrorCode::not_found);
        CHECK(error.message() == message);
        CHECK(error.hint() == hint);
    }
    CHECK(error_of([&] { (void)place.repository.find({"..", "latest"}); }).code() == ErrorCode::invalid_argument);
    CHECK(error_of([&] {
              (void)place.repository.find({"shop", "../shop/20260114_000001"});
          }).code() == ErrorCode::not_found);
}

TEST_CASE("a removed set is gone, a pinned one stays") {
    const Place place;
    const auto id = add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    place.repository.pin(id, true);
    place.repository.pin(id, true);
    CHECK(place.repository.find(id).pinned);
    const auto error = error_of([&] { place.repository.remove(id); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == "a/20260114_000001 is pinned");
    place.repository.pin(id, false);
    place.repository.pin(id, false);
    CHECK_FALSE(place.repository.find(id).pinned);

    // What an earlier removal of a set of this name left is in nobody's way.
    std::filesystem::create_directories(place / "a/.20260114_000001.removing/x");
    place.repository.remove(id);
    CHECK(os::list_directory(place / "a").empty());
    CHECK(error_of([&] { place.repository.remove(id); }).code() == ErrorCode::not_found);
    CHECK(error_of([&] { place.repository.pin(id, true); }).code() == ErrorCode::not_found);
}

TEST_CASE("a job is locked for one run, the repository for one daemon") {
    const Place place;
    // "daemon" is a name that a job may have.
    for (const std::string job : {"shop", "daemon"}) {
        const auto lock = place.repository.lock_job(job, "pgbakd[12], run X");
        REQUIRE(lock);
        CHECK_FALSE(place.repository.lock_job(job, "another"));
        CHECK(place.repository.lock_holder(job) == "pgbakd[12], run X");
        const auto daemon = place.repository.lock_daemon("pgbakd[12]");
        REQUIRE(daemon);
        CHECK_FALSE(place.repository.lock_daemon("another"));
        CHECK(place.repository.daemon_lock_holder() == "pgbakd[12]");
    }
    CHECK(place.repository.lock_job("shop", "next"));
    CHECK(error_of([&] { (void)place.repository.lock_job("../x", "y"); }).code() == ErrorCode::invalid_argument);
    CHECK(place.repository.sets().empty());  // the locks' files are no sets
}

TEST_CASE("sweeping removes what was left behind, except under a lock or behind a link") {
    const Place place;
    add_set(place.repository, "a", "2026-01-14T00:00:01Z");
    const auto left = place.repository.begin("a", "20260115_000001");
    write(left.directory / "half.dump", "1");
    std::filesystem::create_directories(place / "a/.20260110_000000.removing/x");
    std::filesystem::create_directories(place / "a/.cache.partial");  // none of ours
    const auto running = place.repository.begin("b", "20260115_000001");
    const auto lock = place.repository.lock_job("b", "run");

    std::filesystem::create_directories(place.directory / "outside/.20260115_000001.partial");
    write(place.directory / "outside/.20260115_000001.partial/precious", "1");
    std::filesystem::create_directory_symlink(place.directory / "outside", place / "c");
    std::filesystem::create_directory_symlink(place.directory / "outside/.20260115_000001.partial",
                                              place / "a/.20260116_000001.partial");

    CHECK(place.repository.sweep() == std::vector<std::filesystem::path>{place / "a/.20260110_000000.removing",
                                                                         place / "a/.20260115_000001.partial",
                                                                         place / "a/.20260116_000001.partial"});
    CHECK(os::list_directory(place / "a") == std::vector<std::string>{".cache.partial", "20260114_000001"});
    CHECK(std::filesystem::exists(running.directory));
    CHECK(std::filesystem::exists(place.directory / "outside/.20260115_000001.partial/precious"));
    CHECK(place.repository.sweep().empty());
}

TEST_CASE("the newest good set is found without reading the manifests of old ones") {
    const Place place;
    CHECK_FALSE(place.repository.newest("job", today));
    const auto old = add_set(place.repository, "job", "2026-01-10T00:00:00Z");
    const auto good = add_set(place.repository, "job", "2026-01-13T00:00:00Z");
    const auto broken = add_set(place.repository, "job", "2026-01-14T00:00:00Z");
    write(place / broken.text() / "manifest.json", "{");
    // Reading this one would block for ever: a named pipe is no manifest, and it is not looked into either.
    std::filesystem::create_directory(place / "job/20260101_000000");
    REQUIRE(::mkfifo((place / "job/20260101_000000/manifest.json").c_str(), 0600) == 0);
    REQUIRE(place.repository.newest("job", today));
    CHECK(place.repository.newest("job", today)->manifest.id == good);
    const auto not_the_newest = [&good](const repository::StoredSet& set) { return set.manifest.id != good; };
    CHECK(place.repository.newest("job", today, not_the_newest)->manifest.id == old);
}

TEST_CASE("a set from the future is the newest only where there is no other") {
    const Place place;
    const auto future = add_set(place.repository, "job", "2031-01-01T00:00:00Z");
    CHECK(place.repository.newest("job", today)->manifest.id == future);
    const auto old = add_set(place.repository, "job", "2025-01-10T00:00:00Z");
    const auto good = add_set(place.repository, "job", "2026-01-13T00:00:00Z");
    CHECK(place.repository.newest("job", today)->manifest.id == good);
    CHECK(place.repository.newest("job", at("2025-06-01T00:00:00Z"))->manifest.id == old);
    CHECK(place.repository.newest("job", at("2031-01-01T00:00:00Z"))->manifest.id == future);
}

TEST_CASE("a set that was found corrupt bears the mark until it is taken away") {
    const Place place;
    const auto id = add_set(place.repository, "job", "2026-01-13T00:00:00Z");
    const auto mark = place / id.text() / "corrupt";
    CHECK_FALSE(place.repository.find(id).corrupt);
    const repository::Corruption found{at("2026-01-14T10:00:00Z") + std::chrono::milliseconds(250),
                                       "shop.dump has changed since it was written"};
    place.repository.mark_corrupt(id, found);
    place.repository.mark_corrupt(id, found);  // the latest finding replaces the one before

    struct stat status {};
    REQUIRE(::stat(mark.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(contents(mark) ==
          "{\"verified\":\"none\",\"found_at\":\"2026-01-14T10:00:00.250Z\","
          "\"message\":\"shop.dump has changed since it was written\"}\n");
    for (const auto& set : {place.repository.find(id), place.repository.sets("job").at(0)}) {
        REQUIRE(set.corrupt);
        CHECK(set.corrupt->found_at == found.found_at);
        CHECK(set.corrupt->message == found.message);
        CHECK(set.problem.empty());
    }
    CHECK_FALSE(place.repository.newest("job", today));

    // Whatever became of what it says, it is a mark.
    for (const char* text : {"", "{", "[]", "{\"message\":3}"}) {
        write(mark, text);
        CHECK(place.repository.find(id).corrupt);
    }
    std::filesystem::remove(mark);
    std::filesystem::create_symlink("/nowhere", mark);
    CHECK(place.repository.find(id).corrupt);

    place.repository.mark_corrupt(id, std::nullopt);
    place.repository.mark_corrupt(id, std::nullopt);
    CHECK_FALSE(place.repository.find(id).corrupt);
    CHECK(place.repository.newest("job", today));
    CHECK(error_of([&] {
              place.repository.mark_corrupt({"job", "20260113_000001"}, found);
          }).code() == ErrorCode::not_found);
    place.repository.mark_corrupt(id, found);
    place.repository.remove(id);
    CHECK(os::list_directory(place / "job").empty());
}

TEST_CASE("sets of one second are listed by their number, not by its text") {
    const Place place;
    const auto time = at("2026-01-14T00:00:01Z");
    std::string last;
    for (int i = 0; i < 11; ++i) last = add_set(place.repository, "a", "2026-01-14T00:00:01Z").set;
    CHECK(last == "20260114_000001-11");
    const auto sets = place.repository.sets("a");
    CHECK(sets.at(0).manifest.id.set == last);
    CHECK(sets.at(1).manifest.id.set == "20260114_000001-10");
    CHECK(sets.at(9).manifest.id.set == "20260114_000001-2");
    CHECK(sets.at(10).manifest.id.set == "20260114_000001");
    CHECK(place.repository.newest("a", time)->manifest.id.set == last);
}

TEST_CASE("a set that cannot be read is told apart from one that is wrong") {
    const Place place;
    const auto id = add_set(place.repository, "job", "2026-01-13T00:00:00Z");
    auto text = contents(place / id.text() / "manifest.json");
    text.replace(text.find("pgbakd-set/1"), 12, "pgbakd-set/9");
    write(place / id.text() / "manifest.json", text);
    CHECK(place.repository.find(id).unreadable);
    const auto whole = add_set(place.repository, "job", "2026-01-14T00:00:00Z");
    std::filesystem::remove(place / whole.text() / "shop_20260114_000000.sql.gz");
    CHECK_FALSE(place.repository.find(whole).problem.empty());
    CHECK_FALSE(place.repository.find(whole).unreadable);
}

TEST_CASE("a repository on a read-only file system is refused with its mount, not with its owner") {
    const Place place;
    const auto directory = std::filesystem::canonical(place.repository.directory());
    if (::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        std::cout << "SKIPPED: only root can mount a file system read-only\n";
        return;
    }
    REQUIRE(::mount(nullptr, directory.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    const auto error = error_of([&] { place.repository.prepare(); });
    ::umount2(directory.c_str(), MNT_DETACH);
    CHECK(error.message() ==
          "writing to the repository " + place.repository.directory().native() + ": Read-only file system");
    CHECK(error.hint().find("the file system at " + directory.native() + " is mounted read-only") == 0);
}
