#include "target/directory_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "target/key.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t writeback_bytes = 8 << 20;  // flushed in passing, so that the last fsync has little left to do
constexpr int placing_attempts = 5;

base::Timestamp modified_of(const os::FileStatus& status) {
    return base::Timestamp(
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds(status.modified_nanoseconds)));
}

Error exists_already(const std::string& key) {
    return {ErrorCode::conflict, fmt::format("{} exists already", key), "nothing there is ever overwritten"};
}

Error not_a_directory(const std::filesystem::path& path) {
    return {ErrorCode::invalid_configuration, fmt::format("{} is not a directory", path.native()),
            "what stands in its place has to go, or this target needs another path"};
}

}  // namespace

DirectoryFiles::DirectoryFiles(std::filesystem::path root, bool require_mount) : root_(std::move(root)) {
    if (require_mount) mount_.emplace(root_);
}

Error DirectoryFiles::explained(const Error& error) const {
    // What a mount answers while its server is away (EIO, ESTALE, ETIMEDOUT, EHOSTDOWN) passes.
    if (error.code() == ErrorCode::io_failed)
        return {ErrorCode::io_failed, error.message(),
                fmt::format("is the server behind {} up? a stale mount has to be unmounted and mounted again",
                            root_.native()),
                base::Persistence::passing};
    if (error.code() == ErrorCode::permission_denied)
        return {ErrorCode::permission_denied, error.message(),
                fmt::format("let the daemon's user read and write {} and all below it", root_.native())};
    return error;
}

template <class Work>
auto DirectoryFiles::guarded(const Work& work) const {
    try {
        return work();
    } catch (const Error& error) {
        throw explained(error);
    }
}

void DirectoryFiles::check_root() {
    if (mount_) mount_->check();
    // One that is not there yet is made; something else in its place is a mistake that a listing must not pass over.
    if (const auto found = os::target_status(root_); found && !found->is_directory) throw not_a_directory(root_);
}

// A conflict is another object of that name, and nothing else.
void DirectoryFiles::make_directories(const std::filesystem::path& directory) const {
    try {
        os::make_directories(directory);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::conflict) throw;
        auto path = directory;
        while (path != root_ && !os::target_status(path)) path = path.parent_path();
        throw not_a_directory(path);
    }
}

std::unique_ptr<DirectoryFiles::Unfinished> DirectoryFiles::begin(const std::string& key, Existing existing,
                                                                  Waiting& waiting) {
    return guarded([&] {
        check_root();
        if (existing == Existing::refuse && os::file_status(path_of(key))) throw exists_already(key);
        const auto folder = root_ / uploads_folder;
        make_directories(folder);
        auto name = upload_name();
        auto path = folder / name;
        auto upload = std::unique_ptr<Unfinished>(new Unfinished{LiveUpload(std::move(name)), std::move(path), {}, {}});
        if (waiting.left()) return upload;
        upload->file = os::create_file(upload->path);
        try {
            if (mount_) mount_->check_file(upload->file);
        } catch (...) {
            discard(upload->path);
            throw;
        }
        if (waiting.left()) discard(upload->path);
        return upload;
    });
}

void DirectoryFiles::append(const Unfinished& upload, std::span<const std::byte> bytes, std::uint64_t offset) {
    // The open file stays where begin() made sure it is, whatever is unmounted since.
    guarded([&] {
        os::write_all(upload.file, bytes, upload.path);
        const auto begin = offset / writeback_bytes * writeback_bytes;
        const auto end = (offset + bytes.size()) / writeback_bytes * writeback_bytes;
        if (end > begin) os::start_writeback(upload.file, begin, end - begin);
    });
}

// A piece at a time, each of which is a step: the whole may take longer than a server is waited for.
void DirectoryFiles::flush(const Unfinished& upload, std::uint64_t size, Waiting& waiting) const {
    constexpr unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    for (std::uint64_t at = 0; at < size; at += writeback_bytes) {
        const auto length = std::min(writeback_bytes, size - at);
        // A failure that was told here is not told again by fsync.
        if (::sync_file_range(upload.file.get(), static_cast<off64_t>(at), static_cast<off64_t>(length), all) != 0 &&
            errno != EINVAL && errno != ENOSYS && errno != EINTR)
            throw base::error_from_errno(errno, "flushing " + upload.path.native());
        waiting.step();
    }
    os::sync_file(upload.file, upload.path);
    waiting.step();
}

