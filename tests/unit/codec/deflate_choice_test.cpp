#include <zlib.h>

#include "codec/deflate_choice.hpp"
#include "support.hpp"
#include "support/catch.hpp"

using namespace pgbakd::codec;
using namespace pgbakd::codec::testing;

namespace {

constexpr std::uint64_t mebibyte = 1024UL * 1024;

std::size_t size_by_zlib(Bytes raw, int level) {
    std::vector<Bytef> output(compressBound(raw.size()));
    uLongf size = output.size();
    REQUIRE(compress2(output.data(), &size, reinterpret_cast<const Bytef*>(raw.data()), raw.size(), level) == Z_OK);
    return size;
}

Buffer rows(std::mt19937& random, std::size_t size) {
    std::string text;
    for (int i = 0; text.size() < size; ++i)
        text += std::to_string(i) + "\t{\"user\": \"user" + std::to_string(random() % 5000) + "\", \"state\": \"" +
                (random() % 3 == 0 ? "paid" : "shipped") + "\", \"price\": " + std::to_string(random() % 100000) +
                "}\t\\N\n";
    text.resize(size);
    return buffer_of(text);
}

}  // namespace

TEST_CASE("what is chosen is no larger than by zlib, and not smaller than it need be") {
    std::mt19937 random(1);
    const std::vector<Buffer> contents{rows(random, DeflateChoice::largest_sample),
                                       random_text(random, DeflateChoice::largest_sample),
                                       random_bytes(random, DeflateChoice::largest_sample), Buffer(100'000)};
    PieceDeflater deflater;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        for (int level = 1; level <= 9; ++level) {
            DeflateChoice choice(level);
            choice.learn(contents[i]);
            const auto& mixture = choice.mixture();
            const auto size = [&](DeflateMethod method) {
                return static_cast<double>(deflater.deflate(contents[i], method, true).size());
            };
            const double mixed =
                mixture.cheap_share * size(mixture.cheap) + (1 - mixture.cheap_share) * size(mixture.dear);
            const auto allowed = static_cast<double>(size_by_zlib(contents[i], level));
            INFO("content " << i << ", level " << level);
            CHECK(mixed <= allowed);
            // Where two are mixed, just so much as is needed.
            if (!(mixture.cheap == mixture.dear)) CHECK(mixed * 1.0065 >= allowed);
        }
    }
}

TEST_CASE("of two methods each takes its share") {
    std::mt19937 random(2);
    DeflateChoice choice(6);
    const auto safe = choice.next();
    CHECK(safe == choice.next());
    choice.learn(rows(random, DeflateChoice::largest_sample));
    const auto mixture = choice.mixture();
    int cheap = 0;
    for (int i = 0; i < 1000; ++i) cheap += choice.next() == mixture.cheap ? 1 : 0;
    CHECK(std::abs(cheap - 1000 * mixture.cheap_share) <= 1);
}

TEST_CASE("samples are taken at the beginning, at ever longer steps, and of other tables") {
    struct Row {
        std::uint64_t bytes;
        bool another_table;
        bool due;
    };
    const Buffer sample(DeflateChoice::least_sample);
    DeflateChoice choice(6);
    CHECK(choice.is_due());
    choice.learn(sample);
    for (const auto& row :
         {Row{4 * mebibyte, false, true}, Row{7 * mebibyte, false, false}, Row{mebibyte, false, true},
          Row{16 * mebibyte, false, true}, Row{31 * mebibyte, false, false}, Row{mebibyte, false, true},
          Row{64 * mebibyte, false, true}, Row{63 * mebibyte, false, false}, Row{mebibyte, false, true},
          Row{7 * mebibyte, true, false}, Row{mebibyte, false, true}, Row{4 * mebibyte, false, true}}) {
        CHECK_FALSE(choice.is_due());
        choice.count(row.bytes, row.another_table);
        INFO(row.bytes << (row.another_table ? " of another table" : ""));
        CHECK(choice.is_due() == row.due);
        if (row.due) choice.learn(sample);
    }
}

TEST_CASE("every method leaves a piece open at a whole byte, or ends the stream with it") {
    using Library = DeflateMethod::Library;
    std::mt19937 random(3);
    const std::vector<Buffer> contents{buffer_of("x"),  random_text(random, 70'000), random_bytes(random, 70'000),
                                       Buffer(200'000), rows(random, 1'048'576),     random_bytes(random, 1'048'576)};
    std::vector<DeflateMethod> methods{{Library::isal, 1}, {Library::isal, 3}};
    for (int level = 1; level <= 9; ++level) methods.push_back({Library::libdeflate, level});
    PieceDeflater deflater;
    for (const auto& content : contents) {
        for (const auto& method : methods) {
            INFO(content.size() << " bytes, " << static_cast<int>(method.library) << " level " << method.level);
            Buffer stream{std::byte{0x78}, std::byte{0x9c}}, raw;
            for (int piece = 0; piece < 3; ++piece) {
                const auto part = deflater.deflate(content, method, piece == 2);
                stream.insert(stream.end(), part.begin(), part.end());
                raw.insert(raw.end(), content.begin(), content.end());
            }
            const auto checksum = adler32(1, reinterpret_cast<const Bytef*>(raw.data()), static_cast<uInt>(raw.size()));
            for (const unsigned shift : {24U, 16U, 8U, 0U})
                stream.push_back(static_cast<std::byte>((checksum >> shift) & 0xffU));
            // By zlib itself, as pg_restore does.
            Buffer inflated(raw.size());
            uLongf size = inflated.size();
            CHECK(uncompress(reinterpret_cast<Bytef*>(inflated.data()), &size,
                             reinterpret_cast<const Bytef*>(stream.data()), stream.size()) == Z_OK);
            CHECK((inflated == raw));
        }
    }
}
