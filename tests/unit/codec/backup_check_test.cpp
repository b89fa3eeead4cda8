// A base backup's tars against its manifest: what PostgreSQL sends is good, and whatever differs is named.
#include <fmt/format.h>

#include <functional>

#include "codec/backup_check.hpp"
#include "codec/crc32c.hpp"
#include "codec/sha256.hpp"
#include "codec/tar_writer.hpp"
#include "support.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::Status;

namespace {

constexpr std::uint64_t segment_size = std::uint64_t{1} << 20U;

class MemoryStore final : public LedgerStore {
  public:
    void write(Bytes bytes) override { content_.insert(content_.end(), bytes.begin(), bytes.end()); }
    std::size_t read(std::span<std::byte> into) override {
        // Little at a time: entries lie across what is read at once.
        const auto count = std::min({into.size(), content_.size() - used_, std::size_t{7}});
        std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(used_), count, into.begin());
        used_ += count;
        return count;
    }

  private:
    Buffer content_;
    std::size_t used_ = 0;
};

struct File {
    std::string path;
    std::string content;
};

std::string hex_crc(const std::string& content) {
    const auto crc = crc32c(bytes_of(content));
    std::string text;
    for (unsigned shift = 0; shift < 32; shift += 8) text += fmt::format("{:02x}", (crc >> shift) & 0xffU);
    return text;
}

// A segment whose first page says that it is that one.
std::string segment(std::uint64_t number) {
    std::string content(segment_size, 'w');
    for (std::size_t i = 0; i < 8; ++i) content[8 + i] = static_cast<char>((number * segment_size) >> (8 * i));
    return content;
}

std::string entry(const File& file) {
    return fmt::format(
        R"({{ "Path": "{}", "Size": {}, "Last-Modified": "2026-01-11 02:00:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "{}" }})",
        file.path, file.content.size(), hex_crc(file.content));
}

std::string signed_text(const std::string& text) {
    return text + fmt::format("\"Manifest-Checksum\": \"{}\"}}\n", sha256_hex(bytes_of(text)));
}

// A backup of a cluster with one tablespace, as the server would send it; each test spoils something of it.
struct Backup {
    std::vector<File> tablespace{{"PG_15_202209061/16384/16390", std::string(8192, 'a')},
                                 {"PG_15_202209061/16384/16390_fsm", ""}};
    std::vector<File> base{{"backup_label", "START WAL LOCATION"},
                           {"tablespace_map", "16400 /srv/fast\n"},
                           {"global/1262", std::string(8192, 'b')},
                           {"base/1/PG_VERSION", "15\n"},
                           {"postgresql.auto.conf", ""},
                           {"global/pg_control", std::string(8192, 'c')},
                           {"pg_wal/000000010000000000000002", segment(2)},
                           {"pg_wal/archive_status/000000010000000000000002.done", ""},
                           {"pg_wal/000000010000000000000003", segment(3)},
                           {"pg_wal/archive_status/000000010000000000000003.done", ""}};
    std::vector<std::string> entries = all_entries();
    std::string ranges = R"({ "Timeline": 1, "Start-LSN": "0/200028", "End-LSN": "0/3000F8" })";
    std::function<std::string(std::string)> spoil_manifest = [](std::string text) { return text; };

    [[nodiscard]] std::vector<std::string> all_entries() const {
        std::vector<std::string> found;
        for (const auto& file : tablespace) found.push_back(entry({"pg_tblspc/16400/" + file.path, file.content}));
        for (const auto& file : base)
            if (!file.path.starts_with("pg_wal/0")) found.push_back(entry(file));
        return found;
    }
    [[nodiscard]] std::string manifest() const {
        return spoil_manifest(signed_text(fmt::format(
            "{{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n{}\n],\n\"WAL-Ranges\": [\n{}\n],\n",
            fmt::join(entries, ",\n"), ranges)));
    }
    File& file(const std::string& path) {
        for (auto* files : {&tablespace, &base})
            for (auto& each : *files)
                if (each.path == path) return each;
        throw std::runtime_error("no file " + path);
    }
    void remove(const std::string& path) {
        std::erase_if(base, [&path](const File& each) { return each.path == path; });
    }
    void remove_entry(const std::string& part) {
        std::erase_if(entries, [&part](const std::string& each) { return each.find(part) != std::string::npos; });
    }
};

