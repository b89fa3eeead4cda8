#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/units.hpp"
#include "os/file.hpp"

namespace pgbakd::os {

Space free_space(const std::filesystem::path& path) {
    auto place = path.empty() ? std::filesystem::path(".") : path;
    for (;;) {
        struct statvfs found {};
        if (::statvfs(place.c_str(), &found) == 0) {
            // f_bavail leaves out what is reserved for root: what we would really get.
            const std::uint64_t block = found.f_frsize;
            return {.available = found.f_bavail * block, .total = found.f_blocks * block};
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

void drop_from_cache(const Descriptor& file, std::uint64_t offset, std::uint64_t length) noexcept {
    (void)::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_DONTNEED);
}

void start_writeback(const Descriptor& file, std::uint64_t offset, std::uint64_t length) noexcept {
    (void)::sync_file_range(file.get(), static_cast<off_t>(offset), static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE);
}

}  // namespace pgbakd::os
