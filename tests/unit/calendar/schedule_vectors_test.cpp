// tests/data/schedule.tsv: expected fires, one expression in one zone at one instant per line.
#include <algorithm>
#include <fstream>

#include "base/text.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;

// The fires as the file writes them, as many as `expected` has.
std::string fires(const Schedule& schedule, base::Instant after, const Zone& zone, std::size_t count) {
    std::vector<std::string> texts;
    while (texts.size() < count) {
        const auto fire = schedule.next(after, zone);
        if (!fire) {
            if (texts.empty()) return "never";
            break;
        }
        texts.push_back(format_rfc3339_utc(*fire));
        after = *fire;
    }
    return base::join(texts, ",");
}

std::string answer(std::string_view kind, std::string_view expression, std::string_view zone_name,
                   std::string_view after, std::string_view expected) {
    const auto text = kind == "oncalendar" ? "calendar " + std::string(expression) : std::string(expression);
    const auto parsed = Schedule::parse(text);
    if (!parsed) return "invalid";
    const auto place = zone(zone_name);
    const auto count = static_cast<std::size_t>(std::count(expected.begin(), expected.end(), ',')) + 1;
    const auto result = fires(*parsed, at(after), *place, count);
    // The same backwards: from the last of them, the one before it, and so on.
    if (expected == "never" || result != expected) return result;
    const auto listed = base::split(expected, ',');
    for (auto i = listed.size(); i-- > 0;) {
        const auto until = i + 1 < listed.size() ? at(listed[i + 1]) - std::chrono::seconds{1} : at(listed[i]);
        const auto found = parsed->latest(at(after), until, *place);
        if (!found || format_rfc3339_utc(*found) != listed[i]) return "latest differs at " + std::string(listed[i]);
    }
    return result;
}

TEST_CASE("every row of the table of schedules fires when it should", "[calendar]") {
    std::ifstream file(data_directory() / "schedule.tsv");
    REQUIRE(file);
    int rows = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#') || line.empty()) continue;
        const auto columns = base::split(line, '\t');
        REQUIRE(columns.size() == 6);
        INFO(line);
        CHECK(answer(columns[0], columns[1], columns[2], columns[3], columns[4]) == columns[4]);
        ++rows;
    }
    CHECK(rows > 700);
}

}  // namespace
}  // namespace pgbakd::calendar
