#include "os/open_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pgbakd::os {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int path_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr int making_attempts = 5;

Error not_a_directory(const std::filesystem::path& path) {
    return {ErrorCode::conflict, fmt::format("{} is not a directory", path.native())};
}

Error link_in_the_way(const std::filesystem::path& path) {
    return {ErrorCode::invalid_configuration,
            fmt::format("{} is a symbolic link: none is followed there", path.native()),
            "whoever can write there made it; put a directory in its place, or mount there what it leads to"};
}

void check_name(const std::filesystem::path& name) {
    if (name.empty() || name == "." || name == ".." || name.is_absolute())
        throw Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no name in a directory", name.native()));
}

// Only ever opened one name at a time, so that no link in the middle is followed.
Descriptor walk_by_name(int from, const std::filesystem::path& from_path, const std::filesystem::path& relative) {
    Descriptor directory;
    auto path = from_path;
    for (const auto& name : relative) {
        const int at = directory ? directory.get() : from;
        path /= name;
        Descriptor next(::openat(at, name.c_str(), path_flags | O_NOFOLLOW));
        if (!next) {
            const int failed = errno;
            if (failed == ENOENT) return {};
            if (failed != ENOTDIR && failed != ELOOP) throw error_of_path(failed, "opening", path);
            struct stat found {};
            if (::fstatat(at, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode))
                throw link_in_the_way(path);
            return {};
        }
        directory = std::move(next);
    }
    return directory;
}

// Empty where the kernel, or a filter before it, does not know such a walk, or something is in its way.
Descriptor walk_at_once(int from, const std::filesystem::path& relative) {
    struct open_how how {};
    how.flags = path_flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return Descriptor(static_cast<int>(::syscall(SYS_openat2, from, relative.c_str(), &how, sizeof how)));
}

}  // namespace

std::optional<OpenDirectory> OpenDirectory::open(const std::filesystem::path& path, Walk walk) {
    Descriptor directory(::open(path.c_str(), path_flags));
    if (directory) return OpenDirectory(path, std::move(directory), walk);
    if (errno == ENOENT) return std::nullopt;
    if (errno == ENOTDIR) {
        // A file in its place, or somewhere above it.
        if (target_status(path)) throw not_a_directory(path);
        return std::nullopt;
    }
    throw error_of_path(errno, "opening", path);
}

OpenDirectory OpenDirectory::again() const {
    Descriptor copy(::fcntl(directory_.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) throw error_of_path(errno, "opening", path_);
    return {path_, std::move(copy), walk_};
}

Descriptor OpenDirectory::walk(const std::filesystem::path& relative) const {
    for (const auto& name : relative) check_name(name);
    if (walk_ == Walk::best) {
        if (auto found = walk_at_once(directory_.get(), relative)) return found;
        if (errno == ENOENT) return {};
    }
    return walk_by_name(directory_.get(), path_, relative);
}

std::optional<OpenDirectory> OpenDirectory::below(const std::filesystem::path& relative) const {
    if (relative.empty()) return again();
    auto found = walk(relative);
    if (!found) return std::nullopt;
    return OpenDirectory(path_ / relative, std::move(found), walk_);
}

OpenDirectory OpenDirectory::make_below(const std::filesystem::path& relative, const Made& made) const {
    auto directory = again();
    for (const auto& name : relative) {
        check_name(name);
        auto next = directory.below(name);
        for (int attempt = 1; !next; ++attempt) {
            const auto path = directory.path_ / name;
            const bool is_new = ::mkdirat(directory.directory_.get(), name.c_str(), 0700) == 0;
            if (!is_new && errno != EEXIST) throw error_of_path(errno, "creating", path);
            next = directory.below(name);
            if (is_new && next) {
                directory.sync();
                if (made) made(directory, *next);
            }
            // Somebody else removed it just now, or it is none.
            if (!next && (attempt == making_attempts || directory.status(name.native()))) throw not_a_directory(path);
        }
        directory = std::move(*next);
    }
    return directory;
}

std::optional<FileStatus> OpenDirectory::status(const std::string& name) const {
    check_name(name);
    struct stat found {};
    if (::fstatat(directory_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return std::nullopt;
        throw error_of_path(errno, "looking at", path_ / name);
    }
    return to_file_status(found);
}

Descriptor OpenDirectory::create_file(const std::string& name) const {
    check_name(name);
    for (;;) {
        Descriptor file(
            ::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (file) return file;
        if (errno == EINTR) continue;
        if (errno == EEXIST)
            throw Error(ErrorCode::conflict, fmt::format("{} exists already", (path_ / name).native()));
        throw error_of_path(errno, "creating", path_ / name);
    }
}

Descriptor OpenDirectory::open_for_reading(const std::string& name) const {
    const auto path = path_ / name;
    const Error missing(ErrorCode::not_found, fmt::format("{} does not exist", path.native()));
    if (const auto found = status(name); !found || !found->is_regular) throw Error(missing);
    for (;;) {
        // Not blocking: it may have become a pipe just now.
        Descriptor file(
            ::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        if (!file) {
            if (errno == EINTR) continue;
            if (errno == ENOENT || errno == ELOOP) throw Error(missing);
            throw error_of_path(errno, "opening", path);
        }
        struct stat found {};
        if (::fstat(file.get(), &found) != 0) throw error_of_path(errno, "looking at", path);
        if (!S_ISREG(found.st_mode)) throw Error(missing);
        return file;
    }
}

void OpenDirectory::remove_file(const std::string& name) const {
    check_name(name);
    if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
        throw error_of_path(errno, "removing", path_ / name);
}

bool OpenDirectory::remove_directory(const std::string& name) const noexcept {
    return ::unlinkat(directory_.get(), name.c_str(), AT_REMOVEDIR) == 0;
}

std::vector<std::string> OpenDirectory::list() const {
    Descriptor readable(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable) throw error_of_path(errno, "opening", path_);
    return list_directory(std::move(readable), path_);
}

void OpenDirectory::sync() const {
    const Descriptor readable(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!readable) throw error_of_path(errno, "opening", path_);
    sync_directory(readable, path_);
}

void OpenDirectory::give_to_owner_of(const OpenDirectory& other) const noexcept {
    struct stat theirs {};
    if (::fstatat(other.directory_.get(), "", &theirs, AT_EMPTY_PATH) == 0)
        (void)!::fchownat(directory_.get(), "", theirs.st_uid, theirs.st_gid, AT_EMPTY_PATH);
}

}  // namespace pgbakd::os
