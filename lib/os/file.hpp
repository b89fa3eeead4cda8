// Files and directories, written so that they are on the disk when a function returns, and read with bounds. All of it
// blocks; all of it throws base::Error that names the path.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "os/descriptor.hpp"

struct stat;

namespace pgbakd::os {

// Creates a new file (0600) for writing. Error: conflict if anything has that name, a dangling link included.
[[nodiscard]] Descriptor create_file(const std::filesystem::path& path);
// A file (0600) for writing and reading without a name in that directory: gone when it is closed, however that happens.
[[nodiscard]] Descriptor unnamed_file(const std::filesystem::path& directory);
// Follows symbolic links, as configuration files may be ones.
[[nodiscard]] Descriptor open_for_reading(const std::filesystem::path& path);
[[nodiscard]] Descriptor open_directory(const std::filesystem::path& path);

// All of `bytes`, whatever a single write(2) takes. `path` is for the error only. A full disk is `no_space`, and the
// error's hint says how much was left.
void write_all(const Descriptor& file, std::span<const std::byte> bytes, const std::filesystem::path& path);
void sync_file(const Descriptor& file, const std::filesystem::path& path);  // fsync
void sync_directory(const std::filesystem::path& path);                     // open, fsync
void sync_directory(const Descriptor& directory, const std::filesystem::path& path);
// At least one byte, or 0 at the end of the file.
[[nodiscard]] std::size_t read_some(const Descriptor& file, std::span<std::byte> into,
                                    const std::filesystem::path& path);
// Fills `into` from that offset on; fewer bytes only at the end of the file.
[[nodiscard]] std::size_t read_at(const Descriptor& file, std::span<std::byte> into, std::uint64_t offset,
                                  const std::filesystem::path& path);

// The whole file. An error (invalid_argument) if it is larger than `limit` bytes, or no regular file: a named pipe
// could keep the caller waiting for ever.
[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::size_t limit);
// A new file (0600) with that text, fsynced; its directory is not. Error: conflict if it exists.
void write_new_file(const std::filesystem::path& path, std::string_view text);
// Temporary name beside it, written (0600), fsynced, renamed, directory fsynced: readers see the old or the new text,
// whole. A symbolic link at `path` is replaced, not followed.
void replace_file(const std::filesystem::path& path, std::string_view text);
// Unlinks a file or a symbolic link; nothing there is no error.
void remove_file(const std::filesystem::path& path);

// mkdir -p with mode 0700 for what it creates; fsyncs the parents of what it created.
void make_directories(const std::filesystem::path& path);
// One directory (0700) in an existing parent, not yet fsynced. False if something has that name.
[[nodiscard]] bool make_directory(const std::filesystem::path& path);
// The names in a directory, sorted, without "." and "..".
[[nodiscard]] std::vector<std::string> list_directory(const std::filesystem::path& path);
[[nodiscard]] std::vector<std::string> list_directory(Descriptor directory, const std::filesystem::path& path);
// Renames and fsyncs both parents. Refuses to replace `to` (conflict). If a parent cannot be fsynced the rename is
// undone, so that a failure leaves the old name.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);
// Removes a tree without following symbolic links; nothing there is no error. Refuses trees deeper than 128.
void remove_tree(const std::filesystem::path& path);

struct FileStatus {
    std::uint64_t size = 0;
    mode_t mode = 0;
    uid_t owner = 0;
    std::int64_t modified_seconds = 0;
    std::int64_t modified_nanoseconds = 0;  // both since 1970, whole; "changed" moves with mode, owner and name too
    std::int64_t changed_nanoseconds = 0;
    std::uint64_t inode = 0;
    bool is_regular = false;
    bool is_directory = false;
};
// Does not follow a symbolic link at the end. Nothing if there is no such file.
[[nodiscard]] std::optional<FileStatus> file_status(const std::filesystem::path& path);
// The same, following symbolic links.
[[nodiscard]] std::optional<FileStatus> target_status(const std::filesystem::path& path);
[[nodiscard]] FileStatus to_file_status(const struct stat& found) noexcept;

// The mount point of the file system that `path` (or its nearest existing parent) is on.
[[nodiscard]] std::filesystem::path mount_point(const std::filesystem::path& path);
// What to do about a file system that cannot be written to (EROFS), with its mount point.
[[nodiscard]] std::string read_only_hint(const std::filesystem::path& path);
// The error of a failed call on a path; of a full or read-only file system with a hint that tells of it.
[[nodiscard]] base::Error error_of_path(int error_number, std::string_view action, const std::filesystem::path& path);

struct Space {
    std::uint64_t available = 0;  // to us, in bytes
    std::uint64_t total = 0;      // used and available: without what is reserved for root
};
// Of the file system that holds `path` (or its nearest existing parent).
[[nodiscard]] Space free_space(const std::filesystem::path& path);
// An error of a full disk (no_space) with what is left of that file system in front of its hint, the first question
// that is asked then: "0 B of 24.0 MiB available there: …". Any other error as it is.
[[nodiscard]] base::Error with_space_left(base::Error error, const std::filesystem::path& path);

// Tells the kernel that this part of a written file will not be read soon, so that it does not push the database's
// pages out of the cache. Only advice: never fails.
void drop_from_cache(const Descriptor& file, std::uint64_t offset, std::uint64_t length) noexcept;
// Starts writing back a range now, without waiting.
void start_writeback(const Descriptor& file, std::uint64_t offset, std::uint64_t length) noexcept;

}  // namespace pgbakd::os
