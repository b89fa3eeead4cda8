// Random schedules that know what they mean: each comes with a matcher made beside its text, not by the parser.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace pgbakd::calendar::testing {

// A date, taken apart.
struct Reading {
    int year, month, day, weekday, length;  // weekday 0 is Sunday; length of the month
};

struct RandomSchedule {
    std::string text;
    std::function<bool(const Reading&)> on_date;
    std::vector<char> times = std::vector<char>(86'400);  // by second of the day: whether it is one of its times
    bool periodic = false;                                // its hours are all 24

    void add_times(const std::set<int>& hours, const std::set<int>& minutes, const std::set<int>& seconds = {0}) {
        for (const int hour : hours)
            for (const int minute : minutes)
                for (const int second : seconds)
                    times[static_cast<std::size_t>((hour * 60 + minute) * 60 + second)] = 1;
        periodic = hours.size() == 24;
    }
};

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    // lowest to highest, both included.
    int number(int lowest, int highest) {
        return lowest + static_cast<int>(engine_() % static_cast<std::uint64_t>(highest - lowest + 1));
    }
    bool one_in(int n) { return number(1, n) == 1; }

  private:
    std::mt19937_64 engine_;
};

// What one field or component of a grammar says, and the numbers it means.
struct RandomField {
    std::string text;
    std::set<int> values;
    bool star = false;
};

struct FieldGrammar {
    int lowest, highest;
    bool calendar = false;  // 1..5 and 0/2, or 1-5 and */2
};

inline RandomField random_field(Random& random, const FieldGrammar& grammar) {
    RandomField field;
    const auto add = [&field](int first, int last, int step) {
        for (int value = first; value <= last; value += step) field.values.insert(value);
    };
    const auto text = [](int value) { return std::to_string(value); };
    const int low = grammar.lowest, high = grammar.highest;
    if (random.one_in(4)) {
        add(low, high, 1);
        return {"*", field.values, true};
    }
    if (random.one_in(4)) {
        const int step = random.number(1, (high - low) / 2);
        const int first = grammar.calendar ? random.number(low, high - step) : low;
        add(first, high, step);
        return {(grammar.calendar ? text(first) : "*") + "/" + text(step), field.values, !grammar.calendar};
    }
    for (int entries = random.number(1, 3); entries > 0; --entries) {
        if (!field.text.empty()) field.text += ',';
        const int first = random.number(low, high);
        if (first < high && random.one_in(3)) {
            const int last = random.number(first + 1, high);
            const int step = random.number(1, last - first);
            add(first, last, step);
            field.text += text(first) + (grammar.calendar ? ".." : "-") + text(last);
            if (step > 1 || random.one_in(4)) field.text += "/" + text(step);
        } else {
            add(first, first, 1);
            field.text += text(first);
        }
    }
    return field;
}

inline RandomSchedule random_cron(Random& random) {
    const auto minute = random_field(random, {0, 59}), hour = random_field(random, {0, 23});
    auto day = random_field(random, {1, 31}), month = random_field(random, {1, 12}),
         weekday = random_field(random, {0, 6});
    // Else most days and months would be without a fire.
    if (random.one_in(2)) month = {"*", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, true};
    bool last_day = false;
    int special_weekday = -1, nth = 0;  // 6: the last
    if (random.one_in(6)) {
        last_day = true;
        day.text += ",L";
    }
    if (random.one_in(6)) {
        special_weekday = random.number(0, 6);
        nth = random.number(1, 6);
        weekday.text += "," + std::to_string(special_weekday) + (nth == 6 ? "L" : "#" + std::to_string(nth));
    }
    RandomSchedule schedule;
    schedule.text = minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
    schedule.add_times(hour.values, minute.values);
    schedule.on_date = [=](const Reading& r) {
        const bool on_day = day.values.contains(r.day) || (last_day && r.day == r.length);
        const bool on_special =
            r.weekday == special_weekday && (nth == 6 ? r.day + 7 > r.length : (r.day - 1) / 7 + 1 == nth);
        const bool on_weekday = weekday.values.contains(r.weekday) || on_special;
        const bool dates = day.star || weekday.star ? on_day && on_weekday : on_day || on_weekday;
        return month.values.contains(r.month) && dates;
    };
    return schedule;
}

