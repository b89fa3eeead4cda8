// Finding sets: from directories and their manifests alone.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "os/file.hpp"
#include "repository/corruption.hpp"
#include "repository/index.hpp"
#include "repository/names.hpp"
#include "repository/repository.hpp"

namespace pgbakd::repository {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t largest_manifest = std::size_t{64} << 20U;
constexpr std::size_t names_in_hint = 3;

bool is_real_directory(const std::filesystem::path& path) {
    const auto found = os::file_status(path);
    return found && found->is_directory;
}

// Regular only: a named pipe of that name would stop whoever reads it.
std::optional<os::FileStatus> manifest_status(const std::filesystem::path& directory) {
    auto found = os::file_status(directory / model::manifest_file);
    if (found && !found->is_regular) found.reset();
    return found;
}

bool has_manifest(const std::filesystem::path& directory) {
    return manifest_status(directory).has_value();
}

model::BackupSet read_manifest(const std::filesystem::path& directory) {
    return model::parse_manifest(os::read_file(directory / model::manifest_file, largest_manifest)).value();
}

// From the index if that knows this very file, else from the file, which it knows then.
model::BackupSet summary_of(const std::filesystem::path& directory, const std::string& name, Index& index) {
    const auto status = manifest_status(directory);
    if (status)
        if (auto known = index.find(name, *status)) return std::move(*known);
    auto manifest = read_manifest(directory);
    keep_summary(manifest);
    if (status) index.add(name, *status, manifest);
    return manifest;
}

std::string problem_of(const StoredSet& set) {
    for (const auto& artifact : set.manifest.artifacts) {
        const auto found = os::file_status(set.directory / artifact.file);
        if (!found) return artifact.file + " is missing";
        if (!found->is_regular) return artifact.file + " is not a regular file";
        if (found->size != artifact.bytes)
            return fmt::format("{} has a size of {} instead of {} bytes", artifact.file, found->size, artifact.bytes);
    }
    return {};
}

// `index`: the summary is enough, and may come from there.
StoredSet read_set(const std::filesystem::path& directory, const model::SetId& id, Index* index = nullptr) {
    StoredSet set;
    set.directory = directory;
    try {
        set.pinned = os::file_status(directory / pinned_name).has_value();
        set.corrupt = read_corruption(directory / corrupt_name);
        set.manifest = index != nullptr ? summary_of(directory, id.set, *index) : read_manifest(directory);
    } catch (const Error& error) {
        set.manifest = model::BackupSet{};
        set.manifest.complete = false;
        set.manifest.started_at = time_in_name(id.set);
        set.problem = error.message();
        set.unreadable = true;
        set.manifest_damaged = error.code() == ErrorCode::corrupt;
    }
    try {
        if (!set.unreadable) set.problem = problem_of(set);
    } catch (const Error& error) {
        set.problem = error.message();
        set.unreadable = true;
    }
    // Where it lies decides: an administrator may have copied it under another job's name.
    set.manifest.id = id;
    return set;
}

std::vector<std::string> set_names(const std::filesystem::path& job_directory) {
    if (!is_real_directory(job_directory)) return {};
    auto names = os::list_directory(job_directory);
    std::erase_if(names, [&](const std::string& name) {
        return !model::is_set_name(name) || !is_real_directory(job_directory / name) ||
               !has_manifest(job_directory / name);
    });
    return names;
}

bool is_newer(const StoredSet& a, const StoredSet& b) {
    return std::pair(a.manifest.started_at, model::name_order(a.manifest.id)) >
           std::pair(b.manifest.started_at, model::name_order(b.manifest.id));
}

}  // namespace

std::vector<std::string> Repository::jobs() const {
    std::vector<std::string> names;
    if (!os::target_status(directory_)) return names;
    for (auto& name : os::list_directory(directory_))
        if (model::check_name("job", name) && is_real_directory(directory_ / name)) names.push_back(std::move(name));
    return names;
}

