#include "repository/repository.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/file.hpp"
#include "repository/corruption.hpp"
#include "repository/names.hpp"

namespace pgbakd::repository {

using base::Error;
using base::ErrorCode;

Repository::Repository(std::filesystem::path directory) : directory_(std::move(directory)) {}

void Repository::prepare() const {
    os::make_directories(directory_);
    const auto found = os::target_status(directory_);
    if (found && (found->mode & S_IWOTH) != 0)
        throw Error(ErrorCode::permission_denied,
                    fmt::format("the repository {} can be written by everybody", directory_.native()),
                    "chmod 0700 " + directory_.native());
    if (::access(directory_.c_str(), R_OK | W_OK | X_OK) != 0) {
        const int number = errno;
        const auto cause = os::error_of_path(number, "writing to the repository", directory_);
        throw Error(cause.code(), cause.message(),
                    number == EROFS ? cause.hint() : "it must belong to the user that pgbakd runs as");
    }
}

std::filesystem::path Repository::job_directory(const std::string& job) const {
    // The one place where a job's name becomes a path: "..", "/" and hidden names do not pass.
    model::check_name("job", job).value();
    return directory_ / job;
}

std::optional<os::FileLock> Repository::lock_job(const std::string& job, const std::string& holder) const {
    model::check_name("job", job).value();
    return os::FileLock::try_lock(directory_ / lock_name(job), holder);
}

std::string Repository::lock_holder(const std::string& job) const {
    model::check_name("job", job).value();
    return os::FileLock::holder(directory_ / lock_name(job));
}

std::optional<os::FileLock> Repository::lock_daemon(const std::string& holder) const {
    return os::FileLock::try_lock(directory_ / daemon_lock_name, holder);
}

std::string Repository::daemon_lock_holder() const {
    return os::FileLock::holder(directory_ / daemon_lock_name);
}

void Repository::remove(const model::SetId& id) const {
    const auto set = existing(id);
    if (os::file_status(set / pinned_name))
        throw Error(ErrorCode::conflict, fmt::format("{} is pinned", id.text()),
                    fmt::format("pgbakctl unpin {}", id.text()));
    const auto removing = job_directory(id.job) / removing_name(id.set);
    os::remove_tree(removing);  // what an interrupted removal of a set of this name left
    os::rename_durably(set, removing);
    os::remove_tree(removing);
}

void Repository::pin(const model::SetId& id, bool pinned) const {
    const auto set = existing(id);
    const auto mark = set / pinned_name;
    if (!pinned)
        os::remove_file(mark);
    else if (!os::file_status(mark))
        os::write_new_file(mark, "");
    os::sync_directory(set);
}

void Repository::mark_corrupt(const model::SetId& id, const std::optional<Corruption>& corrupt) const {
    const auto set = existing(id);
    const auto mark = set / corrupt_name;
    if (corrupt) return os::replace_file(mark, corruption_text(*corrupt));
    os::remove_file(mark);
    os::sync_directory(set);
}

std::vector<std::filesystem::path> Repository::sweep() const {
    std::vector<std::filesystem::path> removed;
    std::optional<Error> first_error;
    const auto leftovers = [](const std::filesystem::path& directory) {
        auto names = os::list_directory(directory);
        std::erase_if(names, [](const std::string& name) { return !is_leftover(name); });
        return names;
    };
    for (const auto& job : jobs()) {
        const auto directory = job_directory(job);
        try {
            if (leftovers(directory).empty()) continue;
            const auto lock = lock_job(job, fmt::format("pgbakd[{}], sweeping", ::getpid()));
            if (!lock) continue;
            // Listed again: a run may have ended, or another begun and ended, before the lock was ours.
            for (const auto& name : leftovers(directory)) {
                os::remove_tree(directory / name);
                removed.push_back(directory / name);
            }
        } catch (const Error& error) {
            if (!first_error) first_error = error;
        }
    }
    if (first_error) throw Error(*first_error);
    return removed;
}

}  // namespace pgbakd::repository
