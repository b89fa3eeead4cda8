#include "os/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/units.hpp"

namespace pgbakd::os {
namespace {

using base::Error;
using base::ErrorCode;

Error failure(std::string_view action, const std::filesystem::path& path, int error_number) {
    return error_of_path(error_number, action, path);
}

Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode, std::string_view action) {
    for (;;) {
        Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, mode));
        if (file) return file;
        if (errno == EINTR) continue;
        if (errno == EEXIST) throw Error(ErrorCode::conflict, fmt::format("{} exists already", path.native()));
        throw failure(action, path, errno);
    }
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) throw failure("naming a file beside", path, errno);
    return path.parent_path() / fmt::format(".{}.{:016x}.new", path.filename().native(), number);
}

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileStatus> status(const std::filesystem::path& path, int flags) {
    struct stat found {};
    if (::fstatat(AT_FDCWD, path.c_str(), &found, flags) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw failure("looking at", path, errno);
    }
    return to_file_status(found);
}

}  // namespace

Descriptor create_file(const std::filesystem::path& path) {
    return open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, "creating");
}

Descriptor unnamed_file(const std::filesystem::path& directory) {
    const int number = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (number >= 0) return Descriptor(number);
    // What file systems without such files say, NFS for one, and kernels that do not know the flag.
    if (errno != EOPNOTSUPP && errno != EISDIR) throw failure("creating a temporary file in", directory, errno);
    const auto path = temporary_beside(directory / "pgbakd");
    auto file = open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, "creating");
    if (::unlink(path.c_str()) != 0) throw failure("removing", path, errno);
    return file;
}

Descriptor open_for_reading(const std::filesystem::path& path) {
    return open_file(path, O_RDONLY, 0, "opening");
}

Descriptor open_directory(const std::filesystem::path& path) {
    return open_file(path, O_RDONLY | O_DIRECTORY, 0, "opening");
}

void write_all(const Descriptor& file, std::span<const std::byte> bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const auto written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            throw failure("writing", path, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void sync_file(const Descriptor& file, const std::filesystem::path& path) {
    // Repeated for a signal only: after any other failure the kernel may have dropped the dirty pages, and a second
    // fsync would report a success that never was.
    while (::fsync(file.get()) != 0)
        if (errno != EINTR) throw failure("flushing", path, errno);
}

void sync_directory(const std::filesystem::path& path) {
    sync_directory(open_directory(path.empty() ? "." : path), path);
}

void sync_directory(const Descriptor& directory, const std::filesystem::path& path) {
    while (::fsync(directory.get()) != 0) {
        if (errno == EINTR) continue;
        // Some network and FUSE file systems cannot flush a directory at all (PostgreSQL's fsync_fname bears it too).
        if (errno == EINVAL || errno == EBADF) return;
        throw failure("flushing", path, errno);
    }
}

std::size_t read_some(const Descriptor& file, std::span<std::byte> into, const std::filesystem::path& path) {
    for (;;) {
        const auto count = ::read(file.get(), into.data(), into.size());
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR) throw failure("reading", path, errno);
    }
}

std::size_t read_at(const Descriptor& file, std::span<std::byte> into, std::uint64_t offset,
                    const std::filesystem::path& path) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const auto rest = into.subspan(filled);
        const auto count = ::pread(file.get(), rest.data(), rest.size(), static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw failure("reading", path, errno);
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
    // Not blocking: opening a named pipe that nobody writes to would wait for ever.
    const auto file = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, "opening");
    struct stat found {};
    if (::fstat(file.get(), &found) != 0) throw failure("looking at", path, errno);
    if (!S_ISREG(found.st_mode))
        throw Error(ErrorCode::invalid_argument, fmt::format("{} is not a regular file", path.native()));
    std::string text;
    std::size_t used = 0;
    for (;;) {
        // One byte more than allowed is asked for, so that a file of just the limit is told from a larger one. The size
        // that fstat says is not asked: files of /proc have none.
        text.resize(std::min(limit + 1, std::max<std::size_t>(used * 2, 16384)));
        const auto count = read_some(file, std::as_writable_bytes(std::span(text).subspan(used)), path);
        used += count;
        if (used > limit) {
            throw Error(ErrorCode::invalid_argument,
                        fmt::format("{} is larger than {}", path.native(), base::format_size(limit)));
        }
        if (count == 0) break;
    }
    text.resize(used);
    return text;
}

void write_new_file(const std::filesystem::path& path, std::string_view text) {
    const auto file = create_file(path);
    write_all(file, std::as_bytes(std::span(text)), path);
    sync_file(file, path);
}

void replace_file(const std::filesystem::path& path, std::string_view text) {
    const auto temporary = temporary_beside(path);
    try {
        write_new_file(temporary, text);
        if (::rename(temporary.c_str(), path.c_str()) != 0) throw failure("replacing", path, errno);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    sync_directory(path.parent_path());
}

void remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw failure("removing", path, errno);
}

std::optional<FileStatus> file_status(const std::filesystem::path& path) {
    return status(path, AT_SYMLINK_NOFOLLOW);
}

std::optional<FileStatus> target_status(const std::filesystem::path& path) {
    return status(path, 0);
}

FileStatus to_file_status(const struct stat& found) noexcept {
    return FileStatus{.size = static_cast<std::uint64_t>(found.st_size),
                      .mode = found.st_mode,
                      .owner = found.st_uid,
                      .modified_seconds = found.st_mtim.tv_sec,
                      .modified_nanoseconds = nanoseconds(found.st_mtim),
                      .changed_nanoseconds = nanoseconds(found.st_ctim),
                      .inode = found.st_ino,
                      .is_regular = S_ISREG(found.st_mode),
                      .is_directory = S_ISDIR(found.st_mode)};
}

}  // namespace pgbakd::os
