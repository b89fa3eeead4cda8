// Texts of instants.
#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;

TEST_CASE("an instant has its texts in a zone", "[calendar]") {
    const auto instant = at("2026-01-14T00:00:00Z");
    const auto berlin = zone("Europe/Berlin");
    CHECK(format_rfc3339(instant, *berlin) == "2026-01-14T01:00:00+01:00");
    CHECK(format_rfc3339_utc(instant) == "2026-01-14T00:00:00Z");
    CHECK(format_for_people(instant, *berlin) == "2026-01-14 01:00 CET");
    CHECK(format_for_people(instant + std::chrono::seconds{7}, *berlin) == "2026-01-14 01:00:07 CET");
    CHECK(format_compact(instant, *berlin) == "20260114_010000");
    CHECK(format_rfc3339(instant, *zone("America/St_Johns")) == "2026-01-13T20:30:00-03:30");
    CHECK(format_rfc3339(instant, *Zone::utc()) == "2026-01-14T00:00:00+00:00");
    // An offset with seconds: text and instant stay together.
    const auto old = at("1960-01-01T00:00:00Z");
    CHECK(format_rfc3339(old, *zone("Africa/Monrovia")) == "1959-12-31T23:16:00-00:44");
    CHECK(at(format_rfc3339(old, *zone("Africa/Monrovia"))) == old);
}

TEST_CASE("instants beyond the years of four digits have a text too", "[calendar]") {
    CHECK(format_rfc3339_utc(base::Instant::max()) == "9999-12-31T23:59:59Z");
    CHECK(format_rfc3339_utc(base::Instant::min()) == "0000-01-01T00:00:00Z");
    CHECK(format_compact(base::Instant::max(), *zone("Europe/Berlin")) == "99991231_235959");
}

TEST_CASE("RFC 3339 is read with any offset", "[calendar]") {
    const auto instant = at("2026-01-14T00:00:00Z");
    for (const auto* text : {"2026-01-14T01:00:00+01:00", "2026-01-13t20:30:00-03:30", "2026-01-14 00:00:00z",
                             "2026-01-14T00:00:00.999999Z", "2026-01-14T00:00:00-00:00"})
        CHECK(at(text) == instant);
    CHECK(at("1969-12-31T23:59:59Z").time_since_epoch().count() == -1);
}

TEST_CASE("what is no RFC 3339 is refused", "[calendar]") {
    const auto* text = GENERATE("", "2026-01-14", "2026-01-14T00:00:00", "2026-01-14T00:00Z", "2026-02-30T00:00:00Z",
                                "2026-13-01T00:00:00Z", "2026-01-14T24:00:00Z", "2026-01-14T00:60:00Z",
                                "2026-01-14T00:00:60Z", "2026-01-14T00:00:00.Z", "2026-01-14T00:00:00.5",
                                "2026-01-14T00:00:00+0100", "2026-01-14T00:00:00+24:00", "2026-01-14T00:00:00Z ",
                                "26-01-14T00:00:00Z", "2026/01/14T00:00:00Z", "+026-01-14T00:00:00Z");
    INFO(text);
    CHECK_FALSE(parse_rfc3339(text));
}

}  // namespace
}  // namespace pgbakd::calendar
