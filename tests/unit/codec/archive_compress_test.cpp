// Archives of pg_dump --compress=0, compressed here: what comes out is read by the same readers as pg_dump's own.
#include "archive_writer.hpp"
#include "codec/archive_compressor.hpp"
#include "codec/stream_decoder.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;
namespace base = pgbakd::base;

namespace {

constexpr std::size_t mebibyte = 1024UL * 1024;

// As run/parallel_archive does it, one after another.
Buffer compressed(Bytes archive, int level = 6, std::size_t chunk = 0) {
    const Compression compression{Method::gzip, level};
    ArchiveSplitter splitter(compression);
    ArchiveCompressor compressor(compression);
    ArchiveJoiner joiner;
    Buffer output;
    feed(splitter, archive, chunk).value();
    for (const auto& batch : splitter.take())
        joiner.add(compressor.compress(*batch),
                   [&output](Buffer bytes) { output.insert(output.end(), bytes.begin(), bytes.end()); });
    joiner.finish();
    return output;
}

std::string verdict_of_splitting(Bytes archive, std::size_t chunk = 0) {
    ArchiveSplitter splitter({Method::gzip, 6});
    return verdict(feed(splitter, archive, chunk));
}

// All that an archive says, in words; its data inflated.
class Story final : public ArchiveHandler {
  public:
    std::string text;
    ArchiveHeader header;

  private:
    base::Status on_header(const ArchiveHeader& read) override {
        header = read;
        decoder_ = make_block_decoder(header.compression).value();
        add(header.version() + " " + header.database.value_or("?") + " " + std::to_string(header.entries));
        return {};
    }
    base::Status on_toc_entry(ArchiveEntry& entry) override {
        add(std::to_string(entry.dump_id) + " " + *entry.description + " " + entry.qualified_name() + " " +
            entry.definition.value_or("-") + " " + entry.copy_statement.value_or("-") + " " +
            std::to_string(entry.dependencies.size()) + " " + std::to_string(static_cast<int>(entry.data_position)));
        return {};
    }
    base::Status on_data_begin(std::int32_t dump_id) override {
        add("data of " + std::to_string(dump_id));
        return {};
    }
    base::Status on_large_object_begin(std::uint32_t oid) override {
        add("object " + std::to_string(oid));
        return {};
    }
    base::Status on_data(Bytes stored) override { return decoder_->write(stored, content_); }
    base::Status on_stream_end() override {
        if (auto status = decoder_->end(content_); !status) return status;
        add(text_of(std::exchange(content_.content, {})));
        return {};
    }
    base::Status on_data_end(std::int32_t dump_id) override {
        add("end of " + std::to_string(dump_id));
        return {};
    }
    void add(const std::string& line) { text += line + "\n"; }

    std::unique_ptr<StreamDecoder> decoder_;
    CollectingSink content_;
};

void tell(Story& story, Bytes archive) {
    ArchiveReader reader(ArchiveForm::custom, story);
    REQUIRE(verdict(feed(reader, archive)) == "good");
}

// The archive is what `raw` is, compressed by gzip.
void check_same(Bytes raw, Bytes archive, int level) {
    Story expected, found;
    tell(expected, raw);
    tell(found, archive);
    CHECK(found.header.compression == ArchiveCompression::gzip);
    if (found.header.minor < 15) CHECK(found.header.level == level);
    CHECK((found.text == expected.text));  // megabytes of it: not to be shown
    CHECK(verdict(Content::custom_archive, archive) == "good");
}

ArchiveHeader header_of(int minor, std::int64_t entries) {
    ArchiveHeader header;
    header.minor = minor;
    header.day = 1;
    header.year = 126;
    header.database = "shop";
    header.server_version = "15.8";
    header.dump_version = "15.8";
    header.entries = entries;
    return header;
}

ArchiveEntry entry_of(std::int32_t id, const std::string& description, bool has_data) {
    ArchiveEntry entry;
    entry.dump_id = id;
    entry.has_data = has_data;
    entry.tag = "t" + std::to_string(id);
    entry.description = description;
    entry.section = 3;
    entry.schema = "public";
    entry.definition = "";
    entry.data_position = has_data ? DataPosition::unknown : DataPosition::no_data;
    return entry;
}

void write_rows(ArchiveWriter& writer, Bytes content, std::size_t row) {
    while (!content.empty()) {
        const auto part = content.first(std::min(row, content.size()));
        writer.on_data(part).value();
        content = content.subspan(part.size());
    }
    writer.on_stream_end().value();
}

// An archive of tables with these contents, as pg_dump writes it uncompressed: a chunk for each row.
Buffer archive_of(const std::vector<Buffer>& tables, std::size_t row = 100, int minor = 14) {
    ArchiveWriter writer;
    writer.on_header(header_of(minor, static_cast<std::int64_t>(tables.size()) + 1)).value();
    auto schema = entry_of(1, "SCHEMA", false);
    writer.on_toc_entry(schema).value();
    for (std::size_t i = 0; i < tables.size(); ++i) {
        auto entry = entry_of(static_cast<std::int32_t>(i) + 2, "TABLE DATA", true);
        writer.on_toc_entry(entry).value();
    }
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i) + 2;
        writer.on_data_begin(id).value();
        write_rows(writer, tables[i], row);
        writer.on_data_end(id).value();
    }
    return writer.output;
}

}  // namespace

