// Alerts: their words, and the JSON that webhooks get and the outbox keeps.
#include "model/alert.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "model/json.hpp"
#include "model/json_reader.hpp"
#include "model/words.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
namespace json = boost::json;

constexpr std::string_view alert_format = "pgbakd-alert/1";
constexpr std::size_t largest = std::size_t{256} * 1024;
// In JSON a byte may become six: even so, what is written can be read back.
constexpr std::size_t longest_message = std::size_t{16} * 1024;
constexpr std::size_t longest_hint = std::size_t{8} * 1024;
constexpr std::size_t longest_name = 1024;

json::string required(std::string_view text, std::size_t limit) {
    return json_text(base::clamp_utf8(text, limit));
}
json::value optional(std::string_view text) {
    return json_text_or_null(base::clamp_utf8(text, longest_name));
}
json::value optional(const std::optional<std::uint64_t>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}
json::value optional(const std::optional<Severity>& severity) {
    return severity ? json::value(severity_text(*severity)) : json::value(nullptr);
}
json::value optional(const std::optional<milliseconds>& duration) {
    return duration ? json::value(static_cast<double>(duration->count()) / 1000) : json::value(nullptr);
}

std::optional<std::uint64_t> read_count(const JsonReader& reader, std::string_view key) {
    if (!reader.has(key)) return std::nullopt;
    return reader.count_or(key, 0);
}
std::optional<milliseconds> read_duration(const JsonReader& reader, std::string_view key) {
    if (!reader.has(key)) return std::nullopt;
    return reader.seconds_or_zero(key);
}

void check_format(const JsonReader& reader) {
    const auto format = reader.text("format");
    if (format == alert_format) return;
    const auto shown = base::printable(base::clamp_utf8(format, 64));
    if (format.starts_with("pgbakd-alert/"))
        throw Error(ErrorCode::unsupported,
                    fmt::format("the alert has the format {}; known is {}", shown, alert_format), "use a newer pgbakd");
    reader.refuse("format", fmt::format("\"{}\" is no format of an alert", shown));
}

// It becomes part of a mail's Message-ID, for one.
std::string read_id(const JsonReader& reader) {
    auto id = reader.text("id");
    const bool is_word =
        std::ranges::all_of(id, [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_'; });
    if (id.empty() || id.size() > 64 || !is_word) reader.refuse("id", "is no identifier");
    return id;
}

Alert read_alert(const JsonReader& reader) {
    check_format(reader);
    Alert alert;
    alert.id = read_id(reader);
    alert.kind = reader.parsed("kind", parse_alert_kind);
    alert.severity = reader.parsed("severity", parse_severity);
    if (reader.has("was")) alert.was = reader.parsed("was", parse_severity);
    alert.at = reader.time_or_epoch("at");
    alert.host = reader.text_or_empty("host");
    alert.job = reader.text_or_empty("job");
    alert.run = reader.text_or_empty("run");
    alert.set = reader.text_or_empty("set");
    alert.place = reader.text_or_empty("place");
    alert.finding = reader.text_or_empty("finding");
    alert.title = reader.text_or_empty("title");
    alert.message = reader.text_or_empty("message");
    alert.hint = reader.text_or_empty("hint");
    alert.bytes = read_count(reader, "bytes");
    alert.previous_bytes = read_count(reader, "previous_bytes");
    alert.duration = read_duration(reader, "duration_seconds");
    alert.previous_duration = read_duration(reader, "previous_duration_seconds");
    return alert;
}

}  // namespace

std::string_view alert_text(AlertKind kind) noexcept {
    switch (kind) {
        case AlertKind::run_started: return "run_started";
        case AlertKind::run_succeeded: return "run_succeeded";
        case AlertKind::run_failed: return "run_failed";
        case AlertKind::finding_opened: return "finding_opened";
        case AlertKind::finding_raised: return "finding_raised";
        case AlertKind::finding_reminded: return "finding_reminded";
        case AlertKind::finding_closed: return "finding_closed";
        case AlertKind::note: return "note";
        case AlertKind::test: return "test";
    }
    return "note";
}

base::Result<AlertKind> parse_alert_kind(std::string_view text) {
    return parse_word("kind of alert", text, alert_text,
                      {AlertKind::run_started, AlertKind::run_succeeded, AlertKind::run_failed,
                       AlertKind::finding_opened, AlertKind::finding_raised, AlertKind::finding_reminded,
                       AlertKind::finding_closed, AlertKind::note, AlertKind::test});
}

std::string to_json(const Alert& alert) {
    return compact(json::object{{"format", alert_format},
                                {"id", required(alert.id, longest_name)},
                                {"kind", alert_text(alert.kind)},
                                {"severity", severity_text(alert.severity)},
                                {"was", optional(alert.was)},
                                {"at", json_time(alert.at)},
                                {"host", optional(alert.host)},
                                {"job", optional(alert.job)},
                                {"run", optional(alert.run)},
                                {"set", optional(alert.set)},
                                {"place", optional(alert.place)},
                                {"finding", optional(alert.finding)},
                                {"title", required(alert.title, longest_name)},
                                {"message", required(alert.message, longest_message)},
                                {"hint", json_text_or_null(base::clamp_utf8(alert.hint, longest_hint))},
                                {"bytes", optional(alert.bytes)},
                                {"previous_bytes", optional(alert.previous_bytes)},
                                {"duration_seconds", optional(alert.duration)},
                                {"previous_duration_seconds", optional(alert.previous_duration)}});
}

base::Result<Alert> parse_alert(std::string_view text) {
    const auto value = parse_json(text, largest);
    if (!value) return value.error().during("alert");
    try {
        return read_alert(JsonReader(*value, "alert"));
    } catch (const Error& error) {
        return error;
    }
}

}  // namespace pgbakd::model