Buffer tar_of(const std::vector<File>& files) {
    CollectingSink sink;
    TarWriter writer(sink);
    for (const auto& file : files) {
        writer.begin_file(file.path, file.content.size(), {}).value();
        writer.write(bytes_of(file.content)).value();
        writer.end_file().value();
    }
    writer.finish().value();
    return sink.content;
}

Status check_all(const Backup& backup, std::size_t chunk) {
    const auto record = make_backup_record(std::make_unique<MemoryStore>(), segment_size);
    const auto pass = [chunk](std::unique_ptr<Check> check, Bytes bytes) { return feed(*check, bytes, chunk); };
    if (auto status = pass(make_backup_tar_check(record, "pg_tblspc/16400/"), tar_of(backup.tablespace)); !status)
        return status;
    if (auto status = pass(make_backup_tar_check(record, {}), tar_of(backup.base)); !status) return status;
    return pass(make_backup_manifest_check(record), bytes_of(backup.manifest()));
}

std::string verdict_of(const std::function<void(Backup&)>& spoil) {
    Backup backup;
    spoil(backup);
    const auto found = verdict(check_all(backup, 0));
    for (const std::size_t chunk : {1U, 513U}) CHECK(verdict(check_all(backup, chunk)) == found);
    return found;
}

}  // namespace

TEST_CASE("CRC-32C is that of RFC 3720") {
    CHECK(crc32c({}) == 0);
    CHECK(crc32c(bytes_of("123456789")) == 0xe3069283U);
    CHECK(crc32c(bytes_of("6789"), crc32c(bytes_of("12345"))) == 0xe3069283U);
    CHECK(crc32c(Buffer(32)) == 0x8a9136aaU);
    CHECK(crc32c(Buffer(32, std::byte{0xff})) == 0x62a8ab43U);
}

TEST_CASE("a backup whose files are those of its manifest is good") {
    CHECK(verdict_of([](Backup&) {}) == "good");
}

