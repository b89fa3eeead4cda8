#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/units.hpp"
#include "os/file.hpp"

namespace pgbakd::os {

Space free_space(const std::filesystem::path& path) {
    auto place = path.empty() ? std::filesystem::path(".") : path;
    for (;;) {
        struct statvfs found {};
        if (::statvfs(place.c_str(), &found) == 0) {
            // f_bavail leaves out what is reserved for root: what we would really get. The total leaves it out too, as
            // df's Use% does: a file system that nobody fills is not told to be nearly full for its reserve.
            const std::uint64_t block = found.f_frsize;
            const std::uint64_t used = found.f_blocks - std::min(found.f_bfree, found.f_blocks);
            return {.available = found.f_bavail * block, .total = (used + found.f_bavail) * block};
        }
        if (errno == EINTR) continue;
        const auto parent = place.has_parent_path() ? place.parent_path() : std::filesystem::path(".");
        if ((errno != ENOENT && errno != ENOTDIR) || parent == place)
            throw base::error_from_errno(errno, fmt::format("asking for the free space of {}", path.native()));
        place = parent;
    }
}

base::Error with_space_left(base::Error error, const std::filesystem::path& path) {
    if (error.code() != base::ErrorCode::no_space) return error;
    try {
        const auto space = free_space(path);
        return {error.code(), error.message(),
                fmt::format("{} of {} available there: {}", base::format_size(space.available),
                            base::format_size(space.total), error.hint())};
    } catch (const base::Error&) {
        return error;  // what was asked for is the first failure, not this one
    }
}

std::filesystem::path mount_point(const std::filesystem::path& path) {
    std::error_code ignored;
    auto place = std::filesystem::weakly_canonical(path.empty() ? "." : path, ignored);
    if (ignored) place = path;
    for (;;) {
        struct statx found {};
        // A mount of a part of a file system has the device of the whole, so that st_dev would not tell.
        const bool known = ::statx(AT_FDCWD, place.c_str(), AT_NO_AUTOMOUNT, STATX_TYPE, &found) == 0;
        if (known && (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return place;
        if (!place.has_relative_path()) return "/";
        place = place.parent_path();
    }
}

std::string read_only_hint(const std::filesystem::path& path) {
    return fmt::format(
        "the file system at {0} is mounted read-only: mount -o remount,rw {0} makes it writable, and dmesg "
        "tells of a disk that failed; for the service, ReadWritePaths= in a drop-in must name the "
        "directory too",
        mount_point(path).native());
}

base::Error error_of_path(int error_number, std::string_view action, const std::filesystem::path& path) {
    const auto error = base::error_from_errno(error_number, fmt::format("{} {}", action, path.native()));
    if (error_number == EROFS) return {error.code(), error.message(), read_only_hint(path)};
    return with_space_left(error, path);
}

void drop_from_cache(const Descriptor& file, std::uint64_t offset, std::uint64_t length) noexcept {
    (void)::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_DONTNEED);
}

void start_writeback(const Descriptor& file, std::uint64_t offset, std::uint64_t length) noexcept {
    (void)::sync_file_range(file.get(), static_cast<off_t>(offset), static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE);
}

}  // namespace pgbakd::os
