// Time zone files: pinned ones, made ones with footers of all kinds, and damaged ones.
#include <fstream>
#include <iterator>
#include <limits>

#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string read(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    REQUIRE(stream);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

base::Result<ZonePtr> parse(const std::string& file) {
    return Zone::parse("Test/Zone", std::as_bytes(std::span(file)));
}

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xffU);
    return text;
}

struct Made {
    std::vector<std::pair<std::int64_t, int>> transitions;  // at, type
    std::vector<int> offsets = {0};                         // seconds, by type; all are called ABC
    std::string footer;
    int leap_seconds = 0;
    char version = '2';
};

std::string make(const Made& made) {
    std::string file;
    for (const int width : {4, 8}) {
        const bool is_wide = width == 8;
        file += std::string("TZif") + made.version + std::string(15, '\0');
        const auto leaps = is_wide ? made.leap_seconds : 0;
        const auto transitions = is_wide ? made.transitions.size() : 0;
        for (const std::uint64_t count :
             {std::uint64_t{0}, std::uint64_t{0}, static_cast<std::uint64_t>(leaps), std::uint64_t{transitions},
              std::uint64_t{made.offsets.size()}, std::uint64_t{4}})
            file += big_endian(count, 4);
        if (is_wide) {
            for (const auto& [at, type] : made.transitions) file += big_endian(static_cast<std::uint64_t>(at), 8);
            for (const auto& [at, type] : made.transitions) file += static_cast<char>(type);
        }
        for (const int offset : made.offsets)
            file += big_endian(static_cast<std::uint32_t>(offset), 4) + std::string(2, '\0');
        file += std::string("ABC\0", 4) + std::string(static_cast<std::size_t>(leaps) * 12, '\0');
    }
    return file + '\n' + made.footer + '\n';
}

ZonePtr with_footer(const std::string& footer) {
    Made made;
    made.footer = footer;
    return parse(make(made)).value();
}