TEST_CASE("what pg_dump left uncompressed says the same when it is compressed here") {
    for (const std::string_view file : {"pg15-empty.dump", "pg15-schema.dump", "pg15-Z0.dump", "pg15-blobs-0.dump",
                                        "pg17-Z0.dump", "pg17-blobs-0.dump"}) {
        const auto raw = sample(file);
        if (raw[11] == std::byte{1} || raw[12] != std::byte{0}) continue;  // no data, so that nobody asked for -Z0
        for (const std::size_t chunk : {0, 1, 7, 4096}) {
            INFO(file << " in chunks of " << chunk);
            check_same(raw, compressed(raw, 6, chunk), 6);
        }
    }
}

TEST_CASE("streams of every length are joined into one, at every level") {
    std::mt19937 random(7);
    struct Row {
        std::string_view what;
        Buffer content;
    };
    const std::vector<Row> rows{
        {"nothing", {}},
        {"one byte", buffer_of("x")},
        {"a row", buffer_of("1\tshop\n")},
        {"a byte less than a piece", random_text(random, mebibyte - 1)},
        {"a piece", random_text(random, mebibyte)},
        {"a byte more", random_text(random, mebibyte + 1)},
        {"several pieces", random_text(random, 2 * mebibyte + 12345)},
        {"what cannot be compressed", random_bytes(random, mebibyte + 17)},
        {"zeros", Buffer(2 * mebibyte)},
    };
    for (const auto& row : rows) {
        const auto raw = archive_of({row.content}, 3000);
        for (int level = 1; level <= 9; ++level) {
            INFO(row.what << " at level " << level);
            check_same(raw, compressed(raw, level), level);
        }
    }
}

TEST_CASE("tables after one another keep their own streams, whatever falls where two batches meet") {
    std::mt19937 random(8);
    std::vector<Buffer> tables;
    for (std::size_t i = 0; i < 12; ++i) {
        tables.push_back(random_text(random, random() % (200 * 1024)));
        tables.emplace_back();
        tables.push_back(random_text(random, 1 + random() % 3));
    }
    tables.push_back(random_text(random, mebibyte + 1));
    for (std::size_t i = 0; i < 5000; ++i) tables.emplace_back();  // more than a batch has room for
    tables.push_back(random_text(random, mebibyte));
    for (const int minor : {12, 14, 16}) {
        INFO("version 1." << minor);
        const auto raw = archive_of(tables, 80, minor);
        check_same(raw, compressed(raw), 6);
    }
}

