#include "source/files_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/leaving.hpp"
#include "async/own_pool.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "source/database_commands.hpp"
#include "source/files_stream.hpp"

namespace pgbakd::source {
namespace {

namespace fs = std::filesystem;

bool is_within(const fs::path& path, const fs::path& directory) {
    const auto [end, rest] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
    return end == directory.end();
}

// As a pattern that matches this path and no other.
std::string exactly(const fs::path& path) {
    std::string pattern;
    for (const char c : path.native()) {
        if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern;
}

// Those that lie in what is stored, as it is found there.
std::vector<fs::path> own_within(const std::vector<fs::path>& paths, const std::vector<fs::path>& own) {
    std::vector<fs::path> within;
    for (const auto& directory : own) {
        std::error_code ignored;
        for (const auto& place : {directory, fs::weakly_canonical(directory, ignored)}) {
            const bool is_stored = std::any_of(paths.begin(), paths.end(),
                                               [&place](const fs::path& path) { return is_within(place, path); });
            if (is_stored && std::find(within.begin(), within.end(), place) == within.end()) within.push_back(place);
        }
    }
    return within;
}

// What of the paths is not there, or cannot be looked at.
std::vector<std::string> missing(const std::vector<fs::path>& paths) {
    std::vector<std::string> lines;
    for (const auto& path : paths) {
        try {
            if (!os::file_status(path)) lines.push_back(fmt::format("{} is not there", base::printable(path.string())));
        } catch (const base::Error& error) {
            lines.push_back(error.message());
        }
    }
    return lines;
}

async::Patience patience_for(const async::StopToken& stop) {
    return {.what = "looking at the paths", .stall = {}, .after_stop = std::chrono::seconds(1), .stop = stop};
}

class FilesPart final : public OpenPart {
  public:
    FilesPart(std::shared_ptr<async::Pool> pool, FilesOptions options)
        : pool_(std::move(pool)), stream_(*pool_, std::move(options)) {}
    [[nodiscard]] Stream& stream() noexcept override { return stream_; }
    [[nodiscard]] std::optional<base::Error> lacks() const override {
        const auto& report = stream_.report();
        if (report.verdict() != FilesReport::Verdict::incomplete) return std::nullopt;
        const auto lines = report.lines();
        return base::Error(
            base::ErrorCode::permission_denied,
            fmt::format("{} could not be stored: {}", base::counted(report.failures(), "file"),
                        lines.empty() ? std::string() : lines.front()),
            "let the daemon's user read them (docs/configuration.md, \"Files as sources\"), or exclude them");
    }
    [[nodiscard]] bool is_disturbed() const override {
        return stream_.report().verdict() == FilesReport::Verdict::changed;
    }

  private:
    std::shared_ptr<async::Pool> pool_;
    FilesStream stream_;
};

}  // namespace

FilesOptions files_options(const model::FilesSource& source, const std::vector<fs::path>& own) {
    auto exclude = source.exclude;
    for (const auto& directory : own_within(source.paths, own)) exclude.push_back(exactly(directory));
    FilesOptions options;
    options.paths = source.paths;
    options.excludes = model::PathExcludes::parse(exclude).value();
    options.redact = KeyPatterns::parse(source.redact).value();
    options.other_file_systems = source.other_file_systems;
    return options;
}

FilesSource::FilesSource(Settings settings)
    : pool_(async::own_pool(1, settings.nice)), settings_(std::move(settings)) {}

asio::awaitable<Prepared> FilesSource::prepare(async::StopToken stop) {
    stop.check();
    const auto look = [paths = settings_.source.paths](async::Waiting&) { return missing(paths); };
    const auto patience = patience_for(stop);
    const auto absent = co_await async::run_leaving(*pool_, look, patience);
    if (absent.size() == settings_.source.paths.size())
        throw base::Error(base::ErrorCode::not_found, absent.front(),
                          "make it, mount it, let the daemon's user look at it, or correct paths");
    Prepared prepared;
    prepared.origin.type = "files";
    prepared.summary = base::counted(settings_.source.paths.size(), "path");
    for (const auto& path : settings_.source.paths) prepared.facts.push_back("path: " + base::printable(path.string()));
    const auto find_own = [paths = settings_.source.paths, own = settings_.own](async::Waiting&) {
        return own_within(paths, own);
    };
    const auto within = co_await async::run_leaving(*pool_, find_own, patience);
    for (const auto& directory : within)
        prepared.notes.push_back(fmt::format("{} is pgbakd's own, and is left out", directory.native()));
    Part part;
    part.kind = "files";
    part.format = "tar";
    part.stem = settings_.job;
    part.program = "files";
    part.content = codec::Content::tar;
    part.outer = settings_.compression;
    part.compression = settings_.compression;
    part.extension = fmt::format(".tar{}", codec::file_extension(settings_.compression.method));
    prepared.parts.push_back(std::move(part));
    co_return prepared;
}

asio::awaitable<std::unique_ptr<OpenPart>> FilesSource::open(Part /*part*/, fs::path /*work*/, async::StopToken stop) {
    stop.check();
    const auto choose = [files = settings_.source, own = settings_.own](async::Waiting&) {
        return files_options(files, own);
    };
    const auto patience = patience_for(stop);
    auto options = co_await async::run_leaving(*pool_, choose, patience);
    co_return std::make_unique<FilesPart>(pool_, std::move(options));
}

asio::awaitable<std::size_t> FilesSource::end_leftovers(async::StopToken /*stop*/) {
    co_return 0;
}

std::vector<std::string> FilesSource::stock_restore(const model::BackupSet& set) const {
    std::vector<std::string> commands;
    for (const auto& artifact : set.artifacts)
        commands.push_back(
            fmt::format("mkdir restored && tar --extract --file {} --directory restored --acls --xattrs "
                        "--xattrs-include='*' --numeric-owner --same-permissions",
                        shell_word(artifact.file)));
    return commands;
}

}  // namespace pgbakd::source