TEST_CASE("zones have the offsets of their countries, in the past, now and after 2037", "[calendar]") {
    struct Row {
        std::string zone, instant, shown;
    };
    const auto row = GENERATE(values<Row>({
        {"Europe/Berlin", "1900-01-01T00:00:00Z", "1900-01-01 01:00 CET"},
        {"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59 CET"},
        {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29 03:00 CEST"},
        {"Europe/Berlin", "2038-07-01T12:00:00Z", "2038-07-01 14:00 CEST"},
        {"Europe/Berlin", "2526-07-01T12:00:00Z", "2526-07-01 14:00 CEST"},
        {"Europe/Berlin", "9999-01-01T12:00:00Z", "9999-01-01 13:00 CET"},
        {"Europe/Dublin", "2100-01-15T12:00:00Z", "2100-01-15 12:00 GMT"},
        {"Europe/Dublin", "2100-07-15T12:00:00Z", "2100-07-15 13:00 IST"},
        {"America/New_York", "2050-11-06T05:59:59Z", "2050-11-06 01:59:59 EDT"},
        {"America/New_York", "2050-11-06T06:00:00Z", "2050-11-06 01:00 EST"},
        {"America/St_Johns", "2040-07-01T00:00:00Z", "2040-06-30 21:30 NDT"},
        {"America/Nuuk", "2040-07-01T00:00:00Z", "2040-06-30 23:00 -01"},
        {"Australia/Lord_Howe", "2040-01-01T00:00:00Z", "2040-01-01 11:00 +11"},
        {"Australia/Lord_Howe", "2040-07-01T00:00:00Z", "2040-07-01 10:30 +1030"},
        {"Antarctica/Troll", "2040-07-01T00:00:00Z", "2040-07-01 02:00 +02"},
        {"Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01 05:45 +0545"},
        {"Asia/Shanghai", "2026-01-01T00:00:00Z", "2026-01-01 08:00 CST"},
        {"Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29 23:59:59 -10"},
        {"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31 00:00 +14"},
        {"Africa/Monrovia", "1972-01-07T00:00:00Z", "1972-01-06 23:15:30 MMT"},
        {"Etc/GMT-14", "2026-01-01T00:00:00Z", "2026-01-01 14:00 +14"},
        {"UTC", "2026-01-01T00:00:00Z", "2026-01-01 00:00 UTC"},
    }));
    INFO(row.zone);
    CHECK(format_for_people(at(row.instant), *zone(row.zone)) == row.shown);
}

TEST_CASE("footers say when clocks change", "[calendar]") {
    struct Row {
        std::string footer, instant, shown;
    };
    const auto row = GENERATE(values<Row>({
        {"<+03>-3", "2026-07-01T00:00:00Z", "2026-07-01T03:00:00+03:00"},
        {"EST5", "2026-07-01T00:00:00Z", "2026-06-30T19:00:00-05:00"},
        {"NPT-5:45", "2026-07-01T00:00:00Z", "2026-07-01T05:45:00+05:45"},
        {"EST5EDT,M3.2.0,M11.1.0", "2040-03-11T06:59:59Z", "2040-03-11T01:59:59-05:00"},
        {"EST5EDT,M3.2.0,M11.1.0", "2040-03-11T07:00:00Z", "2040-03-11T03:00:00-04:00"},
        {"EST5EDT", "2040-03-11T07:00:00Z", "2040-03-11T03:00:00-04:00"},
        // Summer time that is the standard, winter time that goes back (Ireland).
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2040-01-01T00:00:00Z", "2040-01-01T00:00:00+00:00"},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2040-07-01T00:00:00Z", "2040-07-01T01:00:00+01:00"},
        // Times before the day and beyond it (Greenland, Palestine).
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", "2026-03-28T22:59:59-02:00"},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", "2026-03-29T00:00:00-01:00"},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", "2026-03-28T01:59:59+02:00"},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", "2026-03-28T03:00:00+03:00"},
        {"AAA0BBB,M1.1.0/-167,M7.1.0/167", "2026-06-30T00:00:00Z", "2026-06-30T01:00:00+01:00"},
        // Jn never counts 29 February, n does.
        {"AAA0BBB,J60/0,J100/0", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00+00:00"},
        {"AAA0BBB,J60/0,J100/0", "2024-03-01T00:00:00Z", "2024-03-01T01:00:00+01:00"},
        {"AAA0BBB,59/0,100/0", "2024-02-29T00:00:00Z", "2024-02-29T01:00:00+01:00"},
        {"AAA0BBB,59/0,100/0", "2023-02-28T12:00:00Z", "2023-02-28T12:00:00+00:00"},
        // Daylight saving time all year (RFC 8536, section 3.3.1).
        {"XXX3EDT4,0/0,J365/23", "2026-01-01T03:00:00Z", "2025-12-31T23:00:00-04:00"},
        {"XXX3EDT4,0/0,J365/23", "2300-07-01T00:00:00Z", "2300-06-30T20:00:00-04:00"},
    }));
    INFO(row.footer);
    CHECK(format_rfc3339(at(row.instant), *with_footer(row.footer)) == row.shown);
}

TEST_CASE("a footer of daylight saving time all year never changes clocks again", "[calendar]") {
    const auto period = with_footer("XXX3EDT4,0/0,J365/23")->period(at("2026-01-01T00:00:00Z"));
    CHECK(period.end == Zone::latest);
}

TEST_CASE("footers that are no rule are refused", "[calendar]") {
    const auto* footer =
        GENERATE("X5", "EST", "EST25", "EST5:60", "<+03-3", "EST5EDT,", "EST5EDT,M3.2.0", "EST5EDT,M13.1.0,M1.1.0",
                 "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J5", "EST5EDT,366,5",
                 "EST5EDT,M3.2.0/168,M11.1.0", "EST5EDT,M3.2.0,M11.1.0 ", "EST5 ", "5EST");
    INFO(footer);
    Made made;
    made.footer = footer;
    const auto zone = parse(make(made));
    REQUIRE_FALSE(zone);
    CHECK(zone.error().code() == base::ErrorCode::corrupt);
}

