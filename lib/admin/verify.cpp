// verify: a set or a file, read again to its end.
#include <fmt/format.h>

#include <algorithm>

#include "admin/configuration.hpp"
#include "admin/progress_bar.hpp"
#include "admin/sets.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"
#include "os/file.hpp"

namespace pgbakd::admin {
namespace {

using repository::Finding;

// Shows the bytes read on the bar; never stops the reading (an interrupted tool is simply gone).
repository::Progress shown_on(ProgressBar& bar, const std::string& target, std::uint64_t total) {
    return [&bar, target, total](std::uint64_t bytes) {
        const auto seconds = static_cast<double>(bar.elapsed().count()) / 1000;
        ProgressState state;
        state.what = "verifying " + target;
        state.done = bytes;
        state.total = total;
        if (seconds > 0) state.rate = static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds);
        bar.show(state);
        return true;
    };
}

repository::Verdict read_again(Context& context, const repository::StoredSet& set, const std::string& target) {
    ProgressBar bar(context);
    return repository::verify(set, shown_on(bar, target, set.manifest.bytes()));
}

std::string first_fault(const repository::Verdict& verdict) {
    for (const auto& artifact : verdict.artifacts)
        if (artifact.finding == Finding::bad) return artifact.file + " " + artifact.message;
    return {};
}

// A corrupt set must not count for retention; one that was found corrupt and is good now counts again. Good findings
// are otherwise the daemon's to record.
void record(Context& context, const config::Config& config, const model::SetId& id,
            const repository::Verdict& verdict) {
    try {
        bool was_corrupt = false;
        if (const auto history = catalog::Catalog::open_for_reading(config.state_file()))
            for (const auto& state : history->set_states())
                was_corrupt = was_corrupt || (state.id == id && state.corrupt);
        if (verdict.ok() && !was_corrupt) return;
        const auto now = context.around.clock.now();
        const auto catalog = catalog::Catalog::open(config.state_file(), now);
        catalog->put_set_state({id, verdict.level, now, !verdict.ok(), first_fault(verdict)});
    } catch (const base::Error& error) {
        remark(context, {error.code(), "the finding could not be recorded: " + error.message(), error.hint()});
    }
}

repository::Verdict verify_set(Context& context, const config::Config& config, const repository::StoredSet& set) {
    const auto& id = set.manifest.id;
    auto verdict = read_again(context, set, id.text());
    if (set.directory.parent_path().parent_path() != config.repository.directory) return verdict;
    // What retention deleted meanwhile is not corrupt.
    if (!verdict.ok()) (void)repository::Repository(config.repository.directory).find(id);
    // What could not be read is as good or bad as it was known to be before.
    if (verdict.finding() != Finding::unread) record(context, config, id, verdict);
    return verdict;
}

// The directory of a set, wherever it lies: a copy on another disk, or one that was downloaded.
std::optional<repository::StoredSet> set_at(const std::filesystem::path& path) {
    const auto status = os::target_status(path);
    if (!status || !status->is_directory || !os::target_status(path / model::manifest_file)) return std::nullopt;
    auto directory = std::filesystem::canonical(path);
    const model::SetId id{directory.parent_path().filename().string(), directory.filename().string()};
    return repository::Repository(directory.parent_path().parent_path()).find(id);
}

// How SET or FILE is meant: a path where it looks like one or where a file of that name is and no set.
bool is_path(const std::string& text) {
    if (text.starts_with("/") || text.starts_with("./") || text.starts_with("../")) return true;
    return !model::SetId::parse(text) && os::target_status(text).has_value();
}

std::string finding_word(Finding finding, bool colour) {
    switch (finding) {
        case Finding::good: return styled("ok    ", Style::good, colour);
        case Finding::unread: return styled("unread", Style::warning, colour);
        case Finding::bad: break;
    }
    return styled("failed", Style::bad, colour);
}

void print(Context& context, const std::string& target, const repository::Verdict& verdict) {
    if (context.json) {
        boost::json::array artifacts;
        for (const auto& artifact : verdict.artifacts)
            artifacts.push_back({{"file", model::json_text(artifact.file)},
                                 {"ok", artifact.ok()},
                                 {"unread", artifact.finding == Finding::unread},
                                 {"message", model::json_text(artifact.message)}});
        return print_json(context, boost::json::object{{"target", model::json_text(target)},
                                                       {"level", model::verification_text(verdict.level)},
                                                       {"ok", verdict.ok()},
                                                       {"artifacts", std::move(artifacts)}});
    }
    for (const auto& artifact : verdict.artifacts)
        context.out << fmt::format("  {} {}: {}\n", finding_word(artifact.finding, context.colour),
                                   base::printable(artifact.file), base::printable(artifact.message));
    if (verdict.ok())
        context.out << fmt::format("{}: good, {}\n", base::printable(target), model::verification_text(verdict.level));
}

ExitCode conclude(Context& context, const std::string& target, const repository::Verdict& verdict,
                  std::string_view hint = {}) {
    print(context, target, verdict);
    const auto found = verdict.finding();
    if (found == Finding::good) return ExitCode::good;
    const auto such = std::count_if(verdict.artifacts.begin(), verdict.artifacts.end(),
                                    [found](const auto& artifact) { return artifact.finding == found; });
    const auto all = counted(verdict.artifacts.size(), "artifact");
    // The document on `out` says it all already: no second one.
    if (found == Finding::unread) {
        context.err << fmt::format(
            "pgbakctl: {} could not be verified: {} of {} could not be read\n"
            "  hint: that does not make it a bad backup, and nothing was recorded; look at its permissions, and at "
            "dmesg for errors of the disk\n",
            base::printable(target), such, all);
        return ExitCode::failed;
    }
    context.err << fmt::format("pgbakctl: {} is not good: {} of {} failed\n", base::printable(target), such, all);
    if (!hint.empty()) context.err << "  hint: " << hint << '\n';
    return ExitCode::verification;
}

ExitCode verify_path(Context& context, const std::string& path) {
    if (const auto set = set_at(path)) return conclude(context, path, read_again(context, *set, path));
    const auto status = os::target_status(path);
    const auto verdict = [&] {
        ProgressBar bar(context);
        return repository::verify_file(path, shown_on(bar, path, status ? status->size : 0));
    }();
    return conclude(context, path, verdict);
}

}  // namespace

ExitCode perform_verify(Context& context, const Arguments& arguments) {
    const auto& target = arguments.text("SET");
    if (is_path(target)) return verify_path(context, target);
    if (target.find('/') == std::string::npos)
        throw base::Error(
            base::ErrorCode::not_found,
            fmt::format("\"{}\" is neither a set nor a file", base::printable(base::clamp_utf8(target, 200))),
            "a set is named JOB/20260113_000001 or JOB/latest; pgbakctl list shows them");
    const auto config = load(context);
    become_owner_of(config->repository.directory);
    const auto set = find_set(*config, target);
    return conclude(context, set.manifest.id.text(), verify_set(context, *config, set),
                    "it no longer counts as a backup; verify the set before it, and run the job again");
}

}  // namespace pgbakd::admin
