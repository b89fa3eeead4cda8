#include "target/s3_parts.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using namespace pgbakd::target;

namespace {

constexpr std::uint64_t mib = 1024ULL * 1024;
constexpr std::uint64_t gib = 1024 * mib;
constexpr std::uint64_t tib = 1024 * gib;

struct Split {
    std::uint64_t parts = 0;
    std::uint64_t smallest = ~0ULL;  // but for the last
    std::uint64_t largest = 0;
    bool fits = true;
};

Split split(const S3Profile& profile, const PartPlan& plan, std::uint64_t length) {
    Split result;
    for (std::uint64_t sent = 0; sent < length; ++result.parts) {
        const auto size = plan.next(result.parts, sent);
        if (!size) return result.fits = false, result;
        const auto part = std::min(*size, length - sent);
        sent += part;
        result.largest = std::max(result.largest, part);
        if (sent < length) result.smallest = std::min(result.smallest, part);
    }
    result.fits = result.parts <= profile.most_parts && result.largest <= profile.most_part &&
                  (result.parts < 2 || result.smallest >= profile.least_part);
    return result;
}

}  // namespace

TEST_CASE("any length that is known fits, up to each provider's limit") {
    for (const auto* const name : {"aws", "r2", "oss", "cos", "minio", "other"}) {
        const auto& profile = *find_s3_profile(name);
        const auto limit = profile.most_object;
        for (const std::uint64_t length : {1UL, 5 * mib, 8 * mib, 8 * mib + 1, 100 * mib + 1, gib, 79 * gib + 12345,
                                           812 * gib + 1, 3 * tib, limit / 2, limit - 1, limit}) {
            if (length > limit) continue;
            INFO(name << " " << length);
            const auto plan = PartPlan::make(profile, length).value();
            const auto result = split(profile, plan, length);
            CHECK(result.fits);
            if (profile.equal_parts && result.parts > 1) CHECK(result.smallest == result.largest);
        }
        CHECK_FALSE(PartPlan::make(profile, limit + 1).has_value());
    }
}

TEST_CASE("a stream of unknown length fits far beyond what is dumped") {
    struct Row {
        std::string_view provider;
        std::uint64_t length;
    };
    constexpr Row rows[] = {{"aws", 12 * tib}, {"minio", 12 * tib},   {"oss", 12 * tib},
                            {"cos", 12 * tib}, {"other", 1700 * gib}, {"r2", 234 * gib}};
    for (const auto& row : rows) {
        INFO(row.provider);
        const auto& profile = *find_s3_profile(row.provider);
        const auto plan = PartPlan::make(profile, std::nullopt).value();
        CHECK(plan.longest() >= row.length);
        CHECK(split(profile, plan, row.length).fits);
    }
}

TEST_CASE("four parts in flight and one that is filled stay within the memory for parts, at any length") {
    for (const auto* const name : {"aws", "r2", "oss", "cos", "minio", "other"}) {
        const auto& profile = *find_s3_profile(name);
        for (const bool known : {true, false}) {
            for (const std::uint64_t length : {gib, 20 * gib, 200 * gib, 2 * tib, profile.most_object}) {
                const auto plan =
                    PartPlan::make(profile, known ? std::optional<std::uint64_t>(length) : std::nullopt).value();
                std::uint64_t sent = 0;
                for (std::uint64_t parts = 0; sent < length; ++parts) {
                    const auto size = plan.next(parts, sent);
                    if (!size) break;
                    sent += *size;
                    const auto at_once = parts_in_flight(*size, 4) + 1;
                    const auto in_memory = std::min(*size, most_in_memory);
                    // One that has grown into a file is in memory no more.
                    if (*size <= most_in_memory && at_once * in_memory > part_memory) FAIL(name << " " << *size);
                    if (*size > most_in_memory && at_once * *size > std::max(part_disk, 3 * *size))
                        FAIL(name << " " << *size);
                }
            }
        }
    }
    static_assert(part_memory < 128 * mib);
    static_assert(5 * most_in_memory <= part_memory);
}

