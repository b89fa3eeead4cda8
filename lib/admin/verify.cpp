// verify: a set or a file, read again to its end.
#include <fmt/format.h>

#include <algorithm>

#include "admin/configuration.hpp"
#include "admin/decryption.hpp"
#include "admin/progress_bar.hpp"
#include "admin/remote.hpp"
#include "admin/remote_sets.hpp"
#include "admin/sets.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "holdings/corruption.hpp"
#include "model/json.hpp"
#include "offsite/fetch.hpp"
#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "os/file.hpp"
#include "repository/corruption.hpp"
#include "repository/names.hpp"
#include "source/database_commands.hpp"

namespace pgbakd::admin {
namespace {

using repository::Finding;

// Shows the bytes read on the bar; never stops the reading (an interrupted tool is simply gone).
repository::Progress shown_on(ProgressBar& bar, const std::string& target, std::uint64_t total) {
    return [show = shown_bytes(bar, "verifying " + target, total)](std::uint64_t bytes) {
        show(bytes);
        return true;
    };
}

repository::Verdict read_again(Context& context, const repository::StoredSet& set, const std::string& target,
                               const repository::Decrypt& decrypt) {
    ProgressBar bar(context);
    return repository::verify(set, shown_on(bar, target, set.manifest.bytes()), decrypt);
}

std::string first_fault(const repository::Verdict& verdict) {
    for (const auto& artifact : verdict.artifacts)
        if (artifact.finding == Finding::bad) return artifact.file + " " + artifact.message;
    return {};
}

// A corrupt set must not count for retention; one that was found corrupt and is good now counts again. Good findings
// are otherwise the daemon's to record.
// Twice: with the set itself, where no loss of the catalog loses it, and in the catalog, for where the set cannot be
// written to.
class Recorder {
  public:
    Recorder(Context& context, const config::Config& config, const repository::StoredSet& set,
             const repository::Verdict& verdict)
        : context_(context), config_(config), set_(set), verdict_(verdict) {
        found_ = {verdict.level, context.around.clock.now(), first_fault(verdict)};
    }

    void record() {
        const bool marked = attempt("with the set", [this] {
            holdings::note_with_set(repository::Repository(config_.repository.directory), set_, found_);
        });
        const bool entered = attempt(
            "in the catalog", [this] { holdings::note_in_catalog(config_.state_file(), set_.manifest.id, found_); });
        // Either of them speaks against a set.
        if (verdict_.ok() ? marked && entered : marked || entered) return;
        remark(context_, {base::ErrorCode::io_failed,
                          fmt::format("retention still takes {} for {}", set_.manifest.id.text(),
                                      verdict_.ok() ? "corrupt" : "good"),
                          fmt::format("verify it again when {} and {} can be written to", set_.directory.native(),
                                      config_.state_file().native())});
    }

  private:
    template <class Step>
    bool attempt(std::string_view where, Step step) {
        try {
            step();
            return true;
        } catch (const base::Error& error) {
            remark(context_,
                   {error.code(), fmt::format("the finding could not be recorded {}: {}", where, error.message()),
                    error.hint()});
            return false;
        }
    }