Entry DirectoryFiles::finish(const Unfinished& upload, const std::string& key, std::uint64_t size, Existing existing,
                             Waiting& waiting) {
    return guarded([&] {
        flush(upload, size, waiting);
        check_root();
        const auto status = os::file_status(upload.path);
        if (!status)
            throw Error(ErrorCode::not_found, fmt::format("the unfinished file of {} is gone", key),
                        "was the directory unmounted, or cleaned up by somebody else?", base::Persistence::passing);
        if (status->size != size)
            throw Error(ErrorCode::corrupt,
                        fmt::format("{} has {} bytes where {} were written", upload.path.native(), status->size, size),
                        {}, base::Persistence::passing);
        waiting.step();
        // Whoever left was told that it failed.
        if (waiting.left()) throw Error(ErrorCode::cancelled, fmt::format("{} is not waited for any more", key));
        place(upload.path, path_of(key), key, existing);
        os::drop_from_cache(upload.file, 0, size);
        return Entry{.key = key, .size = size, .modified = modified_of(*status), .checksums = {}};
    });
}

void DirectoryFiles::place(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& key,
                           Existing existing) {
    for (int attempt = 1;; ++attempt) {
        make_directories(to.parent_path());
        int status = existing == Existing::replace
                         ? ::rename(from.c_str(), to.c_str())
                         : ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
        // NFS has no such rename, but a link that refuses as well; FAT and many CIFS servers have neither.
        if (status != 0 && (errno == EINVAL || errno == ENOSYS)) {
            status = ::link(from.c_str(), to.c_str());
            if (status == 0) {
                (void)::unlink(from.c_str());
            } else if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) {
                if (os::file_status(to)) throw exists_already(key);
                status = ::rename(from.c_str(), to.c_str());
            }
        }
        if (status == 0) break;
        // A removal of the last object in there took the directory away just now.
        if (errno == ENOENT && attempt < placing_attempts) continue;
        if (existing == Existing::refuse && (errno == EEXIST || errno == ENOTEMPTY || errno == EISDIR))
            throw exists_already(key);
        if (errno == EISDIR)
            throw Error(ErrorCode::conflict, fmt::format("{} is a directory that holds other objects", key));
        throw base::error_from_errno(errno, fmt::format("renaming {} to {}", from.native(), to.native()));
    }
    os::sync_directory(to.parent_path());
    os::sync_directory(from.parent_path());
}

void DirectoryFiles::discard(const std::filesystem::path& upload) noexcept {
    ::unlink(upload.c_str());
}

os::Descriptor DirectoryFiles::open(const std::string& key) {
    return guarded([&] {
        check_root();
        const auto status = os::file_status(path_of(key));
        if (!status || !status->is_regular)
            throw Error(ErrorCode::not_found, fmt::format("{} does not exist in {}", key, root_.native()));
        return os::open_for_reading(path_of(key));
    });
}

std::size_t DirectoryFiles::read_at(const os::Descriptor& file, const std::string& key, std::uint64_t offset,
                                    std::span<std::byte> into) const {
    return guarded([&] {
        for (;;) {
            const auto count = ::pread(file.get(), into.data(), into.size(), static_cast<off_t>(offset));
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno != EINTR) throw base::error_from_errno(errno, "reading " + path_of(key).native());
        }
    });
}

std::optional<Entry> DirectoryFiles::stat(const std::string& key) {
    return guarded([&]() -> std::optional<Entry> {
        check_root();
        const auto status = os::file_status(path_of(key));
        if (!status || !status->is_regular) return std::nullopt;
        return Entry{.key = key, .size = status->size, .modified = modified_of(*status), .checksums = {}};
    });
}

std::vector<Refusal> DirectoryFiles::remove(const std::vector<std::string>& keys, Waiting& waiting) {
    return guarded([&] {
        check_root();
        std::vector<Refusal> refused;
        for (const auto& key : keys) {
            waiting.step();
            if (waiting.left()) break;
            try {
                const auto status = os::file_status(path_of(key));
                // A directory is no object.
                if (!status || status->is_directory) continue;
                os::remove_file(path_of(key));
                remove_empty_parents(path_of(key).parent_path());
            } catch (const Error& error) {
                if (error.code() != ErrorCode::permission_denied) throw;
                refused.push_back({key, explained(error)});
            }
        }
        return refused;
    });
}