TEST_CASE("streams that are usual go through memory alone") {
    struct Row {
        std::string_view provider;
        std::uint64_t length;
        bool known;
    };
    constexpr Row rows[] = {{"aws", 23 * gib, false}, {"minio", 23 * gib, false}, {"other", 2300 * mib, false},
                            {"r2", 234 * gib, false}, {"aws", 117 * gib, true},   {"minio", 117 * gib, true},
                            {"r2", 117 * gib, true},  {"other", 11 * gib, true}};
    for (const auto& row : rows) {
        INFO(row.provider << " " << row.length);
        const auto& profile = *find_s3_profile(row.provider);
        const auto known = row.known ? std::optional<std::uint64_t>(row.length) : std::nullopt;
        const auto result = split(profile, PartPlan::make(profile, known).value(), row.length);
        CHECK(result.fits);
        CHECK(result.largest <= most_in_memory);
    }
}

TEST_CASE("as many parts are in flight as there is room for") {
    struct Row {
        std::uint64_t size, wanted, expected;
    };
    constexpr Row rows[] = {{8 * mib, 4, 4},    {24 * mib, 4, 4}, {24 * mib, 16, 4},  {8 * mib, 16, 14},
                            {8 * mib, 0, 1},    {25 * mib, 4, 4}, {512 * mib, 16, 7}, {gib, 4, 3},
                            {2048 * mib, 4, 2}, {5 * gib, 4, 2},  {5 * gib, 1, 1}};
    for (const auto& row : rows) {
        INFO(row.size << " " << row.wanted);
        CHECK(parts_in_flight(row.size, row.wanted) == row.expected);
    }
}

TEST_CASE("a stream that is longer than was expected still fits") {
    struct Row {
        std::string_view provider;
        std::uint64_t expected, length;
    };
    constexpr Row rows[] = {{"aws", 200 * gib, 2 * tib}, {"other", 20 * gib, 200 * gib}, {"r2", 200 * gib, 400 * gib},
                            {"oss", gib, 10 * gib},      {"cos", 900 * gib, 9 * tib},    {"minio", 0, 12 * tib}};
    for (const auto& row : rows) {
        INFO(row.provider);
        const auto& profile = *find_s3_profile(row.provider);
        CHECK(split(profile, PartPlan::make(profile, row.expected).value(), row.length).fits);
    }
}

TEST_CASE("parts grow with what was sent, from 5 MiB") {
    const auto& aws = *find_s3_profile("aws");
    const auto plan = PartPlan::make(aws, std::nullopt).value();
    CHECK(*plan.next(0, 0) == 5 * mib);
    CHECK(*plan.next(1000, 5000 * mib) == 5 * mib);
    CHECK(*plan.next(1001, 5005 * mib) == 6 * mib);
    CHECK(*plan.next(3000, 100 * gib) == 103 * mib);
    CHECK(*plan.next(9000, 6 * tib) == 5 * gib);
    CHECK_FALSE(plan.next(10000, 6 * tib).has_value());
    CHECK_FALSE(plan.next(9999, aws.most_object).has_value());
}

TEST_CASE("equal parts stay equal, and say what to do when they do not suffice") {
    const auto& r2 = *find_s3_profile("r2");
    const auto plan = PartPlan::make(r2, std::nullopt).value();
    CHECK(*plan.next(0, 0) == 24 * mib);
    CHECK(*plan.next(9999, 9999 * 24 * mib) == 24 * mib);
    const auto full = plan.next(10000, 10000 * 24 * mib);
    REQUIRE_FALSE(full.has_value());
    CHECK(full.error().hint().find("part_size") != std::string::npos);
    CHECK(*PartPlan::make(r2, gib).value().next(0, 0) == 5 * mib);
}

TEST_CASE("equal parts of a stream whose length is guessed: so large that twice as much fits, never too small") {
    struct Row {
        std::string_view provider;
        std::uint64_t guess, part;
    };
    constexpr Row rows[] = {
        {"r2", 0, 24 * mib},          {"r2", 100 * gib, 24 * mib}, {"r2", 1 * tib, 2 * 105 * mib},
        {"r2", ~0ULL, 2 * 524 * mib},  // more than an object may have: a guess is no mistake
        {"aws", 1 * tib, 5 * mib},     // parts that grow need none
    };
    for (const auto& row : rows) {
        INFO(row.provider << " " << row.guess);
        const auto plan = PartPlan::make(*find_s3_profile(row.provider), std::nullopt, 0, row.guess).value();
        CHECK(*plan.next(0, 0) == row.part);
        if (row.guess > 0 && row.guess < tib * 2) CHECK(plan.longest() >= 2 * row.guess);
    }
}

