// What must hold for any bytes that are fed to lib/calendar. A violation aborts: libFuzzer and the replay both see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "calendar/schedule.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::calendar::fuzz {

inline void require(bool holds, const char* what, std::string_view about = {}) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s (%.*s)\n", what, static_cast<int>(about.size()), about.data());
    std::abort();
}

// A zone with clock changes until the end of time, two of them in a year and of half an hour: made here, so that no
// file is needed.
inline ZonePtr zone_with_changes() {
    std::string file;
    for (const bool wide : {false, true}) {
        file += "TZif2" + std::string(15, '\0');
        for (const char count : {'\0', '\0', '\0', '\0', '\1', '\4'})
            file += std::string(3, '\0') + count;  // one type, four characters
        file += std::string("\0\0\x93\xa8\0\0+10\0", 10);
        if (wide) file += "\n<+1030>-10:30<+11>-11,M10.1.0,M4.1.0\n";
    }
    return Zone::parse("Fuzz/Changes", std::as_bytes(std::span(file))).value();
}

// Going forward goes forward, looking back finds the same fires, and nothing lies between.
inline void check_fires(const Schedule& schedule, base::Instant start, const Zone& zone) {
    auto after = start;
    for (int i = 0; i < 12; ++i) {
        const auto fire = schedule.next(after, zone);
        if (!fire) {
            require(!schedule.latest(after, after + std::chrono::days{366}, zone), "latest finds what next does not",
                    schedule.canonical());
            break;
        }
        require(*fire > after, "next is strictly after", schedule.canonical());
        require(schedule.latest(after, *fire, zone) == fire, "latest finds the fire", schedule.canonical());
        require(!schedule.latest(after, *fire - std::chrono::seconds{1}, zone), "no fire lies between",
                schedule.canonical());
        require(schedule.next(*fire - std::chrono::seconds{1}, zone) == fire, "a second earlier gives the same",
                schedule.canonical());
        after = *fire;
    }
    if (after > start)
        require(schedule.latest(start, after, zone) == after, "latest finds the last", schedule.canonical());
}

// What is wrong, at which column of the text, and the fix.
inline void require_helpful(const base::Error& error, std::string_view text) {
    const auto& message = error.message();
    require(message.size() < 8 * Schedule::max_text_bytes, "an error is of bounded size");
    require(!error.hint().empty(), "an error says the fix", message);
    // What a hint has in quotes is offered as a schedule.
    const auto& hint = error.hint();
    for (auto begin = hint.find('"'); begin != std::string::npos;) {
        const auto end = hint.find('"', begin + 1);
        require(end != std::string::npos, "quotes in a hint come in pairs", hint);
        require(Schedule::parse(hint.substr(begin + 1, end - begin - 1)).has_value(), "an offered schedule parses",
                hint);
        begin = hint.find('"', end + 1);
    }
    const auto word = message.rfind(" at column ");
    require(word != std::string::npos && word > 0, "an error says the column, and what is there", message);
    const auto column = std::strtoul(message.c_str() + word + std::string_view(" at column ").size(), nullptr, 10);
    require(column >= 1 && column <= text.size() + 1, "the column is one of the text", message);
}

inline int check_schedule(std::string_view text) {
    static const auto changing = zone_with_changes();
    static const auto utc = Zone::utc();
    const auto parsed = Schedule::parse(text);
    if (!parsed) {
        require_helpful(parsed.error(), text);
        return 0;
    }
    const auto again = Schedule::parse(parsed->canonical());
    require(again.has_value(), "the canonical text parses", parsed->canonical());
    require(again->canonical() == parsed->canonical(), "the canonical text is canonical", parsed->canonical());
    require(again->kind() == parsed->kind() && again->own_zone() == parsed->own_zone() &&
                again->is_periodic() == parsed->is_periodic(),
            "the canonical text means the same", parsed->canonical());
    using std::chrono::sys_days;
    using std::chrono::year;
    for (const auto* zone : {changing.get(), utc.get()})
        for (const base::Instant start :
             {base::Instant{sys_days{year{2026} / 4 / 4}}, base::Instant{sys_days{year{2027} / 10 / 2}},
              base::Instant{sys_days{year{1969} / 12 / 31}}}) {
            check_fires(*parsed, start, *zone);
            require(again->next(start, *zone) == parsed->next(start, *zone), "the canonical text fires alike",
                    parsed->canonical());
        }
    const bool never = parsed->never_fires(*utc);
    if (never) require(!parsed->next(base::Instant{sys_days{year{2026} / 1 / 1}}, *utc), "never is never", text);
    return 0;
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

inline int check_zone(const std::uint8_t* data, std::size_t size) {
    const auto parsed = Zone::parse("Fuzz/Zone", std::as_bytes(std::span(data, size)));
    if (!parsed) return 0;
    const Zone& zone = **parsed;
    using std::chrono::seconds;
    for (const std::int64_t count :
         {std::int64_t{-1} << 60, std::int64_t{-4'000'000'000}, std::int64_t{0}, std::int64_t{1'767'225'600},
          std::int64_t{20'000'000'000}, std::int64_t{1} << 60}) {
        auto instant = base::Instant{seconds{count}};
        for (int i = 0; i < 8 && instant < Zone::latest; ++i) {
            const auto period = zone.period(instant);
            require(period.begin <= instant && instant < period.end, "a period holds its instant");
            require(period.offset > -Zone::offset_bound && period.offset < Zone::offset_bound, "offsets are bounded");
            const auto local = zone.local(instant);
            require(local.offset == period.offset, "period and local agree");
            require(local.time.time_since_epoch() - local.offset == instant.time_since_epoch(), "local time is exact");
            if (period.end >= Zone::latest) break;
            require(zone.period(period.end).begin == period.end, "periods join");
            instant = period.end;
        }
    }
    static const auto daily = Schedule::parse("daily at 00:30, 02:30").value();
    static const auto often = Schedule::parse("*/20 * * * *").value();
    for (const auto* schedule : {&daily, &often}) check_fires(*schedule, base::Instant{seconds{1'767'225'600}}, zone);
    return 0;
}

}  // namespace pgbakd::calendar::fuzz