std::vector<StoredSet> Repository::sets(const std::optional<std::string>& job) const {
    std::vector<StoredSet> result;
    for (const auto& name : job ? std::vector<std::string>{*job} : jobs()) {
        const auto directory = job_directory(name);
        Index index(directory_ / index_name(name));
        for (const auto& set : set_names(directory)) {
            auto found = read_set(directory / set, {name, set}, &index);
            // Removed by somebody since it was listed: gone, not broken.
            if (!found.problem.empty() && !has_manifest(found.directory)) continue;
            result.push_back(std::move(found));
        }
        index.save();
    }
    std::sort(result.begin(), result.end(), is_newer);
    return result;
}

std::vector<model::SetId> Repository::ids(const std::optional<std::string>& job) const {
    std::vector<model::SetId> result;
    for (const auto& name : job ? std::vector<std::string>{*job} : jobs())
        for (auto& set : set_names(job_directory(name))) result.push_back({name, std::move(set)});
    return result;
}

std::optional<StoredSet> Repository::newest(const std::string& job, base::Timestamp now,
                                            const std::function<bool(const StoredSet&)>& accept) const {
    const auto directory = job_directory(job);
    if (!is_real_directory(directory)) return std::nullopt;
    auto names = os::list_directory(directory);
    std::erase_if(names, [](const std::string& name) { return !model::is_set_name(name); });
    std::sort(names.begin(), names.end(), std::greater<>());
    std::optional<StoredSet> best, from_future;
    for (const auto& name : names) {
        // Names are local times. Where clocks go back, or a job's zone was changed, the order of names is off by a day
        // at the most, so those of the day before the best one are looked at too.
        if (best && time_in_name(name) + std::chrono::days(1) < time_in_name(best->manifest.id.set)) break;
        if (!is_real_directory(directory / name) || !has_manifest(directory / name)) continue;
        auto set = read_set(directory / name, {job, name});
        if (!set.problem.empty() || set.corrupt || !set.manifest.complete || (accept && !accept(set))) continue;
        auto& leader = set.manifest.started_at > now ? from_future : best;
        if (!leader || is_newer(set, *leader)) leader = std::move(set);
    }
    return best ? best : from_future;
}

Error Repository::not_there(const model::SetId& id) const {
    const auto known = jobs();
    if (std::find(known.begin(), known.end(), id.job) == known.end()) {
        const auto near = base::closest(id.job, known);
        return {ErrorCode::not_found, fmt::format("job {} has no backup set in {}", id.job, directory_.native()),
                near ? fmt::format("did you mean {}?", *near) : std::string()};
    }
    if (id.set == "latest")
        return {ErrorCode::not_found, fmt::format("job {} has no complete backup set", id.job),
                fmt::format("pgbakctl list {} shows what there is", id.job)};
    auto names = set_names(job_directory(id.job));
    std::string hint;
    if (names.empty()) {
        hint = fmt::format("job {} has no backup set", id.job);
    } else if (const auto near = base::closest(id.set, names); near && near->substr(0, 8) == id.set.substr(0, 8)) {
        hint = fmt::format("did you mean {}/{}?", id.job, *near);
    } else {
        std::reverse(names.begin(), names.end());
        names.resize(std::min(names.size(), names_in_hint));
        hint = fmt::format("the newest of {} are {}", id.job, base::join(names, ", "));
    }
    return {ErrorCode::not_found, fmt::format("there is no backup set {}", id.text()), std::move(hint)};
}

std::filesystem::path Repository::existing(const model::SetId& id) const {
    auto directory = job_directory(id.job) / id.set;
    if (!model::is_set_name(id.set) || !is_real_directory(job_directory(id.job)) || !is_real_directory(directory) ||
        !has_manifest(directory))
        throw not_there(id);
    return directory;
}

StoredSet Repository::find(const model::SetId& id) const {
    return read_set(existing(id), id);
}

}  // namespace pgbakd::repository
