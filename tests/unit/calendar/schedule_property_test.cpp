// What holds for every schedule in every zone, tried on random ones against a walk over all minutes.
#include <algorithm>
#include <limits>

#include "property.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;
using std::chrono::days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Whether a local time, in seconds, is one of a schedule's; most times asked for fall on the day of the one before.
class Matcher {
  public:
    explicit Matcher(const RandomSchedule& schedule) : schedule_(schedule) {}
    bool operator()(std::int64_t time) {
        if (time < midnight_ || time >= midnight_ + 86'400) {
            midnight_ = (time >= 0 ? time : time - 86'399) / 86'400 * 86'400;
            on_date_ = schedule_.on_date(reading(local_seconds{seconds{midnight_}}));
        }
        return on_date_ && schedule_.times[static_cast<std::size_t>(time - midnight_)] != 0;
    }

  private:
    const RandomSchedule& schedule_;
    std::int64_t midnight_ = std::numeric_limits<std::int64_t>::max() - 86'400;
    bool on_date_ = false;
};

// All fires in [from, until), by looking at each step of the wall clock. Numbers of seconds: it looks at hundreds of
// millions of minutes, without an optimizer.
std::vector<base::Instant> walk(const RandomSchedule& schedule, base::Instant from, base::Instant until,
                                const Zone& zone, seconds every) {
    std::vector<base::Instant> fires;
    Matcher matches(schedule);
    const auto step = every.count(), begin = from.time_since_epoch().count(), end = until.time_since_epoch().count();
    auto instant = begin - 2 * 86'400;
    auto period = zone.period(base::Instant{seconds{instant}});
    auto period_end = period.end.time_since_epoch().count(), offset = period.offset.count();
    auto highest = instant + offset;
    for (instant += step; instant < end; instant += step) {
        if (instant >= period_end) {
            period = zone.period(base::Instant{seconds{instant}});
            period_end = period.end.time_since_epoch().count();
            offset = period.offset.count();
        }
        const auto shown = instant + offset;
        bool due = (schedule.periodic || shown > highest) && matches(shown);
        if (!schedule.periodic && shown > highest + step && shown - highest - step < 86'400)
            for (auto lost = highest + step; lost < shown && !due; lost += step) due = matches(lost);
        highest = std::max(highest, shown);
        if (due && instant >= begin) fires.emplace_back(seconds{instant});
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
    // Enough of them to tell two schedules apart.
    const auto some = found.size() > 500 ? found[500] : until;
    CHECK(forward(*again, from, some, zone) ==
          std::vector(found.begin(), found.begin() + std::min<std::ptrdiff_t>(std::ssize(found), 500)));
}

TEST_CASE("schedules fire exactly when a walk over every minute of a year says, in each zone", "[calendar][property]") {
    Random random(seed());
    int number = 0;
    for (int round = 0; round < property_scale(); ++round)
        for (const auto& place : zones()) {
            const base::Instant from{std::chrono::sys_days{std::chrono::year{random.number(1973, 2099)} / 1 / 1}};
            const auto sample = number % 3 == 0   ? random_cron(random)
                                : number % 3 == 1 ? random_human(random)
                                                  : random_calendar(random, false);
            ++number;
            compare(sample, from, from + days{366}, *place, minutes{1}, random);
        }
}

TEST_CASE("calendar schedules fire exactly when a walk over every second around a clock change says",
          "[calendar][property]") {
    Random random(seed() + 1);
    for (int i = 0; i < 8 * property_scale(); ++i) {
        const auto& place = zones()[static_cast<std::size_t>(random.number(0, static_cast<int>(zones().size()) - 1))];
        // Offsets with seconds included: Liberia kept one until 1972.
        const base::Instant start{std::chrono::sys_days{std::chrono::year{random.number(1900, 2099)} / 1 / 1}};
        const auto change = std::min(place->period(start).end, start + days{366});
        compare(random_calendar(random, true), change - days{1}, change + days{1}, *place, seconds{1}, random);
    }
}

}  // namespace
}  // namespace pgbakd::calendar