TEST_CASE("an upload that is gone on with keeps the parts it can, and equal ones stay equal") {
    struct Row {
        std::string_view provider;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;  // number, MiB
        std::size_t usable;
    };
    const Row rows[] = {{"aws", {}, 0},
                        {"aws", {{1, 8}, {2, 8}, {3, 9}}, 3},
                        {"aws", {{1, 8}, {3, 8}}, 1},
                        {"aws", {{2, 8}, {3, 8}}, 0},
                        {"r2", {{1, 24}, {2, 24}, {3, 24}}, 3},
                        {"r2", {{1, 24}, {2, 24}, {3, 7}}, 2}};
    for (const auto& row : rows) {
        const auto& profile = *find_s3_profile(row.provider);
        std::vector<ListedPart> parts;
        for (const auto& [number, size] : row.parts) parts.push_back({number, size * mib, {}, {}, {}});
        CHECK(usable_parts(profile, parts) == row.usable);
    }
    const std::vector<ListedPart> two{{1, 24 * mib, {}, {}, {}}, {2, 24 * mib, {}, {}, {}}};
    // Now that the length is known, parts would be of another size.
    const auto plan = PartPlan::make(*find_s3_profile("r2"), 100 * mib).value();
    CHECK(*plan.next(2, 48 * mib) == 5 * mib);
    CHECK(*plan.behind(two).next(2, 48 * mib) == 24 * mib);
    CHECK(*PartPlan::make(*find_s3_profile("aws"), 100 * mib).value().behind(two).next(2, 48 * mib) == 5 * mib);
    CHECK(*PartPlan::make(*find_s3_profile("other"), 100 * mib).value().behind(two).next(2, 48 * mib) == 8 * mib);
}

TEST_CASE("a size of the configuration is kept where the provider takes it") {
    const auto& aws = *find_s3_profile("aws");
    CHECK(*PartPlan::make(aws, std::nullopt, 64 * mib).value().next(0, 0) == 64 * mib);
    CHECK_FALSE(PartPlan::make(aws, std::nullopt, mib).has_value());
    CHECK_FALSE(PartPlan::make(aws, std::nullopt, 6 * gib).has_value());
}

TEST_CASE("each profile is found by its name, and knows its storage classes") {
    for (const auto provider :
         {Provider::aws, Provider::r2, Provider::oss, Provider::cos, Provider::minio, Provider::other}) {
        const auto& profile = s3_profile(provider);
        CHECK(profile.provider == provider);
        CHECK(find_s3_profile(profile.name) == &profile);
        CHECK(check_storage_class(profile, "STANDARD").has_value());
        CHECK(check_storage_class(profile, "").has_value());
        CHECK(profile.most_parts * profile.most_part >= profile.most_object);
        CHECK((profile.no_replace == NoReplace::forbid_overwrite) == !profile.forbid_overwrite_header.empty());
    }
    CHECK(find_s3_profile("gcs") == nullptr);
    const auto refused = check_storage_class(s3_profile(Provider::r2), "GLACIER_IR");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().hint() == "one of STANDARD, STANDARD_IA");
}

TEST_CASE("equal parts that were begun without knowing the length are not gone on with where they cannot hold it") {
    struct Row {
        std::string_view provider;
        std::uint64_t length;
        bool can_follow;
    };
    for (const auto& row : {
             Row{"r2", 0, true},  // still not known
             Row{"r2", 100 * gib, true}, Row{"r2", 10'000ULL * 24 * mib, true},
             Row{"r2", 10'000ULL * 24 * mib + 1, false}, Row{"r2", tib, false}, Row{"aws", tib, true},  // parts grow
         }) {
        INFO(row.provider << " " << row.length);
        const auto& profile = *find_s3_profile(row.provider);
        const auto size = PartPlan::make(profile, {}).value().next(0, 0).value();
        std::vector<ListedPart> parts(1000);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            parts[i].number = i + 1;
            parts[i].size = size;
        }
        const auto expected = row.length == 0 ? std::nullopt : std::optional(row.length);
        CHECK(PartPlan::make(profile, expected).value().can_follow(parts, row.length) == row.can_follow);
    }
}
