// Entries of directories, and the holes of files.
#include "os/entry.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "os/extents.hpp"
#include "os/file.hpp"
#include "os/user.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;
using namespace pgbakd::os;
using Extents = std::vector<DataExtent>;

TEST_CASE("an entry is what it was opened as, whatever has its name by now") {
    const support::TemporaryDirectory directory;
    std::ofstream(directory / "file") << "old";
    const auto entry = Entry::open((directory / "file").native());
    std::filesystem::remove(directory / "file");
    std::filesystem::create_symlink("file", directory / "file");
    const auto file = entry.open_for_reading("file");
    std::string text(3, '\0');
    CHECK(read_some(file, std::as_writable_bytes(std::span(text)), "file") == 3);
    CHECK(text == "old");
    const auto link = Entry::open_in(open_directory(directory.path()), "file", "file");
    CHECK(S_ISLNK(link.status().st_mode));
    CHECK(link.link_target("file") == "file");
    CHECK(link.attributes(1'000, "file").size() < 2);  // a security module's, if any
}

TEST_CASE("an entry that is not there is told as such") {
    const support::TemporaryDirectory directory;
    std::ofstream(directory / "file") << "x";
    const auto code_of = [](const std::filesystem::path& path) {
        try {
            (void)Entry::open(path.native());
            return base::ErrorCode::internal;
        } catch (const base::Error& error) {
            return error.code();
        }
    };
    CHECK(code_of(directory / "gone") == base::ErrorCode::not_found);
    CHECK(code_of(directory / "file/below") == base::ErrorCode::not_found);
}

TEST_CASE("each name of a directory") {
    const support::TemporaryDirectory directory;
    const std::set<std::string> expected{"a", ".hidden", "b\nc", "\xFF"};
    for (const auto& name : expected) std::ofstream(directory / name) << "x";
    std::set<std::string> found;
    each_name(open_directory(directory.path()), "it", [&](std::string_view name) { found.emplace(name); });
    CHECK(found == expected);
}

TEST_CASE("of too many extents the smallest holes count as data") {
    ExtentList few(3);
    for (const DataExtent extent : {DataExtent{0, 10}, DataExtent{20, 10}, DataExtent{1'000, 10}}) few.add(extent);
    CHECK(few.list() == Extents{{0, 10}, {20, 10}, {1'000, 10}});
    few.add({5'000, 10});
    CHECK(few.list() == Extents{{0, 30}, {1'000, 10}, {5'000, 10}});
    ExtentList many(100);
    for (std::uint64_t at = 0; at < 1'000'000; at += 7) many.add({at, 1});
    CHECK(many.list().size() <= 100);
    CHECK(many.list().front().offset == 0);
    CHECK(many.list().back().offset + many.list().back().length == 999'999 - 999'999 % 7 + 1);
}

TEST_CASE("holes of a file") {
    const support::TemporaryDirectory directory;
    const Descriptor file(::open((directory / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::ftruncate(file.get(), 10 << 20) == 0);
    CHECK(data_extents(file, 10 << 20, 10, "f").empty());
    REQUIRE(::pwrite(file.get(), "x", 1, 5 << 20) == 1);
    const auto extents = data_extents(file, 10 << 20, 10, "f");
    REQUIRE(extents.size() == 1);
    CHECK(extents[0].offset <= 5U << 20U);
    CHECK(extents[0].offset + extents[0].length > 5U << 20U);
    CHECK(data_extents(file, 0, 10, "f").empty());
}

TEST_CASE("what users and groups are called") {
    CHECK(name_of_user(0) == "root");
    CHECK(name_of_group(0) == "root");
    CHECK(!name_of_user(3'999'999'999));
    CHECK(!name_of_group(3'999'999'999));
}