TEST_CASE("whatever of a backup differs from its manifest is named") {
    struct Row {
        const char* what;
        std::function<void(Backup&)> spoil;
        const char* verdict;
    };
    const std::vector<Row> rows = {
        {"a byte of a file", [](Backup& b) { b.file("global/1262").content[77] ^= 1; },
         "corrupt: global/1262 has another checksum than the backup manifest says"},
        {"a byte of a tablespace", [](Backup& b) { b.file("PG_15_202209061/16384/16390").content[0] ^= 64; },
         "corrupt: pg_tblspc/16400/PG_15_202209061/16384/16390 has another checksum than the backup manifest says"},
        {"the size", [](Backup& b) { b.file("global/1262").content += 'x'; },
         "corrupt: global/1262 has 8193 bytes, and 8192 in the backup manifest"},
        {"a file is missing", [](Backup& b) { b.remove("base/1/PG_VERSION"); },
         "corrupt: base/1/PG_VERSION is in the backup manifest, but the server did not send it"},
        {"the last file is missing", [](Backup& b) { b.remove("pg_wal/archive_status/000000010000000000000003.done"); },
         "corrupt: pg_wal/archive_status/000000010000000000000003.done is in the backup manifest, but the server did "
         "not "
         "send it"},
        {"a file too many",
         [](Backup& b) {
             b.base.insert(b.base.begin() + 2, {"base/1/9999", "new"});
         },
         "corrupt: the server sent base/1/9999, which is not in its backup manifest"},
        {"a file too many at the end",
         [](Backup& b) {
             b.base.push_back({"base/1/9999", "new"});
         },
         "corrupt: the server sent base/1/9999, which is not in its backup manifest"},
        {"an entry is missing", [](Backup& b) { b.remove_entry("global/1262"); },
         "corrupt: the server sent global/1262, which is not in its backup manifest"},
        {"another kind of checksum", [](Backup& b) { b.entries[3].replace(b.entries[3].find("CRC32C"), 6, "SHA224"); },
         "unsupported: tablespace_map has a checksum of the kind \"SHA224\" in the backup manifest, and not CRC32C"},
        {"no WAL", [](Backup& b) { b.remove("pg_wal/000000010000000000000002"); },
         "corrupt: the WAL segment 000000010000000000000002 is missing or holds other WAL: the backup could not be "
         "made "
         "consistent"},
        {"a hole in the WAL",
         [](Backup& b) { b.ranges = R"({ "Timeline": 1, "Start-LSN": "0/200028", "End-LSN": "0/400001" })"; },
         "corrupt: the WAL segment 000000010000000000000004 is missing or holds other WAL: the backup could not be "
         "made "
         "consistent"},
        {"a recycled segment", [](Backup& b) { b.file("pg_wal/000000010000000000000003").content = segment(1); },
         "corrupt: the WAL segment 000000010000000000000003 is missing or holds other WAL: the backup could not be "
         "made "
         "consistent"},
        {"a segment cut short", [](Backup& b) { b.file("pg_wal/000000010000000000000003").content.resize(4096); },
         "corrupt: the WAL segment pg_wal/000000010000000000000003 has 4096 bytes instead of 1048576"},
        {"another timeline",
         [](Backup& b) { b.ranges = R"({ "Timeline": 2, "Start-LSN": "0/200028", "End-LSN": "0/300001" })"; },
         "corrupt: the WAL segment 000000020000000000000002 is missing or holds other WAL: the backup could not be "
         "made "
         "consistent"},
        {"no range", [](Backup& b) { b.ranges.clear(); }, "corrupt: the backup manifest names no WAL"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(verdict_of(row.spoil) == row.verdict);
    }
}

TEST_CASE("what the manifest need not tell of is let pass") {
    // Other files of pg_wal, as pg_verifybackup does; a range that ends where a segment begins needs no more of it.
    CHECK(verdict_of([](Backup& b) { b.remove_entry("000000010000000000000003.done"); }) == "good");
    CHECK(verdict_of([](Backup& b) { b.base.push_back({"pg_wal/00000002.history", "1 0/2 why"}); }) == "good");
    CHECK(verdict_of([](Backup& b) {
              b.ranges = R"({ "Timeline": 1, "Start-LSN": "0/200028", "End-LSN": "0/400000" })";
          }) == "good");
    // A server whose memory begins with the other end.
    CHECK(verdict_of([](Backup& b) {
              const auto crc = hex_crc(b.file("global/1262").content);
              const auto swapped = crc.substr(6, 2) + crc.substr(4, 2) + crc.substr(2, 2) + crc.substr(0, 2);
              for (auto& each : b.entries)
                  if (const auto at = each.find(crc); at != std::string::npos) each.replace(at, 8, swapped);
          }) == "good");
}

TEST_CASE("where timelines part the later one has the segment of both") {
    const auto ranges = R"({ "Timeline": 1, "Start-LSN": "0/200028", "End-LSN": "0/300800" },
{ "Timeline": 2, "Start-LSN": "0/300800", "End-LSN": "0/300900" })";
    const auto both = [&ranges](Backup& b) {
        b.ranges = ranges;
        b.file("pg_wal/000000010000000000000003").path = "pg_wal/000000020000000000000003";
    };
    CHECK(verdict_of(both) == "good");
    CHECK_THAT(verdict_of([&](Backup& b) {
                   both(b);
                   b.remove("pg_wal/000000010000000000000002");
               }),
               mentions("000000010000000000000002 is missing"));
}

TEST_CASE("a manifest is read in pieces, with all that its syntax allows") {
    const auto escaped = signed_text(
        "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 7000000000000000001,\n\"Files\": [\n"
        "{ \"Path\": \"a\\\\b\\\"\\u00e9\\ud83d\\ude00\", \"Size\": 0, \"Last-Modified\": \"x\" },\n"
        "{ \"Encoded-Path\": \"62ff\", \"Size\": 1, \"Last-Modified\": \"x\" }\n],\n"
        "\"WAL-Ranges\": [\n{ \"Timeline\": 1, \"Start-LSN\": \"16/B374D848\", \"End-LSN\": \"16/B374D850\" }\n],\n");
    struct Told final : ManifestHandler {
        Status on_file(const ManifestFile& file) override {
            paths.push_back(file.path);
            return {};
        }
        Status on_wal_range(const WalRange& range) override {
            begin = range.begin;
            return {};
        }
        std::vector<std::string> paths;
        std::uint64_t begin = 0;
    };
    for (const std::size_t chunk : {0U, 1U, 17U}) {
        Told told;
        BackupManifestReader reader(told);
        CHECK(verdict(feed(reader, bytes_of(escaped), chunk)) == "good");
        CHECK(told.paths == std::vector<std::string>{"a\\b\"é😀", "b\xff"});
        CHECK(told.begin == 0x16b374d848);
    }
}

