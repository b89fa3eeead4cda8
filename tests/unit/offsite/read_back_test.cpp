#include "offsite/read_back.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using offsite::sampled_ranges;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t least_sampled = 2 * mebibyte + (std::uint64_t{256} << 10U);

}  // namespace

TEST_CASE("small objects are read whole, of larger ones the head, the tail and four blocks between them") {
    const auto nothing = [] { return std::uint64_t{0}; };
    for (const auto length : {std::uint64_t{0}, std::uint64_t{1}, mebibyte, least_sampled}) {
        const auto ranges = sampled_ranges(length, nothing);
        REQUIRE(ranges.size() == 1);
        CHECK(ranges[0].offset == 0);
        CHECK_FALSE(ranges[0].length);
    }
    std::uint64_t seed = 1;
    const auto random = [&seed] { return seed = seed * 6364136223846793005U + 1442695040888963407U; };
    const auto most = [] { return ~std::uint64_t{0}; };
    std::set<std::uint64_t> offsets;
    for (const auto length : {least_sampled + 1, 3 * mebibyte, 100 * mebibyte + 17, std::uint64_t{1} << 45U}) {
        for (int round = 0; round < 50; ++round) {
            CAPTURE(length, round);
            const auto ranges = round == 0   ? sampled_ranges(length, nothing)
                                : round == 1 ? sampled_ranges(length, most)
                                             : sampled_ranges(length, random);
            REQUIRE(ranges.size() == 6);
            CHECK(ranges.front().offset == 0);
            CHECK(ranges.front().length == mebibyte);
            CHECK(ranges.back().offset == length - mebibyte);
            CHECK_FALSE(ranges.back().length);  // how long it is tells the object's size
            for (std::size_t i = 1; i < ranges.size(); ++i) {
                CHECK(ranges[i].offset >= ranges[i - 1].offset + *ranges[i - 1].length);
                if (i < 5) CHECK(ranges[i].length == std::uint64_t{64} << 10U);
            }
            if (length > 10 * mebibyte) offsets.insert(ranges[2].offset);
        }
    }
    CHECK(offsets.size() > 90);  // random indeed
}

TEST_CASE("a difference in what is read is found, with its place") {
    Bench bench;
    const auto content = noise(4 * mebibyte);
    const auto local = std::make_shared<const offsite::LocalFile>(bench.file("a.dump", content));
    const auto ranges = sampled_ranges(content.size(), [] { return std::uint64_t{4242}; });
    const auto compare = [&](const std::string& there) {
        bench.target.add("shop/a.dump", there);
        bench.run(offsite::compare_samples(bench.target, bench.pool, "shop/a.dump", local, content.size(), ranges, {}));
    };
    compare(content);
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const auto length = ranges[i].length.value_or(content.size() - ranges[i].offset);
        for (const auto at : {ranges[i].offset, ranges[i].offset + length / 2, ranges[i].offset + length - 1}) {
            CAPTURE(i, at);
            auto spoilt = content;
            spoilt[at] = static_cast<char>(spoilt[at] ^ 1);
            const auto error = error_of([&] { compare(spoilt); });
            CHECK(error.code() == ErrorCode::corrupt);
            CHECK(error.message() == "it differs from what was sent at byte " + std::to_string(at));
        }
    }
    // What is not read is not seen.
    auto between = content;
    between[ranges[1].offset - 1] = static_cast<char>(between[ranges[1].offset - 1] ^ 1);
    compare(between);
}

TEST_CASE("an object that is too short or too long, or gone, is not what was sent") {
    Bench bench;
    const auto content = noise(3 * mebibyte);
    const auto local = std::make_shared<const offsite::LocalFile>(bench.file("a.dump", content));
    const auto ranges = sampled_ranges(content.size(), [] { return std::uint64_t{7}; });
    const auto compare = [&] {
        bench.run(offsite::compare_samples(bench.target, bench.pool, "shop/a.dump", local, content.size(), ranges, {}));
    };
    CHECK(error_of(compare).code() == ErrorCode::not_found);
    bench.target.add("shop/a.dump", content.substr(0, content.size() - 10));
    const auto error = error_of(compare);
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message() == "only 1048566 of 1048576 bytes from 2097152 on could be read");
    bench.target.add("shop/a.dump", content + "x");
    CHECK(error_of(compare).message() == "it is longer than the 3145728 bytes that were sent");
    const auto empty = std::make_shared<const offsite::LocalFile>(bench.file("empty", ""));
    const auto compare_empty = [&] {
        bench.run(offsite::compare_samples(bench.target, bench.pool, "shop/empty", empty, 0,
                                           sampled_ranges(0, [] { return std::uint64_t{0}; }), {}));
    };
    CHECK(error_of(compare_empty).code() == ErrorCode::not_found);
    bench.target.add("shop/empty", "");
    compare_empty();
}
