#include "host/configuration.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "catalog/catalog.hpp"
#include "host/places.hpp"
#include "os/file.hpp"

namespace pgbakd::host {
namespace {

constexpr std::size_t largest_file = std::size_t{4} << 20U;
constexpr std::size_t most_files = 1000;

struct Fragments {
    std::vector<std::filesystem::path> read;
    std::vector<std::filesystem::path> misnamed;  // most likely meant to be read
};

// An administrator who wrote such a file waits for its jobs.
bool is_misnamed(const std::filesystem::path& path) {
    const auto extension = base::to_lower(path.extension().native());
    return extension == ".yml" || extension == ".yaml" || extension == ".json";
}

Fragments fragments(const std::filesystem::path& file) {
    auto directory = file;
    directory.replace_extension(".d");
    Fragments found;
    std::error_code ignored;  // no directory: no fragments; one that cannot be read is found below
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
        const auto& path = entry.path();
        if (path.filename().native().starts_with(".")) continue;
        if (path.extension() == ".yaml")
            found.read.push_back(path);
        else if (is_misnamed(path))
            found.misnamed.push_back(path);
        if (found.read.size() + found.misnamed.size() > most_files) break;
    }
    if (ignored && ignored != std::errc::no_such_file_or_directory)
        throw base::error_from_errno(ignored.value(), "reading the directory " + directory.string());
    std::sort(found.read.begin(), found.read.end());
    std::sort(found.misnamed.begin(), found.misnamed.end());
    return found;
}

// The schedules that the daemon has had, from its catalog; read when the first schedule that is over asks.
class KnownSchedules {
  public:
    bool contains(const std::filesystem::path& state_file, const model::JobSpec& job) {
        return key_of(state_file, job) == model::timetable_key(job.schedule, *job.zone, job.milestones);
    }
    std::vector<calendar::Schedule> dates(const std::filesystem::path& state_file, const model::JobSpec& job) {
        const auto timetable = model::read_timetable_key(key_of(state_file, job));
        if (!timetable || timetable->schedule != job.schedule || timetable->zone != job.zone->name()) return {};
        std::vector<calendar::Schedule> found;
        for (const auto& milestone : timetable->milestones) found.push_back(milestone.at);
        return found;
    }
    // Why nothing is known, if the catalog cannot be read.
    [[nodiscard]] const std::optional<config::Problem>& problem() const noexcept { return problem_; }

  private:
    using Known = std::map<std::string, std::string>;  // by the job's name

    // Empty: none.
    std::string key_of(const std::filesystem::path& state_file, const model::JobSpec& job) {
        if (!known_) known_ = read(state_file);
        const auto found = known_->find(job.name);
        return found == known_->end() ? std::string() : found->second;
    }

    Known read(const std::filesystem::path& state_file) {
        Known known;
        try {
            if (const auto catalog = catalog::Catalog::open_for_reading(state_file))
                for (auto& state : catalog->job_states())
                    known.emplace(std::move(state.job), std::move(state.schedule));
        } catch (const base::Error& error) {
            problem_ = {config::Problem::Severity::warning,
                        state_file.string(),
                        0,
                        0,
                        {},
                        "whether schedules in the past ran cannot be told: " + error.message(),
                        error.hint()};
        }
        return known;
    }

    std::optional<Known> known_;
    std::optional<config::Problem> problem_;
};

}  // namespace

config::LoadResult load_configuration(const std::filesystem::path& file, calendar::ZoneDatabase& zones,
                                      base::Instant now) {
    std::vector<config::Document> documents;
    config::LoadResult unreadable;
    const auto add = [&](const std::filesystem::path& path) {
        try {
            config::Document document;
            document.file = path.string();
            document.text = os::read_file(path, largest_file);
            const auto status = os::target_status(path);
            document.readable_by_others = !status || (status->mode & (S_IRWXG | S_IRWXO)) != 0;
            documents.push_back(std::move(document));
        } catch (const base::Error& error) {
            auto hint = error.hint();
            if (error.code() == base::ErrorCode::permission_denied)
                hint = "it is for root, the daemon and the file's group: use sudo, or join the group";
            if (error.code() == base::ErrorCode::not_found)
                hint = path == file ? "put it there, or name another one with --config at the start"
                                    : "it is a link to a file that is not there: mend it or remove it";
            unreadable.problems.push_back(
                {config::Problem::Severity::error, path.string(), 0, 0, {}, error.message(), std::move(hint)});
        }
    };
    if (file.empty()) {
        config::Problem problem;
        problem.message = "--config is given no name";
        problem.hint = "name a file, or leave --config out";
        return {nullptr, {std::move(problem)}};
    }
    add(file);
    std::vector<config::Problem> warnings;
    try {
        const auto found = fragments(file);
        for (const auto& path : found.read) add(path);
        for (const auto& path : found.misnamed)
            warnings.push_back({config::Problem::Severity::warning,
                                path.string(),
                                0,
                                0,
                                {},
                                "this file is not read",
                                "the names of files that are end in .yaml"});
    } catch (const base::Error& error) {
        unreadable.problems.push_back(
            {config::Problem::Severity::error, file.string(), 0, 0, {}, error.message(), error.hint()});
    }
    if (!unreadable.problems.empty()) return unreadable;
    KnownSchedules known;
    const Places places;
    const config::Host host{
        [&zones](std::string_view name) { return zones.find(name); },
        calendar::ZoneDatabase::host_zone_name(),
        now,
        [&known](const std::filesystem::path& state, const model::JobSpec& job) { return known.contains(state, job); },
        [&known](const std::filesystem::path& state, const model::JobSpec& job) { return known.dates(state, job); },
        [&places](const std::filesystem::path& path) { return places.resolve(path); },
        [&places](const std::filesystem::path& path) { return places.disk_of(path); }};
    auto result = config::load(documents, host);
    if (known.problem()) result.problems.push_back(*known.problem());
    result.problems.insert(result.problems.end(), warnings.begin(), warnings.end());
    return result;
}

}  // namespace pgbakd::host
