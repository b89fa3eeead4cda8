// What holds for every schedule in every zone, tried on random ones against a walk over all minutes.
// PGBAKD_PROPERTY_SCALE=100 tries a hundred times as much, in the host's zones too; PGBAKD_PROPERTY_SEED repeats a run.
#include <algorithm>
#include <iostream>

#include "random_schedule.hpp"
#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;
using std::chrono::days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::uint64_t seed() {
    static const std::uint64_t value = [] {
        const char* text = std::getenv("PGBAKD_PROPERTY_SEED");
        const auto chosen = text == nullptr ? std::uint64_t{20260114} : std::strtoull(text, nullptr, 10);
        std::cout << "PGBAKD_PROPERTY_SEED=" << chosen << '\n';
        return chosen;
    }();
    return value;
}

// The pinned zones; at a large scale all of the host's.
std::vector<std::string> zone_names() {
    if (property_scale() >= 10) return ZoneDatabase().names();
    return ZoneDatabase(data_directory() / "zoneinfo").names();
}

Reading reading(local_seconds time) {
    const auto midnight = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{midnight};
    const std::chrono::year_month_day_last last{date.year(), std::chrono::month_day_last{date.month()}};
    const std::chrono::hh_mm_ss clock{time - midnight};
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(std::chrono::weekday{midnight}.c_encoding()),
            static_cast<int>(static_cast<unsigned>(last.day())),
            static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()),
            static_cast<int>(clock.seconds().count())};
}

// reading(), for times of which most fall on the day of the one before.
class Reader {
  public:
    const Reading& operator()(local_seconds time) {
        if (time < midnight_ || time >= midnight_ + days{1}) {
            reading_ = reading(time);
            midnight_ = std::chrono::floor<days>(time);
        }
        const auto second = static_cast<int>((time - midnight_).count());
        reading_.hour = second / 3600;
        reading_.minute = second / 60 % 60;
        reading_.second = second % 60;
        return reading_;
    }

  private:
    local_seconds midnight_ = local_seconds::min();
    Reading reading_{};
};

// All fires in [from, until), by looking at each step of the wall clock.
std::vector<base::Instant> walk(const RandomSchedule& schedule, base::Instant from, base::Instant until,
                                const Zone& zone, seconds step) {
    std::vector<base::Instant> fires;
    Reader read;
    auto instant = from - days{2};
    auto highest = zone.local(instant).time;
    for (instant += step; instant < until; instant += step) {
        const auto shown = zone.local(instant).time;
        bool due = false;
        if (schedule.periodic) {
            due = schedule.matches(read(shown));
        } else if (shown > highest) {
            due = schedule.matches(read(shown));
            const bool whole_day_lost = shown - highest - step >= days{1};
            for (auto lost = highest + step; lost < shown && !whole_day_lost && !due; lost += step)
                due = schedule.matches(read(lost));
        }
        highest = std::max(highest, shown);
        if (due && instant >= from) fires.push_back(instant);
    }
    return fires;
}

std::vector<base::Instant> forward(const Schedule& schedule, base::Instant from, base::Instant until,
                                   const Zone& zone) {
    std::vector<base::Instant> fires;
    for (auto fire = schedule.next(from - seconds{1}, zone); fire && *fire < until; fire = schedule.next(*fire, zone)) {
        if (!fires.empty() && *fire <= fires.back()) throw std::logic_error("next does not go forward");
        fires.push_back(*fire);
    }
    return fires;
}

