// A tree as a tar: what stock tar makes of it, and that nothing stays behind.
#include "source/directory_tar.hpp"

#include <sys/stat.h>

#include "base/error.hpp"
#include "codec/check.hpp"
#include "codec/tar_reader.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;
using source::DirectoryTar;

namespace {

class Reader final : public codec::TarHandler {
  public:
    base::Status on_begin(const codec::TarEntry& entry) override {
        names.push_back(entry.path);
        return {};
    }
    base::Status on_bytes(codec::Bytes bytes) override {
        contents[names.back()].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {};
    }
    base::Status on_end() override { return {}; }
    std::vector<std::string> names;
    std::map<std::string, std::string> contents;
};

void write(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a tree becomes a tar in order, and its files are gone") {
    const support::TemporaryDirectory directory;
    const std::string large(3'000'000, 'x');
    write(directory / "dbs.sql", "create");
    write(directory / "taosdump.1/data0/a.avro", large);
    write(directory / "taosdump.1/dbs.sql", "table");
    write(directory / "a first by its name", "");
    std::filesystem::create_directory(directory / "empty");

    DirectoryTar tar(directory.path(), "dbs.sql", "taosdump");
    Reader reader;
    codec::TarReader parser(reader);
    const auto check = codec::make_check(codec::Content::taosdump, codec::Method::none);
    std::size_t largest = 0;
    for (auto piece = tar.next(); !piece.empty(); piece = tar.next()) {
        largest = std::max(largest, piece.size());
        REQUIRE(parser.write(piece));
        REQUIRE(check->write(piece));
    }
    REQUIRE(parser.finish());
    REQUIRE(check->finish());
    CHECK(reader.names ==
          std::vector<std::string>{"dbs.sql", "a first by its name", "taosdump.1/data0/a.avro", "taosdump.1/dbs.sql"});
    CHECK(reader.contents.at("taosdump.1/data0/a.avro") == large);
    CHECK(reader.contents.at("dbs.sql") == "create");
    CHECK(largest < 1'000'000);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path()))
        CHECK(entry.is_directory());
}

TEST_CASE("what is neither a file nor a directory is refused, and nothing is followed") {
    const support::TemporaryDirectory directory;
    const support::TemporaryDirectory other;
    write(other / "secret", "x");
    SECTION("a link to a file") {
        std::filesystem::create_symlink(other / "secret", directory / "link");
    }
    SECTION("a link to a directory") {
        std::filesystem::create_directory_symlink(other.path(), directory / "link");
    }
    SECTION("a pipe") {
        REQUIRE(::mkfifo((directory / "link").c_str(), 0600) == 0);
    }
    DirectoryTar tar(directory.path(), "dbs.sql", "taosdump");
    try {
        (void)tar.next();
        FAIL("nothing was thrown");
    } catch (const base::Error& error) {
        CHECK(error.message() == "taosdump left something that is no file: " + (directory / "link").string());
    }
    CHECK(std::filesystem::exists(other / "secret"));
}
