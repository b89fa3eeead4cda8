// The POSIX footer of a TZif file: a zone's rules for the years after its last listed transition (RFC 8536, section
// 3.3.1: POSIX's TZ with times of -167 to 167 hours).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgbakd::calendar {

// When, in any year, clocks change.
struct RuleDate {
    enum class Form {
        julian,     // Jn: 1 to 365, 29 February is never counted
        ordinal,    // n: 0 to 365, 29 February is counted
        month_week  // Mm.w.d: weekday d (0 = Sunday) of week w (5 = last) of month m
    };
    Form form = Form::month_week;
    unsigned day = 0;  // n, or d
    unsigned month = 0, week = 0;
    std::chrono::seconds time{};  // from local midnight; may lie outside the day

    // The wall clock's local time at which it applies in `year`.
    [[nodiscard]] std::chrono::local_seconds in(std::chrono::year year) const;
};

struct PosixRule {
    std::string standard_name, daylight_name;
    std::chrono::seconds standard_offset{}, daylight_offset{};  // local minus UTC (the text has it the other way round)
    struct Daylight {
        RuleDate start, end;
    };
    std::optional<Daylight> daylight;
};

// Nothing if the text is not such a rule, whole.
[[nodiscard]] std::optional<PosixRule> parse_posix_rule(std::string_view text);

}  // namespace pgbakd::calendar