TEST_CASE("random archives, with large objects in several entries, are the same however they are cut") {
    for (unsigned seed = 0; seed < 12; ++seed) {
        INFO("seed " << seed);
        std::mt19937 random(seed);
        const int minor = 12 + static_cast<int>(seed % 5);
        const std::int32_t entries = 2 + static_cast<std::int32_t>(random() % 40);
        ArchiveWriter writer;
        writer.on_header(header_of(minor, entries)).value();
        std::vector<int> kinds;  // 0 none, 1 a table, 2 large objects
        for (std::int32_t id = 1; id <= entries; ++id) {
            kinds.push_back(static_cast<int>(random() % 3));
            auto entry = entry_of(id,
                                  kinds.back() == 2   ? "BLOBS"
                                  : kinds.back() == 1 ? "TABLE DATA"
                                                      : "TABLE",
                                  kinds.back() != 0);
            entry.definition = text_of(random_text(random, random() % 20000));
            writer.on_toc_entry(entry).value();
        }
        const auto stream = [&] {
            const auto size = random() % 64 == 0 ? random() % (2 * mebibyte) : random() % 500;
            write_rows(writer, random() % 3 == 0 ? random_bytes(random, size) : random_text(random, size),
                       1 + random() % 3000);
        };
        for (std::int32_t id = 1; id <= entries; ++id) {
            const int kind = kinds[static_cast<std::size_t>(id) - 1];
            if (kind == 0) continue;
            writer.on_data_begin(id).value();
            if (kind == 1) stream();
            for (auto count = kind == 2 ? random() % 50 : 0; count > 0; --count) {
                // WriteInt takes an int: the upper half of the OIDs comes as negative numbers.
                writer.on_large_object_begin(static_cast<std::uint32_t>(random() | 1U)).value();
                stream();
            }
            writer.on_data_end(id).value();
        }
        const int level = 1 + static_cast<int>(random() % 9);
        const auto archive = compressed(writer.output, level);
        check_same(writer.output, archive, level);
        CHECK((compressed(writer.output, level, 1 + random() % 5000) == archive));
    }
}

TEST_CASE("an archive that breaks off anywhere is not compressed to its end") {
    for (const auto& [file, step] : {std::pair{"pg15-Z0.dump", 13}, std::pair{"pg15-blobs-0.dump", 13}}) {
        const auto raw = sample(file);
        for (std::size_t size = 0; size < raw.size(); size += static_cast<std::size_t>(step)) {
            INFO(file << " of " << size << " bytes");
            CHECK_THAT(verdict_of_splitting(Bytes(raw).first(size)), mentions("corrupt: the archive is "));
        }
    }
}

TEST_CASE("an archive that is compressed already is none of ours") {
    CHECK_THAT(verdict_of_splitting(sample("pg15-Z6.dump")), mentions("unsupported: pg_dump has compressed"));
    CHECK_THAT(verdict_of_splitting(sample("pg17-blobs-zstd.dump"), 1),
               mentions("unsupported: pg_dump has compressed"));
}

TEST_CASE("a piece that is lost, or comes twice, is found out before its stream ends") {
    std::mt19937 random(9);
    const Compression compression{Method::gzip, 6};
    const auto raw = archive_of({random_text(random, 4 * mebibyte)});
    for (const int change : {0, 1, 2}) {
        ArchiveSplitter splitter(compression);
        ArchiveCompressor compressor(compression);
        feed(splitter, raw).value();
        auto batches = splitter.take();
        REQUIRE(batches.size() > 3);
        if (change == 1) batches.erase(batches.begin() + 1);
        if (change == 2) batches.insert(batches.begin() + 1, batches[1]);
        ArchiveJoiner joiner;
        std::string found = "good";
        try {
            for (const auto& batch : batches) joiner.add(compressor.compress(*batch), [](const Buffer&) {});
            joiner.finish();
        } catch (const base::Error& error) {
            found = error.message();
        }
        INFO("change " << change);
        CHECK(found == (change == 0 ? "good" : "a compressed table does not inflate to what it was"));
        if (change == 0) CHECK(joiner.raw_bytes() == 4 * mebibyte);
    }
}

TEST_CASE("a stream is written in chunks that a reader skips in a few steps") {
    std::mt19937 random(10);
    const auto archive = compressed(archive_of({random_bytes(random, 9 * mebibyte)}));
    // The chunks follow one another up to a length of zero.
    const auto head = archive_of({{}}).size() - 5;
    std::size_t at = head, chunks = 0;
    for (;;) {
        const auto length = parse_archive_integer(text_of(Bytes(archive).subspan(at, 5)));
        REQUIRE(length);
        if (*length == 0) break;
        ++chunks;
        at += 5 + static_cast<std::size_t>(*length);
    }
    CHECK(at + 5 == archive.size());
    CHECK(chunks == 3);  // of some 4 MiB
}
