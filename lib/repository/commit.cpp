// How a set comes to be: written aside, then renamed into view.
#include <fmt/format.h>

#include <algorithm>

#include "os/file.hpp"
#include "repository/names.hpp"
#include "repository/repository.hpp"

namespace pgbakd::repository {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int most_numbered = 999'999;

// What the manifest is about to promise, checked against the disk: an empty file must not become a backup.
void check_artifact(const std::filesystem::path& file, const model::Artifact& artifact) {
    model::check_artifact_file(artifact.file).value();
    const auto found = os::file_status(file);
    if (!found || !found->is_regular) throw Error(ErrorCode::corrupt, file.native() + " is not there");
    if (found->size != artifact.bytes)
        throw Error(ErrorCode::corrupt, fmt::format("{} has {} bytes on disk, but {} were written", file.native(),
                                                    found->size, artifact.bytes));
    if (found->size == 0) throw Error(ErrorCode::corrupt, file.native() + " is empty");
    if (artifact.sha256.empty()) throw Error(ErrorCode::corrupt, file.native() + " was not hashed");
}

void write_anew(const std::filesystem::path& file, std::string_view text) {
    os::remove_file(file);  // what an earlier attempt left
    os::write_new_file(file, text);
}

// The highest number that a set of that name bears in whatever state it is; 0 if there is none. A number that became
// free below it stays so: the set that got it would be taken for the older one.
int highest_number(const std::vector<std::string>& entries, std::string_view set_name) {
    int highest = 0;
    for (const auto& entry : entries) {
        const auto name = is_leftover(entry) ? set_of_leftover(entry) : std::string_view(entry);
        if (name == set_name) highest = std::max(highest, 1);
        const auto [stem, number] = model::split_number(name);
        if (name.size() > set_name.size() && stem == set_name) highest = std::max(highest, number);
    }
    return highest;
}

}  // namespace

Repository::Partial Repository::begin(const std::string& job, const std::string& set_name,
                                      const std::vector<std::string>& elsewhere) const {
    const auto parent = job_directory(job);
    if (!model::is_set_name(set_name))
        throw Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no name of a backup set", set_name));
    if (const auto found = os::file_status(parent); found && !found->is_directory)
        throw Error(ErrorCode::conflict, fmt::format("{} is not a directory", parent.native()),
                    "links are not followed here; mount another file system in its place instead");
    make_job_directory(job);
    const int highest =
        std::max(highest_number(os::list_directory(parent), set_name), highest_number(elsewhere, set_name));
    for (int number = highest + 1; number <= most_numbered; ++number) {
        const auto name = number == 1 ? set_name : fmt::format("{}-{}", set_name, number);
        auto directory = parent / partial_name(name);
        if (os::make_directory(directory)) return {{job, name}, std::move(directory)};
    }
    throw Error(ErrorCode::conflict, fmt::format("there is no name left for the set {}/{}", job, set_name));
}

std::filesystem::path Repository::commit(const Partial& partial, const model::BackupSet& set) const {
    if (set.id != partial.id)
        throw Error(ErrorCode::internal,
                    fmt::format("the manifest is of {}, the directory of {}", set.id.text(), partial.id.text()));
    if (set.artifacts.empty())
        throw Error(ErrorCode::corrupt, fmt::format("the set {} has no artifact", set.id.text()));
    for (const auto& artifact : set.artifacts) {
        const auto file = partial.directory / artifact.file;
        check_artifact(file, artifact);
        os::sync_file(os::open_for_reading(file), file);
        write_anew(file.native() + std::string(sidecar_extension), sidecar_text(artifact.sha256, artifact.file));
    }
    write_anew(partial.directory / model::manifest_file, model::to_manifest(set));
    os::sync_directory(partial.directory);
    // Until here nobody sees the set; from here on everybody sees all of it.
    auto directory = job_directory(partial.id.job) / partial.id.set;
    os::rename_durably(partial.directory, directory);
    return directory;
}

void Repository::discard(const Partial& partial) const noexcept {
    try {
        os::remove_tree(partial.directory);
    } catch (...) {
        // What stays is invisible to all but sweep(), which tries again at the next start.
    }
}

}  // namespace pgbakd::repository
