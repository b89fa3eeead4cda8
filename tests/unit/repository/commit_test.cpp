// The commit protocol: a set is there, whole, or it is not, whatever happens in between.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "support/small_disk.hpp"
#include "unit/repository/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;

TEST_CASE("a name that is taken gets a number") {
    const Place place;
    const auto first = place.repository.begin("a", "20260114_000001");
    CHECK(first.directory == place / "a/.20260114_000001.partial");
    const auto second = place.repository.begin("a", "20260114_000001");
    CHECK(second.id.text() == "a/20260114_000001-2");
    place.repository.commit(first, fill(first, at("2026-01-14T00:00:01Z")));
    CHECK(place.repository.begin("a", "20260114_000001").id.set == "20260114_000001-3");
    CHECK(place.repository.begin("a", "20260114_000001_phase2").id.set == "20260114_000001_phase2");
    CHECK(place.repository.begin("a", "20260114_000001_phase2").id.set == "20260114_000001_phase2-2");
    for (const char* name : {"", "latest", "../x", "20260114_000001/x"})
        CHECK(error_of([&] { (void)place.repository.begin("a", name); }).code() == ErrorCode::invalid_argument);
    CHECK(error_of([&] { (void)place.repository.begin("..", "20260114_000001"); }).code() ==
          ErrorCode::invalid_argument);
}

TEST_CASE("no set gets a number below one that is in use, nor one that is going") {
    struct Row {
        std::vector<std::string> there;
        const char* next;
    };
    for (const auto& [there, next] : std::vector<Row>{
             {{}, "20260114_000001"},
             {{"20260114_000002", "20260114_000002-7"}, "20260114_000001"},
             {{"20260114_000001-2"}, "20260114_000001-3"},  // the first was pruned
             {{"20260114_000001", "20260114_000001-9", "20260114_000001-10"}, "20260114_000001-11"},
             {{".20260114_000001.removing"}, "20260114_000001-2"},
             {{"20260114_000001", ".20260114_000001-4.removing"}, "20260114_000001-5"},
             {{".20260114_000001-3.partial"}, "20260114_000001-4"},
             {{"20260114_000001_v1-6", "20260114_000001_v1"}, "20260114_000001"},
         }) {
        const Place place;
        for (const auto& name : there) std::filesystem::create_directories(place / "a" / name);
        CHECK(place.repository.begin("a", "20260114_000001").id.set == next);
    }
}

TEST_CASE("what does not fit its manifest is not committed") {
    const Place place;
    const auto partial = place.repository.begin("a", "20260114_000001");
    auto set = fill(partial, at("2026-01-14T00:00:01Z"));
    auto code = ErrorCode::corrupt;
    SECTION("an artifact is missing") {
        std::filesystem::remove(partial.directory / set.artifacts.at(1).file);
    }
    SECTION("an artifact is empty") {
        write(partial.directory / set.artifacts.at(0).file, "");
        set.artifacts.at(0).bytes = 0;
    }
    SECTION("an artifact is shorter than what was written") {
        std::filesystem::resize_file(partial.directory / set.artifacts.at(0).file, 5);
    }
    SECTION("an artifact was not hashed") {
        set.artifacts.at(0).sha256.clear();
    }
    SECTION("an artifact lies elsewhere") {
        set.artifacts.at(0).file = "../../x";
    }
    SECTION("there is no artifact") {
        set.artifacts.clear();
    }
    SECTION("the manifest is of another set") {
        set.id.set = "20260114_000002";
        code = ErrorCode::internal;
    }
    SECTION("the set is there already") {
        std::filesystem::create_directories(place / "a/20260114_000001");
        code = ErrorCode::conflict;
    }
    CHECK(error_of([&] { place.repository.commit(partial, set); }).code() == code);
    CHECK(place.repository.sets().empty());
    CHECK(std::filesystem::exists(partial.directory));
    place.repository.discard(partial);
    CHECK_FALSE(std::filesystem::exists(partial.directory));
    place.repository.discard(partial);
}

TEST_CASE("a commit that failed can be tried again") {
    const Place place;
    const auto partial = place.repository.begin("a", "20260114_000001");
    const auto set = fill(partial, at("2026-01-14T00:00:01Z"));
    auto wrong = set;
    wrong.artifacts.at(1).bytes += 1;
    CHECK_THROWS_AS(place.repository.commit(partial, wrong), base::Error);
    place.repository.commit(partial, set);
    CHECK(repository::verify(place.repository.find(partial.id), {}).ok());
}

TEST_CASE("a disk that is full at any step of a commit leaves no set") {
    const support::SmallDisk disk;
    if (!disk.mounted()) return;
    const repository::Repository repository(disk.path());
    repository.prepare();
    int failed = 0;
    // Fewer and fewer bytes are taken away before, so that each write is the one that fails at least once.
    for (std::uint64_t left = 0; left <= 96 * 1024; left += 4096) {
        const auto partial = repository.begin("a", "20260114_000001");
        const auto set = fill(partial, at("2026-01-14T00:00:01Z"));
        const auto ballast = disk.path() / "ballast";
        const auto available = os::free_space(disk.path()).available;
        write(ballast, std::string(available > left ? available - left : 0, 'x'));
        try {
            repository.commit(partial, set);
            const auto sets = repository.sets();
            REQUIRE(sets.size() == 1);
            CHECK(sets.at(0).problem.empty());
            CHECK(repository::verify(sets.at(0), {}).ok());
            std::filesystem::remove(ballast);
            repository.remove(partial.id);
        } catch (const base::Error& error) {
            ++failed;
            CHECK(error.code() == ErrorCode::no_space);
            CHECK(error.message().find(partial.directory.native()) != std::string::npos);
            CHECK(repository.sets().empty());
            std::filesystem::remove(ballast);
            repository.discard(partial);
        }
        CHECK(os::list_directory(disk.path() / "a").empty());
    }
    CHECK(failed >= 2);
}

TEST_CASE("a process killed at any moment leaves whole sets and nothing that sweeping does not remove") {
    const Place place;
    for (int round = 0; round < 25; ++round) {
        int progress[2];
        REQUIRE(::pipe(progress) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            // Commits and removes without end; a byte for each set tells the parent how far it is.
            for (int i = 0;; ++i) {
                try {
                    const auto partial = place.repository.begin("a", "20260114_000001");
                    place.repository.commit(partial, fill(partial, at("2026-01-14T00:00:01Z")));
                    (void)!::write(progress[1], ".", 1);
                    if (i % 3 == 2) place.repository.remove(partial.id);
                } catch (...) {
                    ::_exit(1);
                }
            }
        }
        char byte = 0;
        for (int i = 0; i <= round % 5; ++i) REQUIRE(::read(progress[0], &byte, 1) == 1);
        // Some more of its steps, a different number in each round.
        for (int i = 0; i < round * 17; ++i) (void)os::list_directory(place / "a");
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFSIGNALED(status));
        ::close(progress[0]);
        ::close(progress[1]);

        for (const auto& set : place.repository.sets()) {
            CHECK(set.problem.empty());
            CHECK(repository::verify(set, {}).ok());
        }
        (void)place.repository.sweep();
        for (const auto& name : os::list_directory(place / "a")) CHECK(model::is_set_name(name));
        for (const auto& set : place.repository.sets()) place.repository.remove(set.manifest.id);
        CHECK(os::list_directory(place / "a").empty());
    }
}