TEST_CASE("without a footer the last transition stays in force, without transitions the first type", "[calendar]") {
    Made made;
    made.offsets = {0, 3600};
    made.transitions = {{1'000'000'000, 1}};
    auto zone = parse(make(made)).value();
    CHECK(zone->local(at("2001-09-09T01:46:39Z")).offset == seconds{0});
    CHECK(zone->local(at("2001-09-09T01:46:40Z")).offset == hours{1});
    CHECK(zone->local(at("3000-01-01T00:00:00Z")).offset == hours{1});
    made.transitions.clear();
    zone = parse(make(made)).value();
    CHECK(zone->local(at("3000-01-01T00:00:00Z")).offset == seconds{0});
    CHECK(zone->period(at("2026-01-01T00:00:00Z")).begin == Zone::earliest);
    CHECK(zone->period(at("2026-01-01T00:00:00Z")).end == Zone::latest);
}

TEST_CASE("a footer goes on behind the last transition listed, also where that one changes nothing", "[calendar]") {
    Made made;
    made.footer = "EST5EDT,M3.2.0,M11.1.0";
    made.offsets = {-18000, -14400};
    made.transitions = {{946'684'800, 0}, {2'145'916'800, 0}};  // 2000 and 2038, both to standard time
    const auto zone = parse(make(made)).value();
    CHECK(zone->local(at("2030-07-01T00:00:00Z")).offset == hours{-5});
    CHECK(zone->local(at("2038-07-01T00:00:00Z")).offset == hours{-4});
}

TEST_CASE("damaged files are refused", "[calendar]") {
    struct Row {
        std::string what;
        Made made;
        base::ErrorCode code = base::ErrorCode::corrupt;
    };
    std::vector<Row> rows(7);
    rows[0] = {"version 1", {}, base::ErrorCode::unsupported};
    rows[0].made.version = '\0';
    rows[1] = {"leap seconds", {}, base::ErrorCode::unsupported};
    rows[1].made.leap_seconds = 27;
    rows[2].what = "an offset of 26 hours";
    rows[2].made.offsets = {26 * 3600};
    rows[3].what = "transitions out of order";
    rows[3].made.transitions = {{5, 0}, {5, 0}};
    rows[4].what = "an unknown type";
    rows[4].made.transitions = {{5, 1}};
    rows[5].what = "a time out of range";
    rows[5].made.transitions = {{std::numeric_limits<std::int64_t>::min(), 0}};
    rows[6].what = "no type";
    rows[6].made.offsets = {};
    for (const auto& row : rows) {
        INFO(row.what);
        const auto zone = parse(make(row.made));
        REQUIRE_FALSE(zone);
        CHECK(zone.error().code() == row.code);
        CHECK(zone.error().message().starts_with("time zone \"Test/Zone\": "));
    }
    CHECK_FALSE(parse(""));
    CHECK_FALSE(parse("not a zone"));
}

TEST_CASE("a file cut off anywhere is refused", "[calendar]") {
    for (const auto* name : {"Europe/Dublin", "Pacific/Apia", "UTC"}) {
        const auto file = read(data_directory() / "zoneinfo" / name);
        REQUIRE(parse(file));
        for (std::size_t length = 0; length < file.size(); ++length)
            if (parse(file.substr(0, length))) FAIL(name << " cut off after " << length << " bytes was taken");
    }
}

TEST_CASE("a file with a bit flipped is refused or gives periods that join", "[calendar]") {
    const auto daily = schedule("daily at 02:30");
    for (const auto* name : {"Europe/Dublin", "Asia/Kathmandu"}) {
        const auto file = read(data_directory() / "zoneinfo" / name);
        for (std::size_t bit = 0; bit < file.size() * 8; bit += name == std::string("Europe/Dublin") ? 31 : 3) {
            auto flipped = file;
            flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ 1U << bit % 8);
            const auto zone = parse(flipped);
            if (!zone) continue;
            const auto instant = at("2026-01-01T00:00:00Z");
            const auto period = (*zone)->period(instant);
            if (period.begin > instant || period.end <= instant) FAIL("bit " << bit << " of " << name);
            if (period.end < Zone::latest && (*zone)->period(period.end).begin != period.end)
                FAIL("bit " << bit << " of " << name);
            const auto fire = daily.next(instant, **zone);
            if (!fire || *fire - instant > hours{50}) FAIL("bit " << bit << " of " << name);
        }
    }
}

TEST_CASE("the files of right/ count leap seconds and are refused", "[calendar]") {
    const std::filesystem::path path = "/usr/share/zoneinfo/right/Europe/Berlin";
    if (!std::filesystem::exists(path)) return;
    const auto zone = parse(read(path));
    REQUIRE_FALSE(zone);
    CHECK(zone.error().code() == base::ErrorCode::unsupported);
}

TEST_CASE("local times are exact at the ends of their range", "[calendar]") {
    const auto berlin = zone("Europe/Berlin");
    CHECK(berlin->local(base::Instant::max()).offset >= hours{1});
    CHECK(berlin->local(base::Instant::min()).offset < hours{1});
    CHECK(Zone::utc()->local(at("2026-01-01T00:00:00Z")).abbreviation == "UTC");
    CHECK(Zone::utc()->name() == "UTC");
}

}  // namespace
}  // namespace pgbakd::calendar
