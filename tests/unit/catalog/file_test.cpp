// The catalog as a file: modes, damage, other versions, readers beside the writer, full disks, kills.
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "catalog/schema.hpp"
#include "support/small_disk.hpp"
#include "unit/catalog/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using catalog::Catalog;
using catalog::JobState;
using model::Outcome;

namespace {

const std::string size_of_disk = "512k";  // holds an empty catalog and what lies beside it

unsigned mode_of(const std::filesystem::path& path) {
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    return found.st_mode & 07777U;
}

// What an administrator would do with the sqlite3 program.
std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

void overwrite(const std::filesystem::path& file, std::streamoff offset, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(offset);
    stream << bytes;
}

}  // namespace

TEST_CASE("its files are for us alone") {
    const Place place;
    place.catalog->begin_run(run(1, "a", today));
    CHECK(names_in(place.directory.path()) == std::vector<std::string>{"state.db", "state.db-shm", "state.db-wal"});
    for (const auto& name : names_in(place.directory.path())) CHECK(mode_of(place.directory / name) == 0600);
    CHECK_FALSE(place.catalog->was_damaged());
}

TEST_CASE("a file that is removed while it is open is written again, with all it held") {
    const Place place;
    const JobState state{"a", "daily at 02:00 UTC", base::to_instant(today), false};
    CHECK(place.catalog->take_slot(state, state.anchor, run(1, "a", today)));
    SECTION("the file alone") {
        std::filesystem::remove(place.file);
    }
    SECTION("with what lies beside it") {
        for (const auto& name : names_in(place.directory.path())) std::filesystem::remove(place.directory / name);
    }
    place.catalog->finish_run(run(1, "a", today, Outcome::success));
    CHECK_FALSE(place.catalog->take_slot(state, state.anchor, run(2, "a", today)));
    for (const auto& name : names_in(place.directory.path())) CHECK(mode_of(place.directory / name) == 0600);
    const auto other = Catalog::open(place.file, today);
    CHECK(other->run(run(1, "a", today).run)->outcome == Outcome::success);
    CHECK(other->job_states() == std::vector<JobState>{state});
    // Both speak of one file from now on.
    other->begin_run(run(3, "a", today));
    CHECK(place.catalog->count_runs({}) == 2);
}

TEST_CASE("a file that is put in its place while it is open is the one that counts") {
    const Place place;
    place.catalog->begin_run(run(1, "a", today));
    Catalog::open(place.directory / "older.db", today)->begin_run(run(2, "a", today));
    std::filesystem::rename(place.directory / "older.db", place.file);
    place.catalog->begin_run(run(3, "a", today));
    CHECK(place.catalog->count_runs({}) == 2);
    CHECK_FALSE(place.catalog->run(run(1, "a", today).run));
}

TEST_CASE("a file that is put in its place knows nothing of what came before, and no target counts as asked since") {
    const Place place;
    place.catalog->know_targets({{"a", {"nas"}}});
    place.catalog->put_asked("a", "nas");
    {
        const auto older = Catalog::open(place.directory / "older.db", today);
        older->know_targets({{"a", {"nas"}}});
        older->put_asked("a", "nas");
    }
    CHECK_FALSE(place.catalog->unasked_before("a", "nas"));
    const auto before = base::SystemClock().now();
    std::filesystem::rename(place.directory / "older.db", place.file);
    // A run that begins now does not hide that others ended meanwhile.
    place.catalog->begin_run(run(3, "a", today));
    CHECK(place.catalog->unasked_before("a", "nas") >= std::optional(before));
    place.catalog->put_asked("a", "nas");
    CHECK_FALSE(place.catalog->unasked_before("a", "nas"));
    // One that is removed is written again, with all that is known.
    std::filesystem::remove(place.file);
    CHECK_FALSE(place.catalog->unasked_before("a", "nas"));
}

TEST_CASE("of a run whose report is damaged is told what the columns know, and nothing that they do not") {
    const Place place;
    auto report = run(1, "a", today, Outcome::failed);
    report.trigger = model::Trigger::manual;
    place.catalog->finish_run(report);
    execute(place.file, "UPDATE runs SET report = '{'");
    const auto found = place.catalog->run(report.run).value();
    CHECK(found.job == "a");
    CHECK(found.outcome == Outcome::failed);
    CHECK(found.trigger == model::Trigger::unknown);
    CHECK(found.notes == std::vector<std::string>{"the report of this run cannot be read"});
}

