#include "os/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace pgbakd::os {
namespace {

constexpr std::size_t longest_holder = 1024;

Descriptor open_lock(const std::filesystem::path& path, int flags) {
    for (;;) {
        Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600));
        if (file || errno != EINTR) return file;
    }
}

// Whether `path` still leads to the file we hold: an administrator may have removed it and somebody made it anew.
bool is_at(const Descriptor& file, const std::filesystem::path& path) {
    struct stat ours {};
    struct stat there {};
    return ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

}  // namespace

std::optional<FileLock> FileLock::try_lock(const std::filesystem::path& path, const std::string& holder) {
    for (;;) {
        auto file = open_lock(path, O_RDWR | O_CREAT);
        if (!file) throw base::error_from_errno(errno, fmt::format("opening the lock {}", path.native()));
        while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EINTR) continue;
            if (errno == EWOULDBLOCK) return std::nullopt;
            throw base::error_from_errno(errno, fmt::format("locking {}", path.native()));
        }
        if (!is_at(file, path)) continue;
        // Written over the old text and then cut, so that a reader never finds nothing. On a full disk it fails, but
        // the lock holds all the same: the text is for people.
        const auto text = base::clamp_utf8(holder, longest_holder);
        const auto written = ::pwrite(file.get(), text.data(), text.size(), 0);
        if (::ftruncate(file.get(), std::max<off_t>(written, 0)) != 0) errno = 0;  // an old holder's last letters
        return FileLock(std::move(file));
    }
}

std::string FileLock::holder(const std::filesystem::path& path) {
    const auto file = open_lock(path, O_RDONLY);
    if (!file) {
        if (errno == ENOENT) return {};
        throw base::error_from_errno(errno, fmt::format("reading the lock {}", path.native()));
    }
    std::array<char, longest_holder> text{};
    const auto count = read_some(file, std::as_writable_bytes(std::span(text)), path);
    return base::printable(base::trim(std::string_view(text.data(), count)));
}

}  // namespace pgbakd::os
