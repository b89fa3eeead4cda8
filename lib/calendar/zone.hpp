// A time zone, read from a TZif file (RFC 8536) with its POSIX footer. Immutable; shared by all that use it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace pgbakd::calendar {

struct LocalTime {
    std::chrono::local_seconds time;  // what a clock on the wall shows
    std::chrono::seconds offset{};    // local minus UTC
    std::string_view abbreviation;    // "CET"; lives as long as the zone
    bool operator==(const LocalTime&) const = default;
};

// A stretch of time with one offset: [begin, end). The first one of a zone begins at `Zone::earliest`, the last one
// ends at `Zone::latest` or later; adding an offset to either is safe.
struct Period {
    base::Instant begin, end;
    std::chrono::seconds offset{};
    // One past the highest local time that the wall clock showed before `begin`. Below begin + offset: local times were
    // jumped over (a gap). Above it: local times come again (an overlap).
    std::chrono::local_seconds reached;
};

class Zone {
  public:
    // Bounds of what is looked at; both are millions of years away.
    static constexpr base::Instant earliest{std::chrono::seconds{-(std::int64_t{1} << 60)}};
    static constexpr base::Instant latest{std::chrono::seconds{std::int64_t{1} << 60}};
    // No offset is as far from UTC as this; a file that says otherwise is refused (RFC 8536, section 3.2).
    static constexpr std::chrono::hours offset_bound{26};

    // Parses a whole TZif file of version 2 or later. `name` is what it is called from then on. Bounds-checked: any
    // bytes give a zone or an Error (corrupt; unsupported for version 1 and for files with leap seconds), in time and
    // memory linear in their number.
    static base::Result<std::shared_ptr<const Zone>> parse(std::string name, std::span<const std::byte> file);
    static std::shared_ptr<const Zone> utc();

    [[nodiscard]] const std::string& name() const noexcept;
    // The same name, offsets and transitions: another reading of an unchanged file.
    [[nodiscard]] bool has_rules_of(const Zone& other) const;
    [[nodiscard]] LocalTime local(base::Instant instant) const;
    // The period that holds `instant`.
    [[nodiscard]] Period period(base::Instant instant) const;

    ~Zone();
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;

  private:
    struct Data;
    explicit Zone(std::unique_ptr<const Data> data);
    std::unique_ptr<const Data> data_;
};
using ZonePtr = std::shared_ptr<const Zone>;

// Texts of an instant in a zone. Instants outside the years 0000 to 9999 are shown as the nearest inside.
[[nodiscard]] std::string format_rfc3339(base::Instant instant, const Zone& zone);  // 2026-01-14T01:00:00+01:00
[[nodiscard]] std::string format_rfc3339_utc(base::Instant instant);                // 2026-01-14T00:00:00Z
// 2026-01-14 01:00 CET, or 2026-01-14 01:00:07 CET when the seconds are not 0.
[[nodiscard]] std::string format_for_people(base::Instant instant, const Zone& zone);
[[nodiscard]] std::string format_compact(base::Instant instant, const Zone& zone);  // 20260114_010000
// RFC 3339 with an offset or Z, whole seconds (a fraction is cut off).
[[nodiscard]] base::Result<base::Instant> parse_rfc3339(std::string_view text);

}  // namespace pgbakd::calendar