    Context& context_;
    const config::Config& config_;
    const repository::StoredSet& set_;
    const repository::Verdict& verdict_;
    holdings::Rechecked found_;
};

repository::Verdict verify_set(Context& context, const config::Config& config, const repository::StoredSet& set,
                               const repository::Decrypt& decrypt) {
    const auto& id = set.manifest.id;
    auto verdict = read_again(context, set, id.text(), decrypt);
    if (set.directory.parent_path().parent_path() != config.repository.directory) return verdict;
    // What retention deleted meanwhile is not corrupt.
    if (!verdict.ok()) (void)repository::Repository(config.repository.directory).find(id);
    // What could not be read is as good or bad as it was known to be before.
    if (verdict.finding() != Finding::unread) Recorder(context, config, set, verdict).record();
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
        const auto list = [](const std::vector<repository::ArtifactVerdict>& verdicts) {
            boost::json::array entries;
            for (const auto& each : verdicts)
                entries.push_back({{"file", model::json_text(each.file)},
                                   {"ok", each.ok()},
                                   {"unread", each.finding == Finding::unread},
                                   {"message", model::json_text(each.message)}});
            return entries;
        };
        return print_json(context, boost::json::object{{"target", model::json_text(target)},
                                                       {"level", model::verification_text(verdict.level)},
                                                       {"ok", verdict.ok() && verdict.beside.empty()},
                                                       {"artifacts", list(verdict.artifacts)},
                                                       {"beside", list(verdict.beside)}});
    }
    for (const auto* list : {&verdict.artifacts, &verdict.beside})
        for (const auto& each : *list)
            context.out << fmt::format("  {} {}: {}\n", finding_word(each.finding, context.colour),
                                       base::printable(each.file), base::printable(each.message));
    if (verdict.ok() && verdict.beside.empty())
        context.out << fmt::format("{}: good, {}\n", base::printable(target), model::verification_text(verdict.level));
}

// The command that makes a sidecar anew. A manifest that was tampered with must not put words into anybody's shell.
std::string mending(const std::filesystem::path& directory, const repository::ArtifactVerdict& wrong) {
    const auto& sidecar = wrong.file;
    if (!sidecar.ends_with(repository::sidecar_extension)) return "its manifest was changed after it was written";
    const auto artifact = sidecar.substr(0, sidecar.size() - repository::sidecar_extension.size());
    const auto command =
        fmt::format("cd {} && sha256sum {}{} > {}", source::shell_word(directory.native()),
                    artifact.starts_with('-') ? "-- " : "", source::shell_word(artifact), source::shell_word(sidecar));
    // Not as it would be shown, or names that sha256sum writes in a way of its own.
    if (base::printable(command) != command || artifact.find('\\') != std::string::npos)
        return "write it anew with sha256sum, in its directory";
    return "write it anew with: " + command;
}

// What a person is told to do about a verdict that is not good.
struct Hints {
    std::filesystem::path directory{};  // of the set, if it is here
    std::string bad{};
    std::string sidecar{};  // where no command can write it anew
};

// The artifacts are good, but not what stands beside them.
ExitCode conclude_beside(Context& context, const std::string& target, const Hints& hints,
                         const repository::Verdict& verdict) {
    const auto wrong = std::find_if(verdict.beside.begin(), verdict.beside.end(),
                                    [](const auto& each) { return each.finding == Finding::bad; });
    if (wrong == verdict.beside.end()) {
        context.err << fmt::format("pgbakctl: the artifacts of {} are good, but {} beside them could not be read: {}\n",
                                   base::printable(target), base::printable(verdict.beside.front().file),
                                   base::printable(verdict.beside.front().message));
        return ExitCode::failed;
    }
    const bool is_sidecar = wrong->file.ends_with(repository::sidecar_extension);
    context.err << fmt::format(
        "pgbakctl: the artifacts of {} are good, but not what stands beside them: {} {}\n"
        "  hint: it still counts as a backup; {}\n",
        base::printable(target), base::printable(wrong->file), base::printable(wrong->message),
        base::printable(is_sidecar && !hints.sidecar.empty() ? hints.sidecar : mending(hints.directory, *wrong)));
    return ExitCode::verification;
}

ExitCode conclude(Context& context, const std::string& target, const Hints& hints, const repository::Verdict& verdict) {
    print(context, target, verdict);
    const auto found = verdict.finding();
    if (found == Finding::good && verdict.beside.empty()) return ExitCode::good;
    if (found == Finding::good) return conclude_beside(context, target, hints, verdict);
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
    if (!hints.bad.empty()) context.err << "  hint: " << hints.bad << '\n';
    return ExitCode::verification;
}

ExitCode verify_path(Context& context, const std::string& path, const repository::Decrypt& decrypt) {
    if (const auto set = set_at(path)) {
        const Hints hints{.directory = set->directory};
        return conclude(context, path, hints, read_again(context, *set, path, decrypt));
    }
    const auto status = os::target_status(path);
    const auto verdict = [&] {
        ProgressBar bar(context);
        return repository::verify_file(path, shown_on(bar, path, status ? status->size : 0), decrypt);
    }();
    return conclude(context, path, Hints(), verdict);
}

// A copy that was found corrupt must not count for its target's retention: the finding lies there, with the set.
asio::awaitable<void> leave_finding(target::Target& target, model::SetId id, const repository::Verdict& verdict,
                                    base::Timestamp now, async::StopToken stop) {
    if (!verdict.ok()) {
        const repository::Corruption found{now, first_fault(verdict)};
        const auto text = repository::corruption_text(found);
        co_await offsite::put_mark(target, id, offsite::corrupt_file, text, stop);
        co_return;
    }
    const auto there = co_await offsite::remote_corruption(target, id, stop);
    if (there) co_await offsite::remove_mark(target, id, offsite::corrupt_file, stop);
}

// And the catalog's copy is what the status shows and a run compares its size with.
void enter_finding(const config::Config& config, const std::string& from, const model::SetId& id,
                   const repository::Verdict& verdict, base::Timestamp now) {
    const auto history = catalog::Catalog::open_for_reading(config.state_file());
    if (!history) return;
    for (auto copy : history->copies_of(id)) {
        if (copy.target != from || copy.owed || (copy.verified != model::Verification::none) == verdict.ok()) continue;
        copy.verified = verdict.level;
        catalog::Catalog::open(config.state_file(), now)->put_copy(copy);
    }
}

// The copy on a target, read to its end where it lies.
ExitCode verify_copy(Context& context, const std::string& text, const std::string& from,
                     const repository::Decrypt& decrypt) {
    const auto id = model::SetId::parse(text);
    if (!id) throw Failure(ExitCode::usage, id.error());
    const auto config = load(context);
    const auto secrets = read_target_secrets(context, *config);
    become_owner_of(config->repository.directory);
    const auto now = context.around.clock.now();
    repository::Verdict verdict;
    model::SetId found;
    std::optional<base::Error> unrecorded;
    std::string name;
    ask_target(context, *config, secrets, from,
               [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                   const auto set = co_await find_remote_set(context, access.target, *id, stop);
                   found = set.id;
                   name = fmt::format("{} on {}", set.id.text(), from);
                   ProgressBar bar(context);
                   const auto come = shown_bytes(bar, "verifying " + name, set.bytes());
                   verdict = co_await offsite::verify_remote(access.target, access.pool, set, decrypt, come, stop);
                   // What could not be read is as good or bad as it was known to be before.
                   if (verdict.finding() == Finding::unread) co_return;
                   try {
                       co_await leave_finding(access.target, set.id, verdict, now, stop);
                   } catch (const base::Error& error) {
                       unrecorded = error;
                   }
               });
    try {
        if (verdict.finding() != Finding::unread) enter_finding(*config, from, found, verdict, now);
    } catch (const base::Error& error) {
        unrecorded = error;
    }
    if (unrecorded)
        remark(context,
               {unrecorded->code(),
                fmt::format("the finding could not be recorded, so that retention on {} still takes it for {}: {}",
                            from, verdict.ok() ? "corrupt" : "good", unrecorded->message()),
                unrecorded->hint()});
    const Hints hints{.bad = "it no longer counts as a backup there; verify the set before it, and run the job again",
                      .sidecar = fmt::format(
                          "pgbakctl download {} --from {} writes right ones beside what it brings, to be put there",
                          found.text(), from)};
    return conclude(context, name, hints, verdict);
}

}  // namespace

ExitCode perform_verify(Context& context, const Arguments& arguments) {
    const auto decrypt = decrypt_by(read_decryption(context, arguments));
    if (const auto from = arguments.find("--from")) return verify_copy(context, arguments.text("SET"), *from, decrypt);
    const auto& target = arguments.text("SET");
    if (is_path(target)) return verify_path(context, target, decrypt);
    if (target.find('/') == std::string::npos)
        throw base::Error(
            base::ErrorCode::not_found,
            fmt::format("\"{}\" is neither a set nor a file", base::printable(base::clamp_utf8(target, 200))),
            "a set is named JOB/20260113_000001 or JOB/latest; pgbakctl list shows them");
    const auto config = load(context);
    become_owner_of(config->repository.directory);
    const auto set = find_set(context, *config, target);
    const Hints hints{.directory = set.directory,
                      .bad = "it no longer counts as a backup; verify the set before it, and run the job again"};
    return conclude(context, set.manifest.id.text(), hints, verify_set(context, *config, set, decrypt));
}

}  // namespace pgbakd::admin