TEST_CASE("a damaged manifest is found out, whatever is damaged") {
    const auto whole = Backup().manifest();
    CHECK(verdict(Content::backup_manifest, bytes_of(whole)) == "good");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto found = verdict(Content::backup_manifest, bytes_of(whole.substr(0, size)));
        if (found == "good" || !found.starts_with("corrupt: ")) FAIL("cut off after " << size << ": " << found);
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto flipped = whole;
        flipped[at] ^= 4;
        const auto found = verdict(Content::backup_manifest, bytes_of(flipped));
        if (found == "good") FAIL("flipped at " << at);
    }
    struct Row {
        std::string text;
        std::string verdict;
    };
    const std::string file = R"("Files": [ { "Path": "a", "Size": 0 } ],)";
    const std::vector<Row> rows = {
        {"[]\n", "corrupt: the backup manifest is damaged: \"\" is not what it must be"},
        {"{}\n", "corrupt: the backup manifest is damaged: it does not say its version"},
        {signed_text("{ \"PostgreSQL-Backup-Manifest-Version\": 3,\n"),
         "unsupported: the backup manifest has the version 3; known are 1 and 2"},
        {"{ " + file + " }\n", "corrupt: the backup manifest is damaged: \"Files\" is not what it must be"},
        {"{ \"PostgreSQL-Backup-Manifest-Version\": 1 }\n",
         "corrupt: the backup manifest is damaged: it has no checksum of its own"},
        {signed_text("{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"Files\": [ { \"Path\": \"a\" } ],\n"),
         "corrupt: the backup manifest is damaged: its entry of \"a\" is not whole"},
        {signed_text(
             "{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"Files\": [ { \"Path\": \"a\", \"Size\": -1 } ],\n"),
         "corrupt: the backup manifest is damaged: \"Size\" is not what it must be"},
        {signed_text("{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"WAL-Ranges\": [ { \"Timeline\": 1, "
                     "\"Start-LSN\": \"0/3\", \"End-LSN\": \"0/2\" } ],\n"),
         "corrupt: the backup manifest is damaged: a range of its WAL is not whole"},
        {"{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Manifest-Checksum\": \"" + std::string(64, '0') + "\"}\n",
         "corrupt: the backup manifest is damaged: its own checksum is not that of its bytes"},
        {"{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"Manifest-Checksum\": \"0\", \"Files\": [] }\n",
         "corrupt: the backup manifest is damaged: something follows its checksum"},
        {std::string(100, '['), "corrupt: the backup manifest is damaged: \"\" is not what it must be"},
        {"{ \"" + std::string(70'000, 'a'), "corrupt: the backup manifest is damaged: a line is too long"},
        {"{ \"" + std::string(20'000, 'a'),
         "corrupt: the backup manifest is damaged at byte 16387: a text that is too long"},
    };
    for (const auto& row : rows) {
        INFO(row.text.substr(0, 200));
        CHECK(verdict(Content::backup_manifest, bytes_of(row.text)) == row.verdict);
    }
}

TEST_CASE("a backup of very many files is compared file by file") {
    const auto record = make_backup_record(std::make_unique<MemoryStore>(), segment_size);
    Backup backup;
    for (int i = 0; i < 30'000; ++i)
        backup.base.insert(backup.base.end() - 4, {fmt::format("base/{}/{}", i / 1000, i * 7919), std::to_string(i)});
    backup.entries = backup.all_entries();
    CHECK(verdict(check_all(backup, 0)) == "good");
    backup.file("base/12/" + std::to_string(12'345 * 7919)).content = "12346";
    CHECK_THAT(verdict(check_all(backup, 0)), mentions("base/12/97760055 has another checksum"));
}
