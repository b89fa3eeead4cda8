#include "admin/run_view.hpp"

#include <fmt/format.h>

#include "admin/json_view.hpp"
#include "admin/table.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace pgbakd::admin {
namespace {

// What an outcome is called in a sentence.
std::string_view verb_of(std::string_view status) {
    if (status == "SUCCESS") return "succeeded";
    if (status == "WARNING") return "succeeded, but a copy is owed,";
    if (status == "FAILED") return "failed";
    if (status == "SKIPPED") return "was skipped";
    if (status == "CANCELLED") return "was cancelled";
    if (status == "INTERRUPTED") return "was interrupted";
    return "ended";
}

std::chrono::milliseconds duration_of(const boost::json::object& run) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(number_at(run, "duration_seconds") * 1000));
}

void print_files(Context& context, const boost::json::object& run) {
    Table table({{"FILE"}, {"DATABASE"}, {"SIZE", true}, {"RAW", true}, {"VERIFIED"}});
    for (const auto& value : list_at(run, "artifacts")) {
        const auto& artifact = as_object(value);
        table.add({{text_at(artifact, "file")},
                   {text_at(artifact, "database")},
                   {base::format_size(count_at(artifact, "bytes"))},
                   {base::format_size(count_at(artifact, "raw_bytes"))},
                   {text_at(artifact, "verified")}});
    }
    if (!table.empty()) table.print(context.out, context.colour);
}

}  // namespace

Style style_of_status(std::string_view status) {
    if (status == "SUCCESS") return Style::good;
    if (status == "FAILED" || status == "INTERRUPTED") return Style::bad;
    if (status == "RUNNING") return Style::plain;
    return Style::warning;
}

ExitCode exit_code_of_run(const boost::json::object& run) {
    const auto status = text_at(run, "status");
    if (status == "SUCCESS" || status == "WARNING") return ExitCode::good;
    const bool held = text_at(object_at(run, "error"), "code") == base::code_text(base::ErrorCode::conflict);
    return status == "SKIPPED" && held ? ExitCode::busy : ExitCode::failed;
}

std::string summary_of_run(const boost::json::object& run, bool colour) {
    const auto status = text_at(run, "status");
    auto line =
        fmt::format("{} {} in {}", base::printable(text_at(run, "job")),
                    styled(verb_of(status), style_of_status(status), colour), base::format_duration(duration_of(run)));
    const auto set = text_at(run, "set");
    if (!set.empty())
        line += fmt::format(": {} ({})", base::printable(set), base::format_size(count_at(run, "size_bytes")));
    return line;
}

void print_run(Context& context, const boost::json::object& run) {
    context.out << summary_of_run(run, context.colour) << '\n';
    print_files(context, run);
    for (const auto& note : list_at(run, "notes"))
        if (note.is_string()) context.out << "note: " << base::printable(std::string(note.get_string())) << '\n';
    const auto& error = object_at(run, "error");
    const auto message = text_at(error, "message");
    if (message.empty()) return;
    context.err << "pgbakctl: " << base::printable(message) << '\n';
    const auto hint = text_at(error, "hint");
    if (!hint.empty()) context.err << "  hint: " << base::printable(hint) << '\n';
}

ProgressState progress_of(const boost::json::object& progress) {
    ProgressState state;
    state.what = fmt::format("{}: {}", text_at(progress, "job"), text_at(progress, "stage"));
    const auto part = text_at(progress, "part");
    if (!part.empty()) state.what += " " + part;
    const auto parts = count_at(progress, "parts");
    if (parts > 1) state.what += fmt::format(" ({}/{})", count_at(progress, "parts_done"), parts);
    state.done = count_at(progress, "bytes");
    state.total = count_at(progress, "expected_bytes");
    state.rate = count_at(progress, "rate_bytes_per_second");
    // What the server tells of the run under way is nearer than the size of the last one; it counts before compression.
    const auto raw = count_at(progress, "raw_bytes");
    if (const auto expected = count_at(progress, "expected_raw_bytes"); expected > 0 && raw > 0) {
        if (state.done > 0) {
            const auto ratio = static_cast<double>(raw) / static_cast<double>(state.done);
            state.rate = static_cast<std::uint64_t>(static_cast<double>(state.rate) * ratio);
        }
        state.done = raw;
        state.total = expected;
    }
    state.elapsed = std::chrono::milliseconds(static_cast<std::int64_t>(number_at(progress, "elapsed_seconds") * 1000));
    return state;
}

}  // namespace pgbakd::admin
