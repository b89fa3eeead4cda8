// What holds at every change of clocks of every zone: offsets, and the fires of daily schedules.
#include <time.h>

#include <cstdlib>

#include "property.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;
using std::chrono::days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The C library reads the same files by code of its own.
class LibraryZone {
  public:
    explicit LibraryZone(const std::string& name) {
        if (const char* before = std::getenv("TZ")) before_ = before;
        ::setenv("TZ", (":" + name).c_str(), 1);
        ::tzset();
    }
    ~LibraryZone() {
        if (before_)
            ::setenv("TZ", before_->c_str(), 1);
        else
            ::unsetenv("TZ");
        ::tzset();
    }
    LibraryZone(const LibraryZone&) = delete;
    LibraryZone& operator=(const LibraryZone&) = delete;
    [[nodiscard]] static std::pair<seconds, std::string> local(base::Instant instant) {
        const auto time = static_cast<time_t>(instant.time_since_epoch().count());
        tm parts{};
        if (::localtime_r(&time, &parts) == nullptr) throw std::runtime_error("localtime_r");
        return {seconds{parts.tm_gmtoff}, parts.tm_zone};
    }

  private:
    std::optional<std::string> before_;
};

TEST_CASE("offsets are those of the C library, on both sides of every change to 2100 and beyond",
          "[calendar][property]") {
    Random random(seed() + 2);
    for (const auto& place : zones()) {
        const LibraryZone library(place->name());
        const auto check = [&](base::Instant instant) {
            const auto ours = place->local(instant);
            const auto theirs = LibraryZone::local(instant);
            if (ours.offset == theirs.first && ours.abbreviation == theirs.second) return;
            FAIL(place->name() << " at " << format_rfc3339_utc(instant) << ": " << ours.offset.count() << " "
                               << ours.abbreviation << ", not " << theirs.first.count() << " " << theirs.second);
        };
        for (auto period = place->period(at("1970-01-01T00:00:00Z")); period.end < at("2100-01-01T00:00:00Z");
             period = place->period(period.end)) {
            check(period.end - seconds{1});
            check(period.end);
        }
        for (int i = 0; i < 50; ++i) check(at("1970-01-01T00:00:00Z") + days{random.number(0, 300 * 365)});
    }
}

// The first instant at which the wall clock shows `time` or later, found among the periods around; nothing if a whole
// day was lost there.
std::optional<base::Instant> reaches(local_seconds time, const Zone& zone) {
    auto period = zone.period(base::Instant{time.time_since_epoch() - days{4}});
    for (;;) {
        if (local_seconds{period.end.time_since_epoch() + period.offset} > time)
            return base::Instant{time.time_since_epoch() - period.offset};
        const auto next = zone.period(period.end);
        const auto shown = local_seconds{next.begin.time_since_epoch() + next.offset};
        if (shown > time) return next.offset - period.offset < days{1} ? std::optional(next.begin) : std::nullopt;
        period = next;
    }
}

// Four ways to say the same time of each day.
Schedule each_day_at(local_seconds time, int form) {
    const std::chrono::hh_mm_ss clock{time - std::chrono::floor<days>(time)};
    const auto hour = clock.hours().count();
    const auto minute = clock.minutes().count();
    const auto text = std::to_string(hour) + (minute < 10 ? ":0" : ":") + std::to_string(minute);
    switch (form % 4) {
        case 0: return schedule("daily at " + text);
        case 1: return schedule(std::to_string(minute) + " " + std::to_string(hour) + " * * *");
        case 2: return schedule("calendar *-*-* " + text);
        default: return schedule("weekly on mon, tue, wed, thu, fri, sat, sun at " + text);
    }
}

TEST_CASE("daily schedules neither lose nor double a day at any clock change from 1970 to 2100, in each zone",
          "[calendar][property]") {
    int form = 0;
    for (const auto& place : zones()) {
        int changes = 0;
        for (auto period = place->period(at("1970-01-01T00:00:00Z")); period.end < at("2100-01-01T00:00:00Z");
             period = place->period(period.end)) {
            ++changes;
            const auto next = place->period(period.end);
            const local_seconds before{period.end.time_since_epoch() + period.offset};
            const local_seconds after{period.end.time_since_epoch() + next.offset};
            for (const auto edge :
                 {before - minutes{1}, before, before + (after - before) / 2, after - minutes{1}, after}) {
                const auto daily = each_day_at(edge, form++);
                const auto first = std::chrono::floor<minutes>(edge) - days{2};
                std::vector<base::Instant> expected;
                for (int i = 0; i < 5; ++i)
                    if (const auto fire = reaches(first + days{i}, *place);
                        fire && (expected.empty() || expected.back() != *fire))
                        expected.push_back(*fire);
                const auto found = forward(daily, expected.front(), expected.back() + seconds{1}, *place);
                if (found != expected) {
                    INFO(place->name() << " " << daily.canonical() << " around " << format_rfc3339_utc(period.end));
                    REQUIRE(found == expected);
                }
            }
        }
        CHECK(changes < 1000);
    }
}

}  // namespace
}  // namespace pgbakd::calendar
