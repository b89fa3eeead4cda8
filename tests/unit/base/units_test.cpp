#include "base/units.hpp"

#include "support/catch.hpp"

namespace base = pgbakd::base;
using namespace std::chrono_literals;

TEST_CASE("a size is read as people write it") {
    const auto [text, bytes] = GENERATE(table<std::string, std::uint64_t>({
        {"0", 0},
        {"42", 42},
        {"512 KiB", 512ULL << 10U},
        {"512KiB", 512ULL << 10U},
        {"10 MiB", 10ULL << 20U},
        {"5 GiB", 5ULL << 30U},
        {"1 GB", 1'000'000'000},
        {"1.5 GiB", 3ULL << 29U},
        {"2T", 2ULL << 40U},
    }));
    CAPTURE(text);
    CHECK(base::parse_size(text).value() == bytes);
}

TEST_CASE("what is no size is refused by name") {
    const auto* text = GENERATE("", "GiB", "1 XB", "-1", "1e9", "1 GB more", "99999999999 TiB", "1..2", "٣ MB");
    CAPTURE(text);
    const auto result = base::parse_size(text);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().message() == "\"" + std::string(text) + "\" is not a size");
}

TEST_CASE("a size is shown with three digits") {
    const auto [bytes, text] = GENERATE(table<std::uint64_t, std::string>({
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.00 KiB"},
        {430'080, "420 KiB"},
        {13'002'342, "12.4 MiB"},
        {std::uint64_t{1} << 30U, "1.00 GiB"},
        {~std::uint64_t{0}, "16.0 EiB"},
    }));
    CHECK(base::format_size(bytes) == text);
}

TEST_CASE("a duration is read as people write it, and printed back to the same") {
    const auto [text, duration, canonical] = GENERATE(table<std::string, std::chrono::milliseconds, std::string>({
        {"90s", 90s, "90s"},
        {"15m", 15min, "15m"},
        {"12h", 12h, "12h"},
        {"30 days", 720h, "30 days"},
        {"2 weeks", 336h, "14 days"},
        {"1h 30m", 90min, "90m"},
        {"500ms", 500ms, "500ms"},
        {"1.5h", 90min, "90m"},
        {"0s", 0s, "0s"},
        {"1 day", 24h, "1 day"},
    }));
    CAPTURE(text);
    CHECK(base::parse_duration(text).value() == duration);
    CHECK(base::canonical_duration(duration) == canonical);
    CHECK(base::parse_duration(canonical).value() == duration);
}

TEST_CASE("what is no duration is refused") {
    const auto* text = GENERATE("", "5", "h", "-5s", "5 parsecs", "101 years", "40000 days", "1h-2m");
    CAPTURE(text);
    CHECK_FALSE(base::parse_duration(text).has_value());
}

TEST_CASE("a duration is shown in at most two units") {
    const auto [duration, text] = GENERATE(table<std::chrono::milliseconds, std::string>({
        {350ms, "350 ms"},
        {4100ms, "4.1 s"},
        {59s, "59 s"},
        {725s, "12 min 5 s"},
        {12min, "12 min"},
        {26h, "26 h"},
        {76h, "3 d 4 h"},
    }));
    CHECK(base::format_duration(duration) == text);
}
