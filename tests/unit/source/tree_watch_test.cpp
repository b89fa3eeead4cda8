// What changes the stamp of a tree, and what does not.
#include "source/tree_watch.hpp"

#include <algorithm>

#include "unit/source/files_support.hpp"

namespace pgbakd::source {

using namespace testing;

namespace {

std::string stamp(const FilesOptions& options) {
    return tree_stamp(options, "", [] {});
}

}  // namespace

TEST_CASE("a stamp is another one when anything that is stored has changed") {
    const support::TemporaryDirectory directory;
    const auto top = directory / "top";
    fs::create_directories(top / "below");
    write_file(top / "a", "one");
    write_file(top / "below/x.log", "noise");
    const auto options = options_for({top}, {"*.log"});
    const auto first = stamp(options);
    CHECK(stamp(options) == first);
    CHECK(tree_stamp(options, "in another manner", [] {}) != first);
    CHECK(stamp(options_for({top})) != first);
    // Of one length, and with its time put back: the kernel knows.
    const auto time = fs::last_write_time(top / "a");
    write_file(top / "a", "two");
    fs::last_write_time(top / "a", time);
    const auto second = stamp(options);
    CHECK(second != first);
    fs::permissions(top / "a", fs::perms(0600));
    const auto third = stamp(options);
    CHECK(third != second);
    fs::rename(top / "a", top / "b");
    const auto fourth = stamp(options);
    CHECK(fourth != third);
    // What is left out changes nothing, but its directory's time does where it comes or goes.
    write_file(top / "below/x.log", "louder noise");
    CHECK(stamp(options) == fourth);
    fs::remove(top / "b");
    CHECK(stamp(options) != fourth);
    // Paths that are not there are a state of their own.
    const auto missing = options_for({top, directory / "missing"});
    const auto before = stamp(missing);
    write_file(directory / "missing", "");
    CHECK(stamp(missing) != before);
}

TEST_CASE("a look at a tree ends when nobody waits for it") {
    const support::TemporaryDirectory directory;
    write_file(directory / "a", "x");
    const auto over = [] { throw base::Error(base::ErrorCode::cancelled, "over"); };
    CHECK_THROWS_AS(tree_stamp(options_for({directory.path()}), "", over), base::Error);
}

TEST_CASE("watched are all directories that are stored, and those that hold what is given") {
    const support::TemporaryDirectory directory;
    const auto top = directory / "top";
    fs::create_directories(top / "below/deep");
    fs::create_directories(top / "left-out");
    write_file(top / "below/file", "x");
    const auto watched = [](const FilesOptions& options) {
        std::vector<fs::path> found;
        each_watched_directory(options, [&found](const fs::path& path) { found.push_back(path); });
        std::ranges::sort(found);
        return found;
    };
    const std::vector<fs::path> all{directory.path(), top, top / "below", top / "below/deep"};
    CHECK(watched(options_for({top}, {"left-out/"})) == all);
    CHECK(watched(options_for({top / "below/file"})) == std::vector<fs::path>{top / "below"});
    // The nearest directory tells when the others come.
    CHECK(watched(options_for({top / "not/there/yet"})) == std::vector<fs::path>{top});
}

}  // namespace pgbakd::source