TEST_CASE("a file of ours that lacks a table is damaged") {
    Place place;
    place.catalog.reset();
    execute(place.file, "DROP TABLE set_states");
    const auto catalog = Catalog::open(place.file, today);
    CHECK(catalog->was_damaged());
    CHECK(catalog->set_states().empty());
}

TEST_CASE("its directory is made, a directory in its place is refused") {
    const support::TemporaryDirectory directory;
    const auto file = directory / "var" / "lib" / "a name with %20, ? and #.db";
    Catalog::open(file, today)->begin_run(run(1, "a", today));
    CHECK(std::filesystem::is_regular_file(file));
    CHECK(Catalog::open_for_reading(file)->count_runs({}) == 1);
    const auto error = error_of([&] { (void)Catalog::open(directory / "var", today); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == (directory / "var").native() + " is not a regular file");
}

TEST_CASE("a damaged file is moved aside with its companions, and a new one made") {
    Place place;
    for (unsigned i = 0; i < 200; ++i) place.catalog->finish_run(run(i, "a", today, Outcome::success));
    place.catalog.reset();
    const auto size = std::filesystem::file_size(place.file);
    REQUIRE(size > 40'000);
    SECTION("no SQLite file at all") {
        overwrite(place.file, 0, std::string(100, 'x'));
    }
    SECTION("pages overwritten") {
        for (std::uintmax_t page = 2; page * 4096 < size; ++page)
            overwrite(place.file, static_cast<std::streamoff>(page * 4096), std::string(64, '\x7f'));
    }
    SECTION("the second half is gone") {
        std::filesystem::resize_file(place.file, size / 2 / 4096 * 4096);
    }
    std::ofstream(place.file.native() + "-wal") << "left over";
    const auto damaged = std::filesystem::file_size(place.file);

    CHECK(error_of([&] {
              (void)Catalog::open_for_reading(place.file)->runs({.job = {}, .outcome = {}, .limit = 1000});
          }).code() == ErrorCode::corrupt);
    place.reopen();
    CHECK(place.catalog->was_damaged());
    CHECK(place.catalog->count_runs({}) == 0);
    place.catalog->begin_run(run(1, "a", today));
    const auto aside = place.directory / "state.db.damaged-20260202_024000";
    REQUIRE(std::filesystem::exists(aside));
    CHECK(std::filesystem::file_size(aside) == damaged);
    place.reopen();
    CHECK_FALSE(place.catalog->was_damaged());
    CHECK(place.catalog->count_runs({}) == 1);
}

TEST_CASE("a second damaged file does not replace the first") {
    Place place;
    for (int i = 0; i < 2; ++i) {
        place.catalog.reset();
        overwrite(place.file, 0, "not SQLite at all");
        place.reopen();
        CHECK(place.catalog->was_damaged());
    }
    CHECK(std::filesystem::exists(place.directory / "state.db.damaged-20260202_024000"));
    CHECK(std::filesystem::exists(place.directory / "state.db.damaged-20260202_024000-2"));
}

TEST_CASE("an empty file is a new catalog") {
    const support::TemporaryDirectory directory;
    std::ofstream(directory / "state.db").flush();
    const auto catalog = Catalog::open(directory / "state.db", today);
    CHECK_FALSE(catalog->was_damaged());
    CHECK(catalog->count_runs({}) == 0);
}

TEST_CASE("a file of a newer pgbakd is refused and left as it is") {
    Place place;
    place.catalog.reset();
    execute(place.file, "PRAGMA user_version = 99");
    for (const bool reading : {false, true}) {
        const auto error = error_of([&] {
            if (reading)
                (void)Catalog::open_for_reading(place.file);
            else
                (void)Catalog::open(place.file, today);
        });
        CHECK(error.code() == ErrorCode::unsupported);
        CHECK(error.message().find(place.file.native() + ": it was written by a newer pgbakd (schema 99") == 0);
        CHECK_FALSE(error.hint().empty());
    }
    CHECK(std::filesystem::exists(place.file));
    execute(place.file, ("PRAGMA user_version = " + std::to_string(catalog::schema_version())).c_str());
    place.reopen();
    CHECK_FALSE(place.catalog->was_damaged());
}

TEST_CASE("another program's SQLite file is refused and left as it is") {
    const support::TemporaryDirectory directory;
    execute(directory / "other.db", "CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
    const auto error = error_of([&] { (void)Catalog::open(directory / "other.db", today); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == (directory / "other.db").native() + ": it is an SQLite file, but not pgbakd's");
    execute(directory / "other.db", "SELECT * FROM precious");
}

TEST_CASE("a reader beside the daemon sees what is committed and changes nothing") {
    const Place place;
    CHECK(Catalog::open_for_reading(place.directory / "none.db") == nullptr);
    CHECK_FALSE(std::filesystem::exists(place.directory / "none.db"));
    const auto reader = Catalog::open_for_reading(place.file);
    REQUIRE(reader);
    CHECK(reader->count_runs({}) == 0);
    place.catalog->begin_run(run(1, "a", today));
    CHECK(reader->count_runs({}) == 1);
    CHECK(error_of([&] { reader->begin_run(run(2, "a", today)); }).code() == ErrorCode::permission_denied);
    place.catalog->begin_run(run(2, "a", today));
    CHECK(reader->runs({}).size() == 2);
}

TEST_CASE("a file without a schema yet has nothing to read") {
    const support::TemporaryDirectory directory;
    std::ofstream(directory / "state.db").flush();
    CHECK(Catalog::open_for_reading(directory / "state.db") == nullptr);
}

TEST_CASE("it can be read in a directory that nobody can write to") {
    const support::SmallDisk disk(size_of_disk);
    if (!disk.mounted()) return;
    const auto file = disk.path() / "state.db";
    Catalog::open(file, today)->begin_run(run(1, "a", today));
    REQUIRE_FALSE(std::filesystem::exists(file.native() + "-shm"));
    REQUIRE(::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    const auto reader = Catalog::open_for_reading(file);
    REQUIRE(reader);
    CHECK(reader->count_runs({}) == 1);
}

TEST_CASE("a full disk keeps the daemon from its catalog, and says what to do, but not the tool that frees space") {
    const support::SmallDisk disk(size_of_disk);
    if (!disk.mounted()) return;
    const auto file = disk.path() / "state.db";
    const model::SetId id{"shop", "20260113_000001"};
    Catalog::open(file, today)->put_set_state({id, {}, today, true, "a flipped byte"});
    REQUIRE_FALSE(std::filesystem::exists(file.native() + "-shm"));
    const auto ballast = disk.path() / "ballast";
    std::ofstream(ballast) << std::string(1 << 20, 'x');

    const auto refused = error_of([&] { (void)Catalog::open(file, today); });
    CHECK(refused.code() == ErrorCode::no_space);
    CHECK(refused.message() == file.native() + ": no space left on the file system that holds it");
    CHECK(refused.hint().find("of 512 KiB available there") != std::string::npos);
    CHECK(refused.hint().find("pgbakctl prune --apply") != std::string::npos);

    REQUIRE(Catalog::open_for_reading(file)->set_states().size() == 1);
    {
        const auto catalog = Catalog::open_without_space(file, today);
        REQUIRE(catalog->set_states().size() == 1);
        CHECK(catalog->set_states().front().corrupt);
        CHECK(error_of([&] { catalog->forget_set(id); }).code() == ErrorCode::no_space);
        std::filesystem::remove(ballast);
        catalog->forget_set(id);
    }
    CHECK(Catalog::open(file, today)->set_states().empty());
}

TEST_CASE("two connections take turns, and no slot is taken twice") {
    const Place place;
    const auto second = Catalog::open(place.file, today);
    const JobState state{"shop", "daily", {}, false};
    int taken = 0;
    for (unsigned i = 0; i < 20; ++i) {
        const base::Instant slot(std::chrono::seconds(60 * i));
        taken += place.catalog->take_slot(state, slot, run(2 * i, "shop", today)) ? 1 : 0;
        taken += second->take_slot(state, slot, run(2 * i + 1, "shop", today)) ? 1 : 0;
    }
    CHECK(taken == 20);
    CHECK(second->count_runs({}) == 20);
}

TEST_CASE("a full disk is no_space, and nothing is half recorded") {
    const support::SmallDisk disk(size_of_disk);
    if (!disk.mounted()) return;
    const auto file = disk.path() / "state.db";
    auto catalog = Catalog::open(file, today);
    const JobState state{"shop", "daily", {}, false};
    unsigned taken = 0;
    base::Error error(ErrorCode::internal, "the disk never became full");
    try {
        for (; taken < 1000; ++taken) {
            auto report = run(taken, "shop", today);
            report.notes = {std::string(3000, 'x')};
            const bool fresh = catalog->take_slot(state, base::Instant(std::chrono::seconds(taken)), report);
            REQUIRE(fresh);
        }
    } catch (const base::Error& caught) {
        error = caught;
    }
    CHECK(error.code() == ErrorCode::no_space);
    CHECK(error.message().find(file.native()) == 0);
    CHECK(taken > 0);
    CHECK(catalog->count_runs({}) == taken);
    // With room again it goes on.
    REQUIRE(::mount(nullptr, disk.path().c_str(), nullptr, MS_REMOUNT, "size=4m") == 0);
    CHECK(catalog->take_slot(state, base::Instant(std::chrono::seconds(taken)), run(taken, "shop", today)));
    catalog = Catalog::open(file, today);
    CHECK_FALSE(catalog->was_damaged());
    CHECK(catalog->count_runs({}) == taken + 1);
}

TEST_CASE("a process killed at any moment takes no slot twice and records none by half") {
    Place place;
    place.catalog.reset();                 // SQLite's locks do not go through fork
    std::map<std::int64_t, int> answered;  // slots whose taking a child was told of
    for (unsigned round = 0; round < 25; ++round) {
        int progress[2];
        REQUIRE(::pipe(progress) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                const auto catalog = Catalog::open(place.file, today);
                // Each round tries all slots from the beginning, as a daemon that has just started.
                for (unsigned i = 0;; ++i) {
                    const base::Instant slot(std::chrono::seconds(60 * i));
                    auto report = run(round * 100'000 + i, "shop", today);
                    report.slot = slot;
                    if (!catalog->take_slot({"shop", "every minute", {}, false}, slot, report)) continue;
                    const std::int64_t number = i;
                    (void)!::write(progress[1], &number, sizeof number);
                }
            } catch (...) {
                ::_exit(1);
            }
        }
        ::close(progress[1]);
        std::int64_t number = 0;
        for (unsigned i = 0; i <= round % 4; ++i) {
            REQUIRE(::read(progress[0], &number, sizeof number) == sizeof number);
            ++answered[number];
        }
        ::kill(child, SIGKILL);
        while (::read(progress[0], &number, sizeof number) == sizeof number) ++answered[number];
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFSIGNALED(status));
        ::close(progress[0]);
    }
    for (const auto& [slot, times] : answered) CHECK(times == 1);

    place.reopen();
    CHECK_FALSE(place.catalog->was_damaged());
    // Each slot has one run and each run one slot; what was answered is there.
    std::map<std::int64_t, int> recorded;
    for (const auto& report : place.catalog->runs({.job = {}, .outcome = {}, .limit = 10'000})) {
        REQUIRE(report.slot);
        ++recorded[report.slot->time_since_epoch().count() / 60];
    }
    for (const auto& [slot, times] : recorded) CHECK(times == 1);
    for (const auto& [slot, times] : answered) CHECK(recorded.contains(slot));
    const auto newest = recorded.rbegin()->first;
    CHECK(recorded.size() == static_cast<std::size_t>(newest) + 1);
    CHECK(place.catalog->job_states().at(0).anchor == base::Instant(std::chrono::seconds(60 * newest)));
    for (const auto& [slot, times] : recorded)
        CHECK_FALSE(place.catalog->take_slot({"shop", "x", {}, false}, base::Instant(std::chrono::seconds(60 * slot)),
                                             run(9'999'999, "shop", today)));
}