inline RandomSchedule random_calendar(Random& random, bool with_seconds) {
    static const std::vector<std::string> names = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const auto minute = random_field(random, {0, 59, true}), hour = random_field(random, {0, 23, true});
    const auto second = with_seconds ? random_field(random, {0, 59, true}) : RandomField{"0", {0}, false};
    const auto day = random_field(random, {1, 31, true});
    auto month = random_field(random, {1, 12, true});
    if (random.one_in(2)) month = {"*", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, true};
    std::set<int> weekdays;
    std::string weekday_text;
    if (random.one_in(3))
        for (int entries = random.number(1, 3); entries > 0; --entries) {
            const int weekday = random.number(0, 6);
            weekdays.insert(weekday);
            weekday_text += (weekday_text.empty() ? "" : ",") + names[static_cast<std::size_t>(weekday)];
        }
    // Days from the end of the month, one by one.
    const int from_end = random.one_in(5) ? random.number(1, 28) : 0;
    RandomSchedule schedule;
    schedule.text = "calendar " + weekday_text + (weekday_text.empty() ? "*-" : " *-") + month.text +
                    (from_end != 0 ? "~" + std::to_string(from_end) : "-" + day.text) + " " + hour.text + ":" +
                    minute.text + ":" + second.text;
    schedule.add_times(hour.values, minute.values, second.values);
    schedule.on_date = [=](const Reading& r) {
        const bool on_day = from_end != 0 ? r.length - r.day + 1 == from_end : day.values.contains(r.day);
        return month.values.contains(r.month) && on_day && (weekdays.empty() || weekdays.contains(r.weekday));
    };
    return schedule;
}

inline RandomSchedule random_human(Random& random) {
    static const std::vector<std::string> names = {"sunday",   "monday", "tuesday", "wednesday",
                                                   "thursday", "friday", "saturday"};
    static const std::vector<std::string> ordinals = {"first", "second", "third", "fourth", "fifth", "last"};
    std::set<int> times;
    std::string at = " at ";
    for (int count = random.number(1, 3); count > 0; --count) {
        // Times at which clocks like to change come often.
        const int time = random.one_in(2) ? random.number(0, 6) * 30 : random.number(0, 1439);
        times.insert(time);
        const auto two = [](int value) { return (value < 10 ? "0" : "") + std::to_string(value); };
        at += (at.size() > 4 ? ", " : "") + two(time / 60) + ":" + two(time % 60);
    }
    RandomSchedule schedule;
    for (const int time : times) schedule.add_times({time / 60}, {time % 60});
    const int weekday = random.number(0, 6), nth = random.number(1, 6), day = random.number(1, 31);
    const auto name = names[static_cast<std::size_t>(weekday)];
    switch (random.number(0, 6)) {
        case 0:
            schedule.text = "daily" + at;
            schedule.on_date = [](const Reading&) { return true; };
            return schedule;
        case 1:
            schedule.text = "weekdays" + at;
            schedule.on_date = [](const Reading& r) { return r.weekday % 6 != 0; };
            return schedule;
        case 2:
            schedule.text = "weekly on " + name + at;
            schedule.on_date = [=](const Reading& r) { return r.weekday == weekday; };
            return schedule;
        case 3:
            schedule.text = "monthly on " + std::to_string(day) + at;
            schedule.on_date = [=](const Reading& r) { return r.day == day; };
            return schedule;
        case 4:
            schedule.text = "monthly on last-day" + at;
            schedule.on_date = [](const Reading& r) { return r.day == r.length; };
            return schedule;
        case 5:
            schedule.text = "monthly on " + ordinals[static_cast<std::size_t>(nth - 1)] + " " + name + at;
            schedule.on_date = [=](const Reading& r) {
                return r.weekday == weekday && (nth == 6 ? r.day + 7 > r.length : (r.day - 1) / 7 + 1 == nth);
            };
            return schedule;
        default: break;
    }
    static const std::vector<int> divisors = {1, 2, 3, 4, 6, 8, 12, 24};
    const int every = divisors[static_cast<std::size_t>(random.number(0, 7))];
    RandomSchedule steps;
    steps.text = "every " + std::to_string(every) + " hours";
    steps.on_date = [](const Reading&) { return true; };
    std::set<int> hours;
    for (int hour = 0; hour < 24; hour += every) hours.insert(hour);
    steps.add_times(hours, {0});
    return steps;
}

}  // namespace pgbakd::calendar::testing
