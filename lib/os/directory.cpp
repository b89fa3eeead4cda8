#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "os/file.hpp"

namespace pgbakd::os {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int deepest_tree = 128;  // each level holds a descriptor while it is emptied

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

Error failure(std::string_view action, const std::filesystem::path& path, int error_number) {
    return error_of_path(error_number, action, path);
}

std::filesystem::path parent_of(const std::filesystem::path& path) {
    const auto parent = path.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

std::filesystem::path without_final_slash(const std::filesystem::path& path) {
    return path.has_filename() ? path : path.parent_path();
}

std::vector<std::string> names_of(Descriptor directory, const std::filesystem::path& path) {
    const DirectoryStream stream(::fdopendir(directory.get()));
    if (!stream) throw failure("listing", path, errno);
    (void)directory.release();  // the stream's from now on
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        // readdir is safe with a stream of one's own (glibc; readdir_r is deprecated).
        const auto* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe)
        if (entry == nullptr) {
            if (errno != 0) throw failure("listing", path, errno);
            break;
        }
        std::string name(static_cast<const char*>(entry->d_name));
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
}

// Every step goes through the parent's descriptor and never through a link: whoever swaps a directory for a link while
// we are at work cannot lead us out of the tree.
void remove_entry(int parent, const std::string& name, const std::filesystem::path& path, int depth) {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return;
    // unlink of a directory: EISDIR on Linux, EPERM by POSIX.
    if (errno != EISDIR && errno != EPERM) throw failure("removing", path, errno);
    const auto refused = errno;
    if (depth >= deepest_tree)
        throw Error(ErrorCode::io_failed, fmt::format("{} is nested too deeply to be removed", path.native()));
    {
        Descriptor directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory) {
            if (errno == ENOENT) return;
            throw failure("removing", path, errno == ENOTDIR ? refused : errno);
        }
        const auto number = directory.get();
        Descriptor listed(::fcntl(number, F_DUPFD_CLOEXEC, 0));
        if (!listed) throw failure("removing", path, errno);
        for (const auto& entry : names_of(std::move(listed), path))
            remove_entry(number, entry, path / entry, depth + 1);
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) throw failure("removing", path, errno);
}

void rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
    // A file system that knows no flags (NFS, some FUSE): look first. The job's lock keeps other writers away.
    if (errno == EINVAL || errno == ENOSYS) {
        if (!file_status(to)) {
            if (::rename(from.c_str(), to.c_str()) == 0) return;
        } else {
            errno = EEXIST;
        }
    }
    if (errno == EEXIST || errno == ENOTEMPTY)
        throw Error(ErrorCode::conflict, fmt::format("{} exists already", to.native()));
    throw failure(fmt::format("renaming {} to", from.native()), to, errno);
}

}  // namespace

void make_directories(const std::filesystem::path& requested) {
    const auto path = without_final_slash(requested);
    if (const auto found = target_status(path)) {
        if (found->is_directory) return;
        throw Error(ErrorCode::conflict, fmt::format("{} is not a directory", path.native()));
    }
    const auto parent = parent_of(path);
    if (parent != path) make_directories(parent);
    if (make_directory(path)) {
        sync_directory(parent);
    } else if (const auto made = target_status(path); !made || !made->is_directory) {
        // Not made by somebody else in the meantime: a file, or a link that leads nowhere.
        throw Error(ErrorCode::conflict, fmt::format("{} is not a directory", path.native()));
    }
}

bool make_directory(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) == 0) return true;
    if (errno == EEXIST) return false;
    throw failure("creating", path, errno);
}

std::vector<std::string> list_directory(const std::filesystem::path& path) {
    return names_of(open_directory(path), path);
}

std::vector<std::string> list_directory(Descriptor directory, const std::filesystem::path& path) {
    return names_of(std::move(directory), path);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
    rename_without_replacing(from, to);
    try {
        sync_directory(parent_of(to));
        if (parent_of(from) != parent_of(to)) sync_directory(parent_of(from));
    } catch (...) {
        (void)::renameat2(AT_FDCWD, to.c_str(), AT_FDCWD, from.c_str(), RENAME_NOREPLACE);
        throw;
    }
}

void remove_tree(const std::filesystem::path& requested) {
    const auto path = without_final_slash(requested);
    const auto name = path.filename().native();
    if (name.empty() || name == "." || name == "..")
        throw Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is not removed", requested.native()));
    const Descriptor parent(::open(parent_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent) {
        if (errno == ENOENT || errno == ENOTDIR) return;
        throw failure("removing", path, errno);
    }
    remove_entry(parent.get(), name, path, 0);
}

}  // namespace pgbakd::os
