// Whole trees as a tar, read again by our own reader and by the stock tar.
#include "codec/tree_writer.hpp"

#include <cstdlib>
#include <iostream>

#include "codec/tar_reader.hpp"
#include "support.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;
using pgbakd::base::Status;
using Type = TreeMember::Type;

namespace {

class Listing final : public TarHandler {
  public:
    Status on_begin(const TarEntry& entry) override {
        entries.push_back(entry);
        return {};
    }
    Status on_bytes(Bytes bytes) override {
        bytes_read += bytes.size();
        return {};
    }
    Status on_end() override { return {}; }
    std::vector<TarEntry> entries;
    std::uint64_t bytes_read = 0;
};

TreeMember member(const std::string& path, Type type = Type::file, std::uint64_t size = 0) {
    TreeMember made;
    made.path = path;
    made.type = type;
    made.size = size;
    made.mode = 0644;
    made.owner = 1000;
    made.group = 1000;
    made.modified_seconds = 1'768'262'401;
    return made;
}

void put(TreeWriter& writer, const TreeMember& what, std::string_view content = {}) {
    writer.begin(what).value();
    writer.write(bytes_of(content)).value();
    CHECK(writer.missing() == 0);
    writer.end().value();
}

std::string tar_of(const std::vector<TreeMember>& members) {
    CollectingSink sink;
    TreeWriter writer(sink);
    for (const auto& one : members) put(writer, one, std::string(one.size, 'x'));
    writer.finish().value();
    CHECK(sink.finished == 1);
    return text_of(sink.content);
}

// What `tar tvf` says, and what it complains of.
std::string listed(const std::string& tar) {
    const support::TemporaryDirectory directory;
    std::ofstream(directory / "x.tar", std::ios::binary) << tar;
    const auto out = (directory / "out").native();
    const auto command = "TZ=UTC LC_ALL=C tar --full-time --numeric-owner -tvf '" + (directory / "x.tar").native() +
                         "' >'" + out + "' 2>&1";
    CHECK(std::system(command.c_str()) == 0);
    // One blank where tar makes columns.
    std::string text;
    for (const char c : text_of(read_file(out)))
        if (c != ' ' || !text.ends_with(' ')) text += c;
    return text;
}

}  // namespace

TEST_CASE("what a tree has is in the tar, and stock tar lists it without a complaint") {
    auto device = member("dev/sda", Type::block_device);
    device.device_major = 8;
    device.device_minor = 300;
    auto link = member("link", Type::symbolic_link);
    link.target = "/else/where";
    auto hard = member("hard", Type::hard_link);
    hard.target = "d/file";
    auto directory = member("d", Type::directory);
    directory.mode = 02755;
    auto file = member("d/file", Type::file, 3);
    file.modified_nanoseconds = 123'456'789;
    file.mode = 04755;
    file.owner = 4'000'000'000;
    auto old = member("old", Type::file);
    old.modified_seconds = -1;
    const auto listing =
        listed(tar_of({directory, file, link, hard, member("fifo", Type::fifo), device, old,
                       member(std::string(150, 'n') + "/" + std::string(150, 'm')), member("h\xC3\xA4")}));
    CHECK(listing ==
          "drwxr-sr-x 1000/1000 0 2026-01-13 00:00:01 d/\n"
          "-rwsr-xr-x 4000000000/1000 3 2026-01-13 00:00:01.123456789 d/file\n"
          "lrw-r--r-- 1000/1000 0 2026-01-13 00:00:01 link -> /else/where\n"
          "hrw-r--r-- 1000/1000 0 2026-01-13 00:00:01 hard link to d/file\n"
          "prw-r--r-- 1000/1000 0 2026-01-13 00:00:01 fifo\n"
          "brw-r--r-- 1000/1000 8,300 2026-01-13 00:00:01 dev/sda\n"
          "-rw-r--r-- 1000/1000 0 1969-12-31 23:59:59 old\n"
          "-rw-r--r-- 1000/1000 0 2026-01-13 00:00:01 " +
              std::string(150, 'n') + "/" + std::string(150, 'm') +
              "\n"
              "-rw-r--r-- 1000/1000 0 2026-01-13 00:00:01 h\\303\\244\n");
}

TEST_CASE("names are bytes; only what is no UTF-8 is marked as such") {
    for (const std::string name :
         {"plain", "h\xC3\xA4\xC3\x9F", "e\xCC\x81", "\xED\xA0\x80\xED\xB0\x80", "b\xFF", "a\nb"}) {
        INFO(name);
        const bool is_text = name.find('\xFF') == std::string::npos && name.find('\xED') == std::string::npos;
        auto link = member("l", Type::symbolic_link);
        link.target = name;
        const auto tar = tar_of({member(name), link});
        CHECK((tar.find("hdrcharset=BINARY") == std::string::npos) == is_text);
        CHECK(tar.find(name) != std::string::npos);
        Listing listing;
        TarReader reader(listing);
        feed(reader, bytes_of(tar)).value();
        REQUIRE(listing.entries.size() == 2);
        CHECK(listing.entries[0].path == name);
    }
}

