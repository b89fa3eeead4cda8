#include "codec/tar_reader.hpp"
#include "codec/tar_writer.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;
using pgbakd::base::Status;
using pgbakd::base::Timestamp;

namespace {

class Listing final : public TarHandler {
  public:
    Status on_begin(const TarEntry& entry) override {
        entries.push_back(entry);
        contents.emplace_back();
        return {};
    }
    Status on_bytes(Bytes bytes) override {
        contents.back() += text_of(bytes);
        return {};
    }
    Status on_end() override {
        ++ended;
        return {};
    }
    std::vector<TarEntry> entries;
    std::vector<std::string> contents;
    std::size_t ended = 0;
};

const Timestamp modified{std::chrono::milliseconds(1'768'262'401'500)};

Buffer tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
    CollectingSink sink;
    TarWriter writer(sink);
    for (const auto& [path, content] : files) {
        writer.begin_file(path, content.size(), modified).value();
        writer.write(bytes_of(content)).value();
        writer.end_file().value();
    }
    writer.finish().value();
    CHECK(sink.finished == 1);
    return sink.content;
}

}  // namespace

TEST_CASE("what the tar writer writes, the tar reader reads") {
    const std::vector<std::pair<std::string, std::string>> files = {
        {"a", ""},
        {"toc.dat", std::string(511, 'x')},
        {"dir/b", std::string(512, 'y')},
        {std::string(99, 'p') + "/" + std::string(90, 'q'), "split between name and prefix"},
        {std::string(300, 'r'), "longer than ustar can say"},
        {"häß€", std::string(100'000, 'z')},
    };
    const auto tar = tar_of(files);
    CHECK(tar.size() % 512 == 0);
    for (const std::size_t chunk : {0, 1, 7, 512, 4096}) {
        Listing listing;
        TarReader reader(listing);
        REQUIRE(verdict(feed(reader, tar, chunk)) == "good");
        REQUIRE(listing.entries.size() == files.size());
        CHECK(listing.ended == files.size());
        for (std::size_t i = 0; i < files.size(); ++i) {
            CHECK(listing.entries[i].path == files[i].first);
            CHECK(listing.entries[i].type == TarType::file);
            CHECK(listing.contents[i] == files[i].second);
        }
    }
}

TEST_CASE("a file in a tar can be larger than ustar's 8 GiB") {
    constexpr std::uint64_t size = (std::uint64_t{1} << 50U) + 5;  // a petabyte: giving it up must not take long either
    // Not written in full: the header is what matters, and a size that shrank is an error.
    CollectingSink sink;
    {
        TarWriter writer(sink);
        writer.begin_file("large", size, modified).value();
        writer.write(bytes_of("abc")).value();
        const auto status = writer.end_file();
        REQUIRE_FALSE(status);
        CHECK_THAT(status.error().message(), mentions("large shrank"));
    }
    Listing listing;
    TarReader reader(listing);
    CHECK(reader.write(sink.content));
    REQUIRE(listing.entries.size() == 1);
    CHECK(listing.entries[0].path == "large");
    CHECK(listing.entries[0].size == size);
    const auto status = reader.finish();
    REQUIRE_FALSE(status);
    CHECK_THAT(status.error().message(), mentions("inside large"));
}

TEST_CASE("a file in a tar must have the size that was announced") {
    CollectingSink sink;
    TarWriter writer(sink);
    REQUIRE(writer.begin_file("x", 3, modified));
    REQUIRE(writer.write(bytes_of("ab")));
    const auto grew = writer.write(bytes_of("cd"));
    REQUIRE_FALSE(grew);
    CHECK_THAT(grew.error().message(), mentions("x grew"));
    CHECK(sink.finished == 0);
}

TEST_CASE("the tar writer hands on what its sink says") {
    class Full final : public Sink {
      public:
        Status write(Bytes) override { return pgbakd::base::Error(ErrorCode::no_space, "writing /x: no space left"); }
        Status finish() override { return {}; }
    } full;
    TarWriter writer(full);
    auto status = writer.begin_file("x", 4, modified);
    if (status) status = writer.write(bytes_of("abcd"));
    if (status) status = writer.end_file();
    if (status) status = writer.finish();
    REQUIRE_FALSE(status);
    CHECK(status.error().code() == ErrorCode::no_space);
}

TEST_CASE("a tar cut at any byte is corrupt") {
    const auto tar = tar_of({{"a", std::string(700, 'x')}, {std::string(200, 'r'), "y"}});
    for (std::size_t size = 0; size < tar.size(); ++size) {
        Listing listing;
        TarReader reader(listing);
        const auto status = feed(reader, Bytes(tar).first(size), 100);
        INFO("cut at byte " << size << " of " << tar.size());
        REQUIRE_FALSE(status);
        CHECK(status.error().code() == ErrorCode::corrupt);
    }
}

TEST_CASE("a bit flipped in a tar's header is found") {
    const auto tar = tar_of({{"a", "content"}});
    for (std::size_t at = 0; at < 512; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto damaged = tar;
            damaged[at] ^= static_cast<std::byte>(1U << bit);
            Listing listing;
            TarReader reader(listing);
            const auto status = feed(reader, damaged);
            INFO("bit " << bit << " of byte " << at);
            // The checksum's own field: a leading zero may become a space, and what ends the number another end.
            if (at < 148 || at > 155) CHECK_FALSE(status);
        }
    }
}

TEST_CASE("tars of other programs are read") {
    // GNU tar: ././@LongLink entries, base-256 sizes, tape records of zeros at the end.
    for (const auto* file : {"pg15-6.dir.tar", "gnu.tar"}) {
        Listing listing;
        TarReader reader(listing);
        REQUIRE(verdict(feed(reader, sample(file), 13)) == "good");
        CHECK(listing.entries.size() >= 3);
        CHECK(listing.entries.front().type == TarType::directory);
        if (std::string_view(file) == "gnu.tar") {
            CHECK(listing.entries.at(1).path == "names/" + std::string(150, 'l'));
            CHECK(listing.contents.at(1) == "long\n");
            CHECK(listing.entries.at(2).type == TarType::other);
        }
    }
}

TEST_CASE("the tar of taosdump begins a restore by dbs.sql") {
    CHECK(verdict(Content::taosdump, tar_of({{"dbs.sql", "x"}, {"taosdump.1/dbs.sql", "y"}})) == "good");
    for (const auto* only : {"taosdump.1/dbs.sql", "other", "dbs.sql.avro"})
        CHECK(verdict(Content::taosdump, tar_of({{only, "x"}})) == "corrupt: dbs.sql is missing, or empty");
    CHECK(verdict(Content::taosdump, tar_of({{"dbs.sql", ""}})) == "corrupt: dbs.sql is missing, or empty");
    CHECK(verdict(Content::taosdump, tar_of({})) == "corrupt: there is nothing in the tar");
}
