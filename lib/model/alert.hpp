// What channels are told: an event, complete in itself, so that it can wait for days and still be understood.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/severity.hpp"

namespace pgbakd::model {

enum class AlertKind {
    run_started,    // for heartbeats
    run_succeeded,  // SUCCESS or WARNING
    run_failed,
    finding_opened,
    finding_raised,    // its severity rose
    finding_reminded,  // still open a day later
    finding_closed,    // recovered
    note,              // a new database, a vanished one
    test,
};
[[nodiscard]] std::string_view alert_text(AlertKind kind) noexcept;  // "run_started" …
[[nodiscard]] base::Result<AlertKind> parse_alert_kind(std::string_view text);

// Text may be anything a server or a program said; a channel escapes and clamps it. It never holds a secret.
struct Alert {
    std::string id;  // a ULID, the same for every channel: by it a receiver tells a repeated delivery
    AlertKind kind{};
    Severity severity = Severity::info;
    std::optional<Severity> was;  // of a finding that has closed: how severe it had been. Who was told of it hears this
    base::Timestamp at{};
    std::string host;
    std::string job;      // empty: not of one job
    std::string run;      // empty: not of one run
    std::string set;      // empty: none
    std::string place;    // a target, a channel, a directory; empty: none
    std::string finding;  // kind of the finding: "too_old"; empty: none
    std::string title;    // one line: "shop-daily failed"
    std::string message;  // the cause, or what happened
    std::string hint;     // what to do about it; maybe empty
    std::optional<std::uint64_t> bytes;
    std::optional<std::uint64_t> previous_bytes;  // of the job's success before
    std::optional<std::chrono::milliseconds> duration;
    std::optional<std::chrono::milliseconds> previous_duration;
    friend bool operator==(const Alert&, const Alert&) = default;
};

// JSON as webhooks get it and the outbox keeps it: every member by its name, in snake_case, durations in seconds
// (`duration_seconds`), times in RFC 3339, what is absent or empty as null; "format": "pgbakd-alert/1". On one line.
// A message is cut at 16 KiB, a hint at 8 KiB, any other text at 1 KiB: so it can always be read back.
[[nodiscard]] std::string to_json(const Alert& alert);
// As strict and bounded (256 KiB) as a manifest. Error: corrupt.
[[nodiscard]] base::Result<Alert> parse_alert(std::string_view text);

}  // namespace pgbakd::model
