#include "codec/compress.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;
using pgbakd::base::ErrorCode;

TEST_CASE("a compression is read and written in its shortest form") {
    struct Row {
        std::string_view text;
        Compression compression;
        std::string_view printed;
        std::string_view extension;
    };
    const Row rows[] = {
        {"none", {Method::none, 0}, "none", ""},           {"gzip", {Method::gzip, 6}, "gzip", ".gz"},
        {"gzip:6", {Method::gzip, 6}, "gzip", ".gz"},      {"gzip:1", {Method::gzip, 1}, "gzip:1", ".gz"},
        {"gzip:12", {Method::gzip, 12}, "gzip:12", ".gz"}, {"zstd", {Method::zstd, 3}, "zstd", ".zst"},
        {"zstd:3", {Method::zstd, 3}, "zstd", ".zst"},     {"zstd:19", {Method::zstd, 19}, "zstd:19", ".zst"},
    };
    for (const auto& row : rows) {
        const auto parsed = parse_compression(row.text);
        REQUIRE(parsed);
        CHECK(*parsed == row.compression);
        CHECK(compression_text(*parsed) == row.printed);
        CHECK(parse_compression(compression_text(*parsed)).value() == row.compression);
        CHECK(file_extension(parsed->method) == row.extension);
    }
}

TEST_CASE("a compression that does not exist is refused with what does") {
    for (const std::string_view text : {"", "gz", "GZIP", "gzip:", "gzip:0", "gzip:13", "gzip:6x", "gzip: 6", "gzip:-1",
                                        "zstd:0", "zstd:20", "zstd:99999999999", "none:0", ":3", "lz4"}) {
        const auto parsed = parse_compression(text);
        INFO(text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code() == ErrorCode::invalid_argument);
        CHECK_FALSE(parsed.error().hint().empty());
    }
}

TEST_CASE("pieces have the size that the comment beside piece_size measured") {
    CHECK(piece_size({Method::none, 0}) == 1U << 20U);
    CHECK(piece_size({Method::gzip, 6}) == 1U << 20U);
    CHECK(piece_size({Method::zstd, 3}) == 4U << 20U);
    CHECK(piece_size({Method::zstd, 19}) == 16U << 20U);
}

TEST_CASE("what is compressed in pieces is decompressed to the same bytes, whatever the chunks") {
    std::mt19937 random(20260113);
    for (const auto* text : {"none", "gzip:1", "gzip", "gzip:12", "zstd:1", "zstd", "zstd:19"}) {
        const auto compression = parse_compression(text).value();
        PieceCompressor compressor(compression);
        for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{70'000}, std::size_t{400'000}}) {
            const auto raw = size % 3 == 0 ? random_bytes(random, size) : random_text(random, size);
            Buffer file;
            const std::size_t piece = 1 + random() % size;
            for (std::size_t at = 0; at < size; at += piece) {
                const auto packed = compressor.compress(Bytes(raw).subspan(at, std::min(piece, size - at)));
                file.insert(file.end(), packed.begin(), packed.end());
            }
            for (const std::size_t chunk : {std::size_t{0}, std::size_t{7}, std::size_t{4096}}) {
                CollectingSink sink;
                const auto decoder = make_decoder(compression.method, sink);
                INFO(text << " " << size << " bytes in pieces of " << piece << ", chunks of " << chunk);
                REQUIRE(verdict(feed(*decoder, file, chunk)) == "good");
                CHECK(sink.content == raw);
                CHECK(sink.finished == 1);
            }
        }
    }
}

TEST_CASE("an empty piece is a valid member or frame of nothing") {
    for (const auto method : {Method::gzip, Method::zstd}) {
        PieceCompressor compressor({method, 3});
        const auto empty = compressor.compress({});
        CHECK_FALSE(empty.empty());
        CollectingSink sink;
        CHECK(verdict(feed(*make_decoder(method, sink), empty, 1)) == "good");
        CHECK(sink.content.empty());
    }
}

TEST_CASE("a compressed stream that is empty, cut or followed by something else is corrupt") {
    std::mt19937 random(7);
    for (const auto method : {Method::gzip, Method::zstd}) {
        PieceCompressor compressor({method, 6});
        auto file = compressor.compress(random_text(random, 2000));
        const auto boundary = file.size();
        const auto second = compressor.compress(random_text(random, 500));
        file.insert(file.end(), second.begin(), second.end());
        for (std::size_t size = 0; size < file.size(); ++size) {
            if (size == boundary) continue;  // a whole member: nothing in the stream can tell
            CollectingSink sink;
            const auto status = feed(*make_decoder(method, sink), Bytes(file).first(size), 64);
            INFO("cut at byte " << size << " of " << file.size());
            REQUIRE_FALSE(status);
            CHECK(status.error().code() == ErrorCode::corrupt);
            CHECK(sink.finished == 0);
        }
        for (const std::string_view tail :
             {std::string_view("\0", 1), std::string_view("x"), std::string_view("\0\0\0\0\0\0\0\0\0", 9)}) {
            auto longer = file;
            for (const char c : tail) longer.push_back(static_cast<std::byte>(c));
            CollectingSink sink;
            CHECK(verdict(feed(*make_decoder(method, sink), longer)).starts_with("corrupt: "));
        }
    }
}

TEST_CASE("a bit flipped in a compressed piece is found") {
    std::mt19937 random(8);
    const auto raw = random_text(random, 1500);
    for (const auto method : {Method::gzip, Method::zstd}) {
        PieceCompressor compressor({method, 6});
        auto file = compressor.compress(raw);
        for (std::size_t at = 0; at < file.size(); ++at) {
            for (unsigned bit = 0; bit < 8; ++bit) {
                file[at] ^= static_cast<std::byte>(1U << bit);
                CollectingSink sink;
                const auto status = feed(*make_decoder(method, sink), file);
                file[at] ^= static_cast<std::byte>(1U << bit);
                // Some bits of the headers say nothing about the content: gzip's time and system, a larger window.
                const bool harmless = status && sink.content == raw;
                if (!harmless && (status || status.error().code() != ErrorCode::corrupt))
                    FAIL_CHECK(file_extension(method)
                               << ": bit " << bit << " of byte " << at << ": " << verdict(status));
            }
        }
    }
}

TEST_CASE("a zstd window above 128 MiB is refused") {
    // A frame header (RFC 8878, 3.1.1.1): magic, descriptor without content size, window 2^28, one empty last block.
    const Buffer frame = {std::byte{0x28},      std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd}, std::byte{0x00},
                          std::byte{18U << 3U}, std::byte{0x01}, std::byte{0x00}, std::byte{0x00}};
    CollectingSink sink;
    CHECK_THAT(verdict(feed(*make_decoder(Method::zstd, sink), frame)), mentions("128 MiB"));
}