TEST_CASE("attributes and ACLs are written as GNU tar reads them") {
    auto file = member("f");
    file.attributes = {{"user.a", std::string("x\0y\n", 4)}, {"security.capability", "c"}};
    file.access = {{AclEntry::Tag::owner, 6, 0, ""},   {AclEntry::Tag::user, 4, 1001, "alice"},
                   {AclEntry::Tag::user, 4, 1002, ""}, {AclEntry::Tag::owning_group, 4, 0, ""},
                   {AclEntry::Tag::mask, 4, 0, ""},    {AclEntry::Tag::other, 0, 0, ""}};
    auto directory = member("d", Type::directory);
    directory.by_default = {
        {AclEntry::Tag::owner, 7, 0, ""}, {AclEntry::Tag::owning_group, 5, 0, ""}, {AclEntry::Tag::other, 0, 0, ""}};
    const auto tar = tar_of({file, directory});
    CHECK(tar.find(std::string("SCHILY.xattr.user.a=x\0y\n\n", 25)) != std::string::npos);
    CHECK(tar.find("SCHILY.xattr.security.capability=c\n") != std::string::npos);
    CHECK(tar.find("LIBARCHIVE") == std::string::npos);
    CHECK(tar.find("SCHILY.acl.access=user::rw-,group::r--,other::---,user:alice:r--:1001,user:1002:r--,mask::r--") !=
          std::string::npos);
    INFO(tar.substr(tar.find("SCHILY.acl"), 200));
    CHECK(tar.find("SCHILY.acl.default=") != std::string::npos);
}

TEST_CASE("sparse files of any size are stored without their holes") {
    constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
    struct Row {
        std::string path;
        std::uint64_t size;
        std::vector<Extent> data;
    };
    for (const Row& row :
         {Row{"end", 10 * gib, {{10 * gib - 5, 5}}}, Row{"middle", 20 * gib, {{4096, 10}, {9 * gib, 7}}},
          Row{"hole", gib, {}}, Row{std::string(200, 'n') + "/x", 8192, {{0, 1}}}}) {
        INFO(row.path);
        auto file = member(row.path, Type::file, row.size);
        file.sparse = true;
        file.data = row.data;
        CollectingSink sink;
        TreeWriter writer(sink);
        writer.begin(file).value();
        std::uint64_t stored = 0;
        for (const auto& extent : row.data) stored += extent.length;
        CHECK(writer.missing() == stored);
        // Across the borders of its pieces.
        const std::string content(stored, 'x');
        for (std::size_t at = 0; at < content.size(); at += 3)
            writer.write(bytes_of(std::string_view(content).substr(at, 3))).value();
        writer.end().value();
        put(writer, member("after"), "");
        writer.finish().value();
        CHECK(sink.content.size() < 10'000);

        Listing listing;
        TarReader reader(listing);
        feed(reader, sink.content).value();
        REQUIRE(listing.entries.size() == 2);
        CHECK(listing.entries[0].path == row.path);
        CHECK(listing.entries[1].path == "after");
        const auto text = listed(text_of(sink.content));
        CHECK(text.find(" " + std::to_string(row.size) + " ") != std::string::npos);
        CHECK(text.find(row.path + "\n") != std::string::npos);
        CHECK(text.find("after\n") != std::string::npos);
    }
}

TEST_CASE("a file is as long as was announced") {
    CollectingSink sink;
    TreeWriter writer(sink);
    writer.begin(member("f", Type::file, 5)).value();
    CHECK(writer.missing() == 5);
    writer.write(bytes_of("abc")).value();
    CHECK(writer.missing() == 2);
    CHECK(verdict(writer.end()) == "conflict: f shrank while it was read: 2 bytes are missing");
    CHECK(verdict(writer.write(bytes_of("def"))) == "conflict: f grew while it was read");
    writer.write(bytes_of("de")).value();
    writer.end().value();
}

TEST_CASE("a file above 8 GiB has its size in the header, and nothing is written when the writer goes away") {
    CollectingSink sink;
    {
        TreeWriter writer(sink);
        writer.begin(member("big", Type::file, std::uint64_t{9} << 30U)).value();
    }
    CHECK(sink.content.size() < 4096);
    Listing listing;
    TarReader reader(listing);
    reader.write(sink.content).value();
    REQUIRE(listing.entries.size() == 1);
    CHECK(listing.entries[0].size == std::uint64_t{9} << 30U);
}

TEST_CASE("what the sink says of a tree is handed on") {
    class FullSink final : public Sink {
      public:
        Status write(Bytes) override { return pgbakd::base::Error(ErrorCode::no_space, "full"); }
        Status finish() override { return {}; }
    };
    FullSink full;
    TreeWriter writer(full);
    CHECK(verdict(writer.begin(member("f", Type::file, 5))) == "no_space: full");
}
