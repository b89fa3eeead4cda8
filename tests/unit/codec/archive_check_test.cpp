#include "archive_writer.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;

namespace {

struct Facts {
    std::string_view file;
    std::string_view version;
    std::uint64_t tables;
    std::uint64_t large_objects;
    std::uint64_t raw_bytes;
};

// Raw bytes: the text of COPY for three tables, and what was put into three large objects.
constexpr std::uint64_t table_bytes = 8550;
constexpr std::uint64_t object_bytes = 3916;

const Facts good_archives[] = {
    {"pg15-empty.dump", "1.14", 0, 0, 0},
    {"pg15-schema.dump", "1.14", 0, 0, 0},
    {"pg15-Z0.dump", "1.14", 3, 0, table_bytes},
    {"pg15-Z6.dump", "1.14", 3, 0, table_bytes},
    {"pg15-Z9.dump", "1.14", 3, 0, table_bytes},
    {"pg15-seekable.dump", "1.14", 3, 0, table_bytes},
    {"pg15-blobs-0.dump", "1.14", 3, 3, table_bytes + object_bytes},
    {"pg15-blobs-6.dump", "1.14", 3, 3, table_bytes + object_bytes},
    {"pg15-redirected.dump", "1.14", 3, 3, table_bytes + object_bytes},
    {"pg17-empty.dump", "1.16", 0, 0, 0},
    {"pg17-schema.dump", "1.16", 0, 0, 0},
    {"pg17-Z0.dump", "1.16", 3, 0, table_bytes},
    {"pg17-Z6.dump", "1.16", 3, 0, table_bytes},
    {"pg17-Z9.dump", "1.16", 3, 0, table_bytes},
    {"pg17-seekable.dump", "1.16", 3, 0, table_bytes},
    {"pg17-blobs-0.dump", "1.16", 3, 3, table_bytes + object_bytes},
    {"pg17-blobs-6.dump", "1.16", 3, 3, table_bytes + object_bytes},
    {"pg17-blobs-zstd.dump", "1.16", 3, 3, table_bytes + object_bytes},
    // Has its table of contents a second time at its end.
    {"pg17-redirected.dump", "1.16", 3, 3, table_bytes + object_bytes},
};

}  // namespace

TEST_CASE("archives that pg_dump wrote are good, whatever the chunks") {
    for (const auto& facts : good_archives) {
        const auto archive = sample(facts.file);
        for (const std::size_t chunk : {0, 1, 7, 4096}) {
            INFO(facts.file << " in chunks of " << chunk);
            const auto check = make_check(Content::custom_archive, Method::none);
            REQUIRE(verdict(feed(*check, archive, chunk)) == "good");
            const auto& result = check->result();
            CHECK(result.archive_version == facts.version);
            CHECK(result.tables_with_data == facts.tables);
            CHECK(result.large_objects == facts.large_objects);
            CHECK(result.raw_bytes == facts.raw_bytes);
            CHECK(result.server_version.starts_with(facts.file.substr(2, 2)));
            CHECK(result.database == (facts.file.find("empty") != std::string_view::npos ? "empty" : "shop"));
        }
    }
}

TEST_CASE("lz4 archives are checked, or refused as unsupported by a build without liblz4") {
    for (const auto& [content, file] : {std::pair{Content::custom_archive, "pg17-blobs-lz4.dump"},
                                        std::pair{Content::directory_archive, "pg17-lz4.dir.tar"}}) {
        const auto status = check(content, sample(file), 7);
        if (!status) CHECK(status.error().code() == ErrorCode::unsupported);
        INFO(file << ": " << verdict(status));
        CHECK((status || !status.error().hint().empty()));
    }
}

TEST_CASE("an archive can be written again from its events, byte for byte") {
    for (const auto& facts : good_archives) {
        if (facts.file == "pg17-redirected.dump") continue;  // its second table of contents causes no events
        const auto archive = sample(facts.file);
        INFO(facts.file);
        CHECK(rewritten(archive, 0) == archive);
    }
}

TEST_CASE("versions 1.12 to 1.16 are read, others are unsupported") {
    struct Row {
        std::string_view file;
        int minor;
    };
    const Row rows[] = {{"pg15-blobs-6.dump", 12},   {"pg15-blobs-6.dump", 13}, {"pg15-blobs-0.dump", 12},
                        {"pg17-blobs-6.dump", 14},   {"pg17-blobs-6.dump", 15}, {"pg17-blobs-0.dump", 15},
                        {"pg17-blobs-zstd.dump", 15}};
    for (const auto& row : rows) {
        const auto archive = rewritten(sample(row.file), row.minor);
        const auto check = make_check(Content::custom_archive, Method::none);
        INFO(row.file << " as 1." << row.minor);
        REQUIRE(verdict(feed(*check, archive, 5)) == "good");
        CHECK(check->result().archive_version == "1." + std::to_string(row.minor));
        CHECK(check->result().raw_bytes == table_bytes + object_bytes);
        CHECK(check->result().large_objects == 3);
    }
    auto archive = sample("pg15-Z6.dump");
    for (const auto& [major, minor] : {std::pair{1, 11}, {1, 17}, {2, 14}, {0, 0}}) {
        archive[5] = static_cast<std::byte>(major);
        archive[6] = static_cast<std::byte>(minor);
        const auto status = check(Content::custom_archive, archive);
        REQUIRE_FALSE(status);
        CHECK(status.error().code() == ErrorCode::unsupported);
        CHECK_FALSE(status.error().hint().empty());
    }
}

TEST_CASE("a compressed copy of an archive is checked through its compression") {
    const auto archive = sample("pg15-blobs-6.dump");
    for (const auto method : {Method::gzip, Method::zstd}) {
        PieceCompressor compressor({method, 3});
        CHECK(verdict(Content::custom_archive, compressor.compress(archive), 11, method) == "good");
        CHECK(verdict(Content::custom_archive, compressor.compress(Bytes(archive).first(4000)), 11, method)
                  .starts_with("corrupt: "));
    }
}
