// The report of a run: its keys, printed and read back.
#include "model/json.hpp"
#include "model/json_reader.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
namespace json = boost::json;

constexpr std::size_t largest = std::size_t{64} << 20U;

double seconds(std::chrono::milliseconds duration) {
    return static_cast<double>(duration.count()) / 1000.0;
}

json::array json_stages(const RunReport& report) {
    json::array result;
    for (const auto& stage : report.stages)
        result.push_back({{"name", stage_text(stage.name)},
                          {"status", json_text(stage.status)},
                          {"started_at", json_time(stage.started_at)},
                          {"duration_seconds", seconds(stage.duration)},
                          {"bytes", stage.bytes},
                          {"attempts", stage.attempts},
                          {"message", json_text_or_null(stage.message)}});
    return result;
}

json::array json_artifacts(const RunReport& report) {
    json::array result;
    for (const auto& artifact : report.artifacts) {
        auto object = json_artifact(artifact);
        object["path"] = report.set_directory.empty()
                             ? json::value(nullptr)
                             : json::value(json_text(report.set_directory + "/" + artifact.file));
        result.emplace_back(std::move(object));
    }
    return result;
}

json::array json_targets(const RunReport& report) {
    json::array result;
    for (const auto& target : report.targets)
        result.push_back({{"name", json_text(target.name)},
                          {"status", json_text(target.status)},
                          {"bytes", target.bytes},
                          {"verified", json_text_or_null(target.verified)},
                          {"message", json_text_or_null(target.message)}});
    return result;
}

json::value json_error(const RunReport& report) {
    if (!report.error) return nullptr;
    return {{"code", json_text(report.error->code)},
            {"message", json_text(report.error->message)},
            {"hint", json_text_or_null(report.error->hint)}};
}

json::array json_notes(const RunReport& report) {
    json::array result;
    for (const auto& note : report.notes) result.emplace_back(json_text(note));
    return result;
}

StageReport read_stage(const JsonReader& reader) {
    return {.name = reader.parsed("name", parse_stage),
            .status = reader.text("status"),
            .started_at = reader.time_or_epoch("started_at"),
            .duration = reader.seconds_or_zero("duration_seconds"),
            .bytes = reader.count_or("bytes", 0),
            .attempts = reader.integer_or("attempts", 1),
            .message = reader.text_or_empty("message")};
}

RunReport read_report(const JsonReader& reader) {
    RunReport report;
    report.run = reader.parsed("run", base::RunId::parse);
    report.job = reader.text("job");
    report.trigger = reader.parsed("trigger", parse_trigger);
    report.outcome = reader.parsed("status", parse_outcome);
    if (reader.has("slot")) report.slot = base::to_instant(reader.parsed("slot", parse_time));
    report.started_at = reader.time_or_epoch("started_at");
    report.finished_at = reader.time_or_epoch("finished_at");
    report.timezone = reader.text_or_empty("timezone");
    report.set = reader.text_or_empty("set");
    report.set_directory = reader.text_or_empty("set_directory");
    report.size_bytes = reader.count_or("size_bytes", 0);
    for (const auto& stage : reader.objects("stages")) report.stages.push_back(read_stage(stage));
    for (const auto& artifact : reader.objects("artifacts")) report.artifacts.push_back(read_artifact(artifact));
    for (const auto& target : reader.objects("targets"))
        report.targets.push_back({.name = target.text("name"),
                                  .status = target.text("status"),
                                  .bytes = target.count_or("bytes", 0),
                                  .verified = target.text_or_empty("verified"),
                                  .message = target.text_or_empty("message")});
    report.notes = reader.texts("notes");
    if (reader.has("error")) {
        const auto error = reader.object("error");
        report.error = {
            .code = error.text("code"), .message = error.text("message"), .hint = error.text_or_empty("hint")};
    }
    return report;
}

}  // namespace

json::object json_run(const RunReport& report) {
    const bool finished = report.finished_at != base::Timestamp{};
    return {{"run", json_text(report.run.text())},
            {"job", json_text(report.job)},
            {"trigger", trigger_text(report.trigger)},
            {"status", outcome_text(report.outcome)},
            // Not json_time: a slot at the epoch is a slot.
            {"slot", report.slot ? json::value(calendar::format_rfc3339_utc(*report.slot)) : json::value(nullptr)},
            {"started_at", json_time(report.started_at)},
            {"finished_at", json_time(report.finished_at)},
            {"duration_seconds", finished ? json::value(seconds(report.duration())) : json::value(nullptr)},
            {"timezone", json_text(report.timezone)},
            {"set", json_text_or_null(report.set)},
            {"set_directory", json_text_or_null(report.set_directory)},
            {"size_bytes", report.size_bytes},
            {"stages", json_stages(report)},
            {"artifacts", json_artifacts(report)},
            {"targets", json_targets(report)},
            {"notes", json_notes(report)},
            {"error", json_error(report)}};
}

std::string to_report(const RunReport& report) {
    return pretty(json_run(report)) + "\n";
}

base::Result<RunReport> parse_report(std::string_view text) {
    const auto value = parse_json(text, largest);
    if (!value) return value.error().during("report");
    try {
        return read_report(JsonReader(*value, "report"));
    } catch (const Error& error) {
        return error;
    }
}

}  // namespace pgbakd::model