void DirectoryFiles::remove_empty_parents(std::filesystem::path directory) const noexcept {
    while (directory != root_ && ::rmdir(directory.c_str()) == 0) directory = directory.parent_path();
}

// As the place itself tells the time: of a file that is made now. A server's clock is not this host's. The epoch where
// there is no room for one, which is no time to leave anything lying about.
base::Timestamp DirectoryFiles::place_time(const std::filesystem::path& folder) {
    const LiveUpload probe(upload_name());
    const auto path = folder / probe.name();
    std::optional<os::FileStatus> status;
    try {
        const auto file = os::create_file(path);
        status = os::file_status(path);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::no_space) throw;
    }
    discard(path);
    return status ? modified_of(*status) : base::Timestamp();
}

Swept DirectoryFiles::sweep(base::Timestamp older_than, base::Timestamp now, Waiting& waiting) {
    return guarded([&] {
        check_root();
        Swept swept;
        const auto folder = root_ / uploads_folder;
        if (!os::file_status(folder)) return swept;
        std::optional<base::Timestamp> oldest_kept;
        for (const auto& name : os::list_directory(folder)) {
            waiting.step();
            if (waiting.left()) break;
            const auto status = os::file_status(folder / name);
            if (!status || !status->is_regular || modified_of(*status) >= older_than) continue;
            if (LiveUpload::is_live(name)) continue;
            if (!oldest_kept) oldest_kept = sweep_limit(older_than, now, place_time(folder));
            if (modified_of(*status) >= *oldest_kept) continue;
            os::remove_file(folder / name);
            ++swept.uploads;
            swept.bytes += status->size;
        }
        return swept;
    });
}

// --- listing ---

struct DirectoryFiles::Walk {
    const std::string& after;
    std::size_t limit;
    Waiting& waiting;
    Page page;
    [[nodiscard]] bool full() const { return page.entries.size() >= limit; }
};

Page DirectoryFiles::list(const std::string& prefix, const std::string& after, std::size_t limit, Waiting& waiting) {
    return guarded([&] {
        check_root();
        // One more than asked for tells whether there is a next page.
        Walk state{.after = after, .limit = limit + 1, .waiting = waiting, .page = {}};
        const auto directory = prefix.empty() ? root_ : path_of(prefix).parent_path();
        const auto status = os::target_status(directory);
        if (status && status->is_directory) walk(state, directory, prefix);
        auto& entries = state.page.entries;
        if (entries.size() > limit) {
            entries.pop_back();
            state.page.next = entries.back().key;
        }
        return std::move(state.page);
    });
}

void DirectoryFiles::walk(Walk& walk, const std::filesystem::path& directory, const std::string& prefix) const {
    struct Found {
        std::string key;  // of a directory: with the "/" that all its objects have there, so that it sorts as they do
        os::FileStatus status;
    };
    std::vector<Found> found;
    std::vector<std::string> names;
    try {
        names = os::list_directory(directory);
    } catch (const Error& error) {
        // Not there, or removed since its parent was read.
        if (error.code() == ErrorCode::not_found) return;
        throw;
    }
    for (const auto& name : names) {
        walk.waiting.step();
        if (prefix.empty() && name == uploads_folder) continue;
        const auto status = os::file_status(directory / name);
        if (!status || (!status->is_regular && !status->is_directory)) continue;
        // Somebody else's file, with a name that cannot be asked for.
        if (!check_key(prefix + name)) continue;
        found.push_back({prefix + name + (status->is_directory ? "/" : ""), *status});
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.key < b.key; });
    for (const auto& [key, status] : found) {
        if (walk.full() || walk.waiting.left()) return;
        if (status.is_directory) {
            // Nothing below it comes after the cursor if the cursor is not below it itself and sorts behind it.
            if (key < walk.after && !walk.after.starts_with(key)) continue;
            this->walk(walk, directory / std::string_view(key).substr(prefix.size(), key.size() - prefix.size() - 1),
                       key);
        } else if (key > walk.after) {
            walk.page.entries.push_back(
                {.key = key, .size = status.size, .modified = modified_of(status), .checksums = {}});
        }
    }
}

}  // namespace pgbakd::target
