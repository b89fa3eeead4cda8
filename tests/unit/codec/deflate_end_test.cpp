#include <libdeflate.h>

#include "codec/deflate_end.hpp"
#include "codec/stream_decoder.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;

namespace {

Buffer deflated(Bytes raw, int level) {
    const std::unique_ptr<libdeflate_compressor, void (*)(libdeflate_compressor*)> compressor(
        libdeflate_alloc_compressor(level), libdeflate_free_compressor);
    Buffer result(libdeflate_deflate_compress_bound(compressor.get(), raw.size()));
    result.resize(libdeflate_deflate_compress(compressor.get(), raw.data(), raw.size(), result.data(), result.size()));
    return result;
}

// ISA-L's inflate, another hand than the one that compressed.
Buffer inflated(Bytes deflate, Bytes raw) {
    Buffer stream{std::byte{0x78}, std::byte{0x9c}};
    stream.insert(stream.end(), deflate.begin(), deflate.end());
    const auto checksum = libdeflate_adler32(1, raw.data(), raw.size());
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        stream.push_back(static_cast<std::byte>((checksum >> shift) & 0xffU));
    CollectingSink content;
    const auto decoder = make_zlib_decoder();
    decoder->write(stream, content).value();
    decoder->end(content).value();
    return content.content;
}

}  // namespace

TEST_CASE("whatever is compressed, its last block is found, and another stream can follow it") {
    std::mt19937 random(1);
    const auto second = random_text(random, 5000);
    DeflateWalker walker;
    std::vector<Buffer> contents{{}, buffer_of("x"), Buffer(300'000), random_bytes(random, 100'000)};
    for (const std::size_t size : {2, 30, 500, 4'000, 70'000, 400'000, 1'048'576})
        contents.push_back(random_text(random, size));
    // So that streams end at every bit of a byte.
    for (std::size_t size = 1000; size < 1040; ++size) contents.push_back(random_text(random, size));
    // A stored block between others.
    Buffer mixed = random_text(random, 300'000);
    const auto noise = random_bytes(random, 300'000);
    mixed.insert(mixed.end(), noise.begin(), noise.end());
    mixed.insert(mixed.end(), second.begin(), second.end());
    contents.push_back(mixed);
    for (const auto& content : contents) {
        for (int level = 0; level <= 12; ++level) {
            INFO(content.size() << " bytes at level " << level);
            auto stream = deflated(content, level);
            const auto last = walker.last_block(stream);
            REQUIRE(last.has_value());
            CHECK((last->end + 7) / 8 == stream.size());
            leave_open(stream, *last);
            const auto behind = deflated(second, level);
            stream.insert(stream.end(), behind.begin(), behind.end());
            Buffer both = content;
            both.insert(both.end(), second.begin(), second.end());
            CHECK((inflated(stream, both) == both));
        }
    }
}

TEST_CASE("what is no deflate stream is refused") {
    DeflateWalker walker;
    struct Row {
        std::string_view what;
        Buffer bytes;
    };
    const auto bytes = [](std::initializer_list<unsigned> values) {
        Buffer buffer;
        for (const auto value : values) buffer.push_back(static_cast<std::byte>(value));
        return buffer;
    };
    for (const auto& row : {Row{"nothing", {}}, Row{"a block of no kind", bytes({0x07})},
                            Row{"a stored block whose length is wrong twice", bytes({0x01, 0x05, 0x00, 0xff, 0xff})},
                            Row{"a stored block that is cut off", bytes({0x01, 0x05, 0x00, 0xfa, 0xff, 0x61})},
                            Row{"a block that does not end", bytes({0x03})},
                            Row{"codes that share beginnings", bytes({0x05, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff})}}) {
        INFO(row.what);
        const auto last = walker.last_block(row.bytes);
        REQUIRE_FALSE(last.has_value());
        CHECK(last.error().code() == pgbakd::base::ErrorCode::corrupt);
    }
}

TEST_CASE("a stream that is cut off, or has any bit flipped, is walked within its bounds") {
    std::mt19937 random(3);
    const auto content = random_text(random, 3000);
    DeflateWalker walker;
    for (const int level : {1, 6, 12}) {
        const auto stream = deflated(content, level);
        for (std::size_t size = 0; size < stream.size(); ++size) {
            INFO("level " << level << ", " << size << " bytes");
            CHECK_FALSE(walker.last_block(Bytes(stream).first(size)).has_value());
        }
        for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
            auto flipped = stream;
            flipped[bit / 8] ^= std::byte{1} << (bit % 8);
            const auto last = walker.last_block(flipped);
            if (last) CHECK(last->end <= stream.size() * 8);
        }
    }
}
