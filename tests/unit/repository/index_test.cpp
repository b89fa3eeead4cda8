// The index of manifests: a copy that is never believed against the files.
#include "repository/index.hpp"

#include "support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using repository::Index;

namespace {

constexpr int sets_enough = 300;
constexpr std::int64_t long_ago = 1'600'000'000'000'000'000;

os::FileStatus status_of(int number) {
    os::FileStatus status;
    status.inode = static_cast<std::uint64_t>(number);
    status.size = 100;
    status.modified_nanoseconds = status.changed_nanoseconds = long_ago;
    return status;
}

std::string name_of(int number) {
    return model::set_name(base::Instant(std::chrono::seconds(1'700'000'000 + number)), *calendar::Zone::utc());
}

model::BackupSet set_of(int number) {
    model::BackupSet set;
    set.id = {"job", name_of(number)};
    set.run = base::RunId::make(at("2026-01-14T00:00:00Z"), {});
    set.host = "tab\tand line\nend";
    set.started_at = set.finished_at = at("2026-01-14T00:00:00Z");
    set.artifacts.push_back(artifact("shop.sql.gz", "database", "x"));
    set.databases.resize(1);
    set.databases.front().database = "shop";
    set.restore_order = {"shop.sql.gz"};
    set.stock_restore = {"gunzip"};
    return set;
}

struct Written {
    support::TemporaryDirectory directory;
    std::filesystem::path file = directory / ".job.index";
    explicit Written(int number) {
        Index index(file);
        for (int i = 0; i < number; ++i) {
            CHECK_FALSE(index.find(name_of(i), status_of(i)));
            index.add(name_of(i), status_of(i), set_of(i));
        }
        index.save();
    }
    bool knows(int number, const os::FileStatus& status) const {
        return Index(file).find(name_of(number), status).has_value();
    }
};

}  // namespace

TEST_CASE("an index gives the summary of a manifest back, without what only a restore needs") {
    const Written written(sets_enough);
    const auto found = Index(written.file).find(name_of(7), status_of(7));
    REQUIRE(found);
    auto summary = set_of(7);
    repository::keep_summary(summary);
    CHECK(model::to_manifest(*found) == model::to_manifest(summary));
    CHECK(found->databases.empty());
}

TEST_CASE("an entry counts only for the very file it was made from") {
    const Written written(sets_enough);
    REQUIRE(written.knows(7, status_of(7)));
    CHECK_FALSE(written.knows(7, status_of(8)));
    auto other = status_of(7);
    other.size = 101;
    CHECK_FALSE(written.knows(7, other));
    other = status_of(7);
    ++other.modified_nanoseconds;
    CHECK_FALSE(written.knows(7, other));
    other = status_of(7);
    ++other.changed_nanoseconds;
    CHECK_FALSE(written.knows(7, other));
}

TEST_CASE("an index that was damaged, cut off or written by another version counts for nothing") {
    const Written written(sets_enough);
    const auto text = contents(written.file);
    for (const auto& wrong :
         {std::string(), text.substr(0, text.size() / 2), "x" + text, text + "\n",
          std::string(text).replace(text.find("shop.sql.gz"), 4, "ship"), std::string(text).replace(14, 1, "9.")}) {
        write(written.file, wrong);
        CHECK_FALSE(written.knows(7, status_of(7)));
    }
    write(written.file, text);
    CHECK(written.knows(7, status_of(7)));
}

TEST_CASE("a manifest that was changed just now is read again, since its next change may bear the same time") {
    const Written written(sets_enough);
    Index index(written.file);
    auto fresh = status_of(sets_enough);
    fresh.changed_nanoseconds = std::chrono::nanoseconds(base::SystemClock().now().time_since_epoch()).count();
    for (int i = 0; i < sets_enough; ++i) index.add("fresh-" + std::to_string(i), fresh, set_of(i));
    index.save();
    CHECK_FALSE(Index(written.file).find("fresh-1", fresh));
}

TEST_CASE("there is no index for a few sets, and it goes when few are left") {
    const Written few(20);
    CHECK_FALSE(std::filesystem::exists(few.file));
    const Written many(sets_enough);
    CHECK(std::filesystem::exists(many.file));
    Index index(many.file);
    (void)index.find(name_of(1), status_of(1));
    index.save();
    CHECK_FALSE(std::filesystem::exists(many.file));
}

TEST_CASE("a set that went is forgotten, a few new ones do not make all be written again") {
    const Written written(sets_enough * 2);
    const auto before = contents(written.file);
    {
        Index index(written.file);
        for (int i = 0; i < sets_enough * 2 - 5; ++i) (void)index.find(name_of(i), status_of(i));
        index.add("20260101_000000", status_of(1), set_of(1));
        index.save();
    }
    CHECK(contents(written.file) == before);
    {
        Index index(written.file);
        for (int i = 0; i < sets_enough; ++i) (void)index.find(name_of(i), status_of(i));
        for (int i = 0; i < 100; ++i) index.add("20260101_000000-" + std::to_string(i + 2), status_of(1), set_of(1));
        index.save();
    }
    CHECK(written.knows(1, status_of(1)));
    CHECK_FALSE(written.knows(sets_enough + 1, status_of(sets_enough + 1)));
    CHECK(Index(written.file).find("20260101_000000-2", status_of(1)));
}

TEST_CASE("a repository that has an index still tells what lies on the disk") {
    const Place place;
    for (int i = 0; i < sets_enough; ++i) {
        const auto directory = place / "job" / name_of(i);
        std::filesystem::create_directories(directory);
        auto set = set_of(i);
        set.artifacts.front().bytes = 1;
        write(directory / "shop.sql.gz", "x");
        write(directory / "manifest.json", model::to_manifest(set));
    }
    const auto index = place / ".job.index";
    // Nothing is kept before the files have settled: asked until that is so.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (!std::filesystem::exists(index) && std::chrono::steady_clock::now() < patience)
        REQUIRE(place.repository.sets("job").size() == sets_enough);
    REQUIRE(std::filesystem::exists(index));
    REQUIRE(place.repository.sets("job").size() == sets_enough);

    std::filesystem::remove_all(place / "job" / name_of(0));
    std::filesystem::remove(place / "job" / name_of(1) / "shop.sql.gz");
    write(place / "job" / name_of(2) / "manifest.json", "{}");
    write(place / "job" / name_of(3) / "pinned", "");
    place.repository.mark_corrupt({"job", name_of(4)}, repository::Corruption{{}, "rotten"});
    const auto sets = place.repository.sets("job");  // newest first
    REQUIRE(sets.size() == sets_enough - 1);
    CHECK(sets.at(sets.size() - 2).problem == "shop.sql.gz is missing");
    const auto damaged = std::find_if(sets.begin(), sets.end(), [](const auto& set) { return set.unreadable; });
    REQUIRE(damaged != sets.end());
    CHECK(damaged->manifest.id.set == name_of(2));
    CHECK(sets.at(sets.size() - 3).pinned);
    CHECK_FALSE(sets.at(sets.size() - 3).corrupt);
    REQUIRE(sets.at(sets.size() - 4).corrupt);
    CHECK(sets.at(sets.size() - 4).corrupt->message == "rotten");
    CHECK(place.repository.ids("job").size() == sets_enough - 1);
    CHECK(place.repository.find({"job", name_of(4)}).manifest.databases.size() == 1);
}
