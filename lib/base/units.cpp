#include "base/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/text.hpp"

namespace pgbakd::base {
namespace {

struct SizeUnit {
    std::string_view name;
    double bytes;
};
constexpr std::array size_units{
    SizeUnit{"", 1},         SizeUnit{"b", 1},        SizeUnit{"k", 0x1p10},   SizeUnit{"kib", 0x1p10},
    SizeUnit{"kb", 1e3},     SizeUnit{"m", 0x1p20},   SizeUnit{"mib", 0x1p20}, SizeUnit{"mb", 1e6},
    SizeUnit{"g", 0x1p30},   SizeUnit{"gib", 0x1p30}, SizeUnit{"gb", 1e9},     SizeUnit{"t", 0x1p40},
    SizeUnit{"tib", 0x1p40}, SizeUnit{"tb", 1e12},
};

struct DurationUnit {
    std::string_view name;
    std::int64_t milliseconds;
};
constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t longest = 36525 * day;
constexpr std::array duration_units{
    DurationUnit{"ms", 1},          DurationUnit{"s", second},       DurationUnit{"sec", second},
    DurationUnit{"second", second}, DurationUnit{"seconds", second}, DurationUnit{"m", minute},
    DurationUnit{"min", minute},    DurationUnit{"minute", minute},  DurationUnit{"minutes", minute},
    DurationUnit{"h", hour},        DurationUnit{"hour", hour},      DurationUnit{"hours", hour},
    DurationUnit{"d", day},         DurationUnit{"day", day},        DurationUnit{"days", day},
    DurationUnit{"w", 7 * day},     DurationUnit{"week", 7 * day},   DurationUnit{"weeks", 7 * day},
};

// Takes a decimal number off the front of `text`. No sign, no exponent, at most 18 digits: nothing overflows.
Result<double> take_number(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && (is_digit(text[length]) || text[length] == '.')) ++length;
    double value = 0;
    const auto* end = text.data() + length;
    const auto [stop, failure] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (length == 0 || length > 18 || failure != std::errc{} || stop != end)
        return Error(ErrorCode::invalid_argument, "expected a number");
    text.remove_prefix(length);
    return value;
}

std::string_view take_word(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && is_letter(text[length])) ++length;
    const auto word = text.substr(0, length);
    text.remove_prefix(length);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return word;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    const Error wrong(ErrorCode::invalid_argument, fmt::format("\"{}\" is not a size", text),
                      "write a number and a unit: 512 KiB, 10 MiB, 1 GB");
    auto rest = trim(text);
    const auto number = take_number(rest);
    if (!number) return wrong;
    const auto unit = to_lower(take_word(rest));
    if (!rest.empty()) return wrong;
    for (const auto& [name, bytes] : size_units) {
        if (name != unit) continue;
        const double total = *number * bytes;
        if (total >= 0x1p63) return wrong;
        return static_cast<std::uint64_t>(std::llround(total));
    }
    return wrong;
}

std::string format_size(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    constexpr std::array names{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < names.size()) {
        value /= 1024;
        ++unit;
    }
    if (value < 9.995) return fmt::format("{:.2f} {}", value, names[unit]);
    return value < 99.95 ? fmt::format("{:.1f} {}", value, names[unit]) : fmt::format("{:.0f} {}", value, names[unit]);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const Error wrong(ErrorCode::invalid_argument, fmt::format("\"{}\" is not a duration", text),
                      "write a number and a unit: 90s, 15m, 12h, 30 days");
    auto rest = trim(text);
    if (rest.empty()) return wrong;
    std::int64_t total = 0;
    while (!rest.empty()) {
        const auto number = take_number(rest);
        if (!number) return wrong;
        const auto unit = take_word(rest);
        std::int64_t factor = 0;
        for (const auto& [name, milliseconds] : duration_units)
            if (name == unit) factor = milliseconds;
        if (factor == 0) return wrong;
        const double part = *number * static_cast<double>(factor);
        if (part > static_cast<double>(longest)) return wrong;
        total += std::llround(part);
        if (total > longest) return wrong;
    }
    return std::chrono::milliseconds(total);
}

std::string format_duration(std::chrono::milliseconds duration) {
    const auto total = duration.count();
    if (total < 0) return "-" + format_duration(-duration);
    if (total < second) return fmt::format("{} ms", total);
    if (total < 10 * second) return fmt::format("{:.1f} s", static_cast<double>(total) / second);
    if (total < minute) return fmt::format("{} s", total / second);
    const auto pair = [total](std::int64_t large, std::string_view large_name, std::int64_t small,
                              std::string_view small_name) {
        const auto rest = total % large / small;
        return rest == 0 ? fmt::format("{} {}", total / large, large_name)
                         : fmt::format("{} {} {} {}", total / large, large_name, rest, small_name);
    };
    if (total < hour) return pair(minute, "min", second, "s");
    if (total < 2 * day) return pair(hour, "h", minute, "min");
    return pair(day, "d", hour, "h");
}

std::string canonical_duration(std::chrono::milliseconds duration) {
    const auto total = duration.count();
    if (total != 0 && total % day == 0) return fmt::format("{} {}", total / day, total == day ? "day" : "days");
    if (total != 0 && total % hour == 0) return fmt::format("{}h", total / hour);
    if (total != 0 && total % minute == 0) return fmt::format("{}m", total / minute);
    if (total % second == 0) return fmt::format("{}s", total / second);
    return fmt::format("{}ms", total);
}

}  // namespace pgbakd::base
