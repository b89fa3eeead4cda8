#include "os/entry.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "os/file.hpp"

namespace pgbakd::os {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int entry_flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// The entry itself by a path, for calls that take no O_PATH descriptor. The kernel does not follow what it leads to.
std::string path_of(const Descriptor& entry) {
    return fmt::format("/proc/self/fd/{}", entry.get());
}

}  // namespace

struct stat status_of(const Descriptor& file, std::string_view path) {
    struct stat status {};
    if (::fstatat(file.get(), "", &status, AT_EMPTY_PATH) != 0) throw error_of_path(errno, "looking at", path);
    return status;
}

Entry Entry::open(const std::string& path) {
    Descriptor entry(::open(path.c_str(), entry_flags));
    // A file where a directory on the way should be: there is no such path.
    if (!entry) throw error_of_path(errno == ENOTDIR ? ENOENT : errno, "opening", path);
    const auto status = status_of(entry, path);
    return {std::move(entry), status};
}

Entry Entry::open_in(const Descriptor& directory, const char* name, std::string_view path) {
    Descriptor entry(::openat(directory.get(), name, entry_flags));
    if (!entry) throw error_of_path(errno, "opening", path);
    const auto status = status_of(entry, path);
    return {std::move(entry), status};
}

Descriptor Entry::open_for_reading(std::string_view path) const {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    Descriptor file(S_ISDIR(status_.st_mode) ? ::openat(entry_.get(), ".", flags | O_DIRECTORY)
                                             : ::open(path_of(entry_).c_str(), flags));
    if (!file) throw error_of_path(errno, "opening", path);
    return file;
}

std::string Entry::link_target(std::string_view path) const {
    for (std::size_t size = 256;; size *= 2) {
        std::string target(size, '\0');
        const auto length = ::readlinkat(entry_.get(), "", target.data(), target.size());
        if (length < 0) throw error_of_path(errno, "reading the link", path);
        if (static_cast<std::size_t>(length) == size) continue;
        target.resize(static_cast<std::size_t>(length));
        return target;
    }
}

Entry::Attributes Entry::attributes(std::size_t limit, std::string_view path) const {
    const auto itself = path_of(entry_);
    std::string names;
    for (;;) {
        const auto size = ::listxattr(itself.c_str(), nullptr, 0);
        if (size == 0 || (size < 0 && (errno == ENOTSUP || errno == EPERM))) return {};
        if (size < 0) throw error_of_path(errno, "listing the extended attributes of", path);
        names.resize(static_cast<std::size_t>(size));
        const auto listed = ::listxattr(itself.c_str(), names.data(), names.size());
        if (listed < 0 && errno == ERANGE) continue;  // there are more by now
        if (listed < 0) throw error_of_path(errno, "listing the extended attributes of", path);
        names.resize(static_cast<std::size_t>(listed));
        break;
    }
    Attributes found;
    std::string value(std::size_t{64} << 10U, '\0');  // XATTR_SIZE_MAX
    std::size_t total = 0;
    for (std::string_view rest = names; !rest.empty();) {
        const std::string name(rest.substr(0, rest.find('\0')));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        const auto length = ::getxattr(itself.c_str(), name.c_str(), value.data(), value.size());
        if (length < 0 && (errno == ENODATA || errno == ENOTSUP)) continue;
        if (length < 0) throw error_of_path(errno, fmt::format("reading the extended attribute {} of", name), path);
        found.emplace_back(name, value.substr(0, static_cast<std::size_t>(length)));
        total += name.size() + static_cast<std::size_t>(length);
        if (total > limit)
            throw Error(ErrorCode::invalid_argument,
                        fmt::format("the extended attributes of {} take more than {} bytes", path, limit));
    }
    std::sort(found.begin(), found.end());
    return found;
}

void each_name(const Descriptor& directory, std::string_view path, const std::function<void(std::string_view)>& take) {
    Descriptor again(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!again) throw error_of_path(errno, "listing", path);
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(again.get()));
    if (!stream) throw error_of_path(errno, "listing", path);
    (void)again.release();  // the stream's from now on
    for (;;) {
        errno = 0;
        // readdir is safe with a stream of one's own (glibc; readdir_r is deprecated).
        const auto* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe)
        if (entry == nullptr) {
            if (errno != 0) throw error_of_path(errno, "listing", path);
            return;
        }
        const std::string_view name(static_cast<const char*>(entry->d_name));
        if (name != "." && name != "..") take(name);
    }
}

}  // namespace pgbakd::os