void compare(const RandomSchedule& sample, base::Instant from, base::Instant until, const Zone& zone, seconds step,
             Random& random) {
    INFO(sample.text << " in " << zone.name() << " from " << format_rfc3339_utc(from));
    const auto parsed = Schedule::parse(sample.text);
    REQUIRE(parsed);
    const auto expected = walk(sample, from, until, zone, step);
    const auto found = forward(*parsed, from, until, zone);
    if (found != expected) {
        const auto [a, b] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
        FAIL("found " << (a == found.end() ? "no more" : format_rfc3339(*a, zone)) << ", expected "
                      << (b == expected.end() ? "no more" : format_rfc3339(*b, zone)));
    }
    for (int i = 0; i < 50; ++i) {
        const auto span = static_cast<int>((until - from).count() - 1);
        const auto moment = from + seconds{random.number(0, span)};
        const auto after = from + seconds{random.number(0, span)};
        auto last = std::upper_bound(expected.begin(), expected.end(), moment);
        std::optional<base::Instant> wanted;
        if (last != expected.begin() && *(last - 1) > after) wanted = *(last - 1);
        REQUIRE(parsed->latest(after, moment, zone) == wanted);
    }
    const auto again = Schedule::parse(parsed->canonical());
    REQUIRE(again);
    CHECK(again->canonical() == parsed->canonical());
    CHECK(forward(*again, from, until, zone) == found);
}

TEST_CASE("schedules fire exactly when a walk over every minute of a year says", "[calendar][property]") {
    Random random(seed());
    const auto zones = zone_names();
    for (int i = 0; i < 8 * property_scale(); ++i) {
        const auto place = zone(zones[static_cast<std::size_t>(random.number(0, static_cast<int>(zones.size()) - 1))]);
        const base::Instant from{std::chrono::sys_days{std::chrono::year{random.number(1973, 2099)} / 1 / 1}};
        const auto sample = i % 3 == 0   ? random_cron(random)
                            : i % 3 == 1 ? random_human(random)
                                         : random_calendar(random, false);
        compare(sample, from, from + days{366}, *place, minutes{1}, random);
    }
}

TEST_CASE("calendar schedules fire exactly when a walk over every second around a clock change says",
          "[calendar][property]") {
    Random random(seed() + 1);
    const auto zones = zone_names();
    for (int i = 0; i < 8 * property_scale(); ++i) {
        const auto place = zone(zones[static_cast<std::size_t>(random.number(0, static_cast<int>(zones.size()) - 1))]);
        // Offsets with seconds included: Liberia kept one until 1972.
        const base::Instant start{std::chrono::sys_days{std::chrono::year{random.number(1900, 2099)} / 1 / 1}};
        const auto change = std::min(place->period(start).end, start + days{366});
        compare(random_calendar(random, true), change - days{1}, change + days{1}, *place, seconds{1}, random);
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

TEST_CASE("daily schedules neither lose nor double a day at any clock change from 1970 to 2100",
          "[calendar][property]") {
    for (const auto& name : zone_names()) {
        const auto place = zone(name);
        int changes = 0;
        for (auto period = place->period(at("1970-01-01T00:00:00Z")); period.end < at("2100-01-01T00:00:00Z");
             period = place->period(period.end)) {
            ++changes;
            const auto next = place->period(period.end);
            const local_seconds before{period.end.time_since_epoch() + period.offset};
            const local_seconds after{period.end.time_since_epoch() + next.offset};
            for (const auto edge :
                 {before - minutes{1}, before, before + (after - before) / 2, after - minutes{1}, after}) {
                const auto r = reading(edge);
                const auto daily = schedule("daily at " + std::to_string(r.hour) + (r.minute < 10 ? ":0" : ":") +
                                            std::to_string(r.minute));
                const auto first = std::chrono::floor<minutes>(edge) - days{2};
                std::vector<base::Instant> expected;
                for (int i = 0; i < 5; ++i)
                    if (const auto fire = reaches(first + days{i}, *place);
                        fire && (expected.empty() || expected.back() != *fire))
                        expected.push_back(*fire);
                const auto found = forward(daily, expected.front(), expected.back() + seconds{1}, *place);
                if (found != expected) {
                    INFO(name << " " << daily.canonical() << " around " << format_rfc3339_utc(period.end));
                    REQUIRE(found == expected);
                }
            }
        }
        CHECK(changes < 1000);
    }
}

}  // namespace
}  // namespace pgbakd::calendar
