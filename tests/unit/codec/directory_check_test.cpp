#include "codec/tar_reader.hpp"
#include "codec/tar_writer.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;
using pgbakd::base::Status;

namespace {

using Files = std::map<std::string, std::string>;

Files files_of(Bytes tar) {
    class Collector final : public TarHandler {
      public:
        Status on_begin(const TarEntry& entry) override {
            name = entry.type == TarType::file ? entry.path.substr(entry.path.find_last_of('/') + 1) : "";
            if (!name.empty()) files[name];
            return {};
        }
        Status on_bytes(Bytes bytes) override {
            files[name] += text_of(bytes);
            return {};
        }
        Status on_end() override { return {}; }
        std::string name;
        Files files;
    } collector;
    TarReader reader(collector);
    feed(reader, tar).value();
    return collector.files;
}

Buffer tar_of(const Files& files, bool reversed = false) {
    CollectingSink sink;
    TarWriter writer(sink);
    const auto add = [&](const auto& file) {
        writer.begin_file(file.first, file.second.size(), {}).value();
        writer.write(bytes_of(file.second)).value();
        writer.end_file().value();
    };
    if (reversed)
        std::for_each(files.rbegin(), files.rend(), add);
    else
        std::for_each(files.begin(), files.end(), add);
    writer.finish().value();
    return sink.content;
}

std::string said_of(const Files& files) {
    return verdict(Content::directory_archive, tar_of(files));
}

std::string first_with(const Files& files, std::string_view beginning, std::string_view ending) {
    for (const auto& [name, content] : files)
        if (name.starts_with(beginning) && name.ends_with(ending)) return name;
    FAIL("no file " << beginning << "…" << ending);
    return {};
}

}  // namespace

TEST_CASE("directory dumps are good, whatever the order of their files and the chunks") {
    for (const auto* file :
         {"pg15-0.dir.tar", "pg15-6.dir.tar", "pg17-0.dir.tar", "pg17-6.dir.tar", "pg17-zstd.dir.tar"}) {
        const auto tar = sample(file);
        const auto files = files_of(tar);
        for (const auto& variant : {tar, tar_of(files), tar_of(files, true)}) {
            for (const std::size_t chunk : {0, 1, 7, 4096}) {
                const auto check = make_check(Content::directory_archive, Method::none);
                INFO(file << " in chunks of " << chunk);
                REQUIRE(verdict(feed(*check, variant, chunk)) == "good");
                CHECK(check->result().tables_with_data == 3);
                CHECK(check->result().large_objects == 3);
                CHECK(check->result().raw_bytes == 8550 + 3916);
                CHECK(check->result().database == "shop");
            }
        }
    }
}

TEST_CASE("a directory dump that lacks a file, has one twice or one too many is corrupt") {
    for (const auto* file : {"pg15-6.dir.tar", "pg17-6.dir.tar", "pg17-zstd.dir.tar", "pg17-0.dir.tar"}) {
        const auto files = files_of(sample(file));
        REQUIRE(said_of(files) == "good");
        for (const auto& [name, content] : files) {
            auto fewer = files;
            fewer.erase(name);
            INFO(file << " without " << name);
            CHECK_THAT(said_of(fewer), mentions("corrupt: "));
        }
        for (const auto* extra : {"99999.dat", "blob_77.dat", "blobs_99999.toc", "notes.txt", "4000000000000.dat"}) {
            auto more = files;
            more[extra] = "";
            INFO(extra);
            CHECK_THAT(said_of(more), mentions("corrupt: "));
        }
    }
    const auto files = files_of(sample("pg15-6.dir.tar"));
    const auto table = first_with(files, "", ".dat.gz");
    auto twice = files;
    twice["x/" + table] = files.at(table);
    CHECK_THAT(said_of(twice), mentions("is there twice"));
    auto also_plain = files;
    also_plain[table.substr(0, table.size() - 3)] = "";
    CHECK_THAT(said_of(also_plain), mentions("is there twice"));
    CHECK_THAT(verdict(Content::directory_archive, tar_of({})), mentions("toc.dat is missing"));
    CHECK(verdict(Content::directory_archive, {}) == "corrupt: the file is empty");
}

TEST_CASE("a damaged file in a directory dump is named") {
    const auto files = files_of(sample("pg15-6.dir.tar"));
    for (const auto& name :
         {first_with(files, "blob_", ".dat.gz"), first_with(files, "3", ".dat.gz"), std::string("toc.dat")}) {
        for (std::size_t size = 0; size < files.at(name).size(); size += 1 + size / 50) {
            auto cut = files;
            cut[name].resize(size);
            const auto said = said_of(cut);
            INFO(name << " cut at " << size);
            REQUIRE(said.starts_with("corrupt: "));
            CHECK_THAT(said, mentions(name));
        }
    }
    auto flipped = files;
    auto& content = flipped[first_with(files, "3", ".dat.gz")];
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
    CHECK_THAT(said_of(flipped), mentions(".dat.gz") && mentions("the compressed data is damaged"));
    auto list = files;
    list["blobs.toc"] = "50001 blob_50002.dat\n";
    CHECK_THAT(said_of(list), mentions("blobs.toc") && mentions("names no large object"));
    list["blobs.toc"] = "50001 blob_50001.dat\n50002 blob_50002.dat";
    CHECK_THAT(said_of(list), mentions("blobs.toc: its last line is cut off"));
    list["blobs.toc"] = std::string(100'000, '1');
    CHECK_THAT(said_of(list), mentions("blobs.toc"));
}

TEST_CASE("a directory dump's tar cut at any byte is corrupt") {
    const auto tar = tar_of(files_of(sample("pg17-zstd.dir.tar")));
    for (std::size_t size = 0; size < tar.size(); size += 37)
        REQUIRE(verdict(Content::directory_archive, Bytes(tar).first(size)).starts_with("corrupt: "));
}
