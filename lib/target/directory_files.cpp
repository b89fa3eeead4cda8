#include "target/directory_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "target/directory_walk.hpp"
#include "target/key.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t writeback_bytes = 8 << 20;  // flushed in passing, so that the last fsync has little left to do
constexpr int placing_attempts = 5;

Error exists_already(const std::string& key) {
    return {ErrorCode::conflict, fmt::format("{} exists already", key), "nothing there is ever overwritten"};
}

// A conflict about a directory is something else in its place; one about an object is another object of that name.
template <class Work>
auto in_its_place(const Work& work) {
    try {
        return work();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::conflict) throw;
        throw Error(ErrorCode::invalid_configuration, error.message(),
                    "what stands in its place has to go, or this target needs another path");
    }
}

std::filesystem::path folder_of(const std::string& key) {
    return std::filesystem::path(key).parent_path();
}

std::string name_of(const std::string& key) {
    return std::filesystem::path(key).filename().native();
}

std::optional<os::FileStatus> status_of(const os::OpenDirectory& root, const std::string& key) {
    const auto folder = root.below(folder_of(key));
    return folder ? folder->status(name_of(key)) : std::nullopt;
}

// The folder of a removed object, and those above it, as far as they are empty.
void remove_empty_parents(const os::OpenDirectory& root, std::filesystem::path folder) noexcept {
    try {
        for (; !folder.empty(); folder = folder.parent_path()) {
            const auto parent = root.below(folder.parent_path());
            if (!parent || !parent->remove_directory(folder.filename().native())) return;
        }
    } catch (const Error&) {
        // The object is gone, and empty directories harm nobody.
    }
}

}  // namespace

DirectoryFiles::DirectoryFiles(std::filesystem::path root, std::optional<MountRule> mount) : root_(std::move(root)) {
    if (mount) mount_.emplace(std::move(*mount));
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

std::optional<os::OpenDirectory> DirectoryFiles::open_root() {
    std::optional<Mount> mount;
    if (mount_) mount = mount_->check();
    // One that is not there yet is made; something else in its place is a mistake that a listing must not pass over.
    auto root = in_its_place([&] { return os::OpenDirectory::open(root_); });
    if (root && mount) mount_->check_open(*mount, root->descriptor());
    return root;
}

os::OpenDirectory DirectoryFiles::make_root() {
    for (int attempt = 1;; ++attempt) {
        if (auto root = open_root()) return std::move(*root);
        if (attempt == placing_attempts)
            throw Error(ErrorCode::not_found, fmt::format("{} was made, and is not there", root_.native()), {},
                        base::Persistence::passing);
        std::vector<std::filesystem::path> missing;
        for (auto path = root_; !os::target_status(path); path = path.parent_path()) missing.push_back(path);
        in_its_place([&] { os::make_directories(root_); });
        for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
            const auto parent = os::OpenDirectory::open(path->parent_path());
            const auto directory = os::OpenDirectory::open(*path);
            if (parent && directory) made(*parent, *directory);
        }
    }
}

os::OpenDirectory DirectoryFiles::make_below(const os::OpenDirectory& root, const std::filesystem::path& relative) {
    const auto tell = [this](const os::OpenDirectory& parent, const os::OpenDirectory& directory) {
        made(parent, directory);
    };
    return in_its_place([&] { return root.make_below(relative, tell); });
}

// Root, who looks after things, must not leave directories that the daemon's user cannot use: each has the owner of
// the one that it lies in.
void DirectoryFiles::made(const os::OpenDirectory& parent, const os::OpenDirectory& directory) {
    if (::geteuid() != 0) return;
    directory.give_to_owner_of(parent);
    const auto& path = directory.path();
    if (path.native().size() > root_.native().size() && path != root_ / uploads_folder) return;
    const std::lock_guard lock(mutex_);
    made_.push_back(path);
}

// And what was not there before it came is not there once it has nothing there any more.
void DirectoryFiles::take_back() noexcept {
    const std::lock_guard lock(mutex_);
    while (!made_.empty() && (::rmdir(made_.back().c_str()) == 0 || errno == ENOENT)) made_.pop_back();
}

std::unique_ptr<DirectoryFiles::Unfinished> DirectoryFiles::begin(const std::string& key, Existing existing,
                                                                  Waiting& waiting) {
    return guarded([&] {
        for (int attempt = 1;; ++attempt) {
            const auto root = make_root();
            if (existing == Existing::refuse && status_of(root, key)) throw exists_already(key);
            auto folder = make_below(root, uploads_folder);
            auto upload =
                std::unique_ptr<Unfinished>(new Unfinished{LiveUpload(upload_name()), std::move(folder), {}, {}});
            if (waiting.left()) return upload;
            try {
                upload->file = upload->folder.create_file(upload->live.name());
            } catch (const Error& error) {
                // Somebody else took the empty folder away just now.
                if (error.code() == ErrorCode::not_found && attempt < placing_attempts) continue;
                throw;
            }
            if (waiting.left()) discard(*upload);
            return upload;
        }
    });
}

void DirectoryFiles::append(const Unfinished& upload, std::span<const std::byte> bytes, std::uint64_t offset) {
    // The open file stays where begin() made sure it is, whatever is unmounted since.
    guarded([&] {
        os::write_all(upload.file, bytes, upload.path());
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
            throw base::error_from_errno(errno, "flushing " + upload.path().native());
        waiting.step();
    }
    os::sync_file(upload.file, upload.path());
    waiting.step();
}

Entry DirectoryFiles::finish(Unfinished& upload, const std::string& key, std::uint64_t size, Existing existing,
                             Waiting& waiting) {
    return guarded([&] {
        flush(upload, size, waiting);
        const auto root = open_root();
        const auto folder = root ? root->below(uploads_folder) : std::nullopt;
        const auto status = folder ? folder->status(upload.live.name()) : std::nullopt;
        if (!status)
            throw Error(ErrorCode::not_found, fmt::format("the unfinished file of {} is gone", key),
                        "was the directory unmounted, or cleaned up by somebody else?", base::Persistence::passing);
        if (status->size != size)
            throw Error(
                ErrorCode::corrupt,
                fmt::format("{} has {} bytes where {} were written", upload.path().native(), status->size, size), {},
                base::Persistence::passing);
        waiting.step();
        // Whoever left was told that it failed.
        if (waiting.left()) throw Error(ErrorCode::cancelled, fmt::format("{} is not waited for any more", key));
        place(*root, *folder, upload.live.name(), key, existing, upload.is_placed);
        os::drop_from_cache(upload.file, 0, size);
        return Entry{.key = key, .size = size, .modified = modified_of(*status), .checksums = {}};
    });
}

void DirectoryFiles::place(const os::OpenDirectory& root, const os::OpenDirectory& folder, const std::string& name,
                           const std::string& key, Existing existing, std::atomic<bool>& is_placed) {
    const int from = folder.descriptor().get();
    const auto leaf = name_of(key);
    for (int attempt = 1;; ++attempt) {
        const auto into = make_below(root, folder_of(key));
        const int to = into.descriptor().get();
        int status = existing == Existing::replace
                         ? ::renameat(from, name.c_str(), to, leaf.c_str())
                         : ::renameat2(from, name.c_str(), to, leaf.c_str(), RENAME_NOREPLACE);
        // NFS has no such rename, but a link that refuses as well; FAT and many CIFS servers have neither.
        if (status != 0 && (errno == EINVAL || errno == ENOSYS)) {
            status = ::linkat(from, name.c_str(), to, leaf.c_str(), 0);
            if (status == 0) {
                (void)::unlinkat(from, name.c_str(), 0);
            } else if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) {
                if (into.status(leaf)) throw exists_already(key);
                status = ::renameat(from, name.c_str(), to, leaf.c_str());
            }
        }
        if (status == 0) {
            is_placed = true;
            into.sync();
            break;
        }
        // A removal of the last object in there took the directory away just now.
        if (errno == ENOENT && attempt < placing_attempts) continue;
        if (existing == Existing::refuse && (errno == EEXIST || errno == ENOTEMPTY || errno == EISDIR))
            throw exists_already(key);
        if (errno == EISDIR)
            throw Error(ErrorCode::conflict, fmt::format("{} is a directory that holds other objects", key));
        throw base::error_from_errno(
            errno, fmt::format("renaming {} to {}", (folder.path() / name).native(), (into.path() / leaf).native()));
    }
    folder.sync();
}

void DirectoryFiles::discard(const Unfinished& upload) noexcept {
    ::unlinkat(upload.folder.descriptor().get(), upload.live.name().c_str(), 0);
    take_back();
}

os::Descriptor DirectoryFiles::open(const std::string& key) {
    return guarded([&] {
        const Error missing(ErrorCode::not_found, fmt::format("{} does not exist in {}", key, root_.native()));
        const auto root = open_root();
        const auto folder = root ? root->below(folder_of(key)) : std::nullopt;
        if (!folder) throw Error(missing);
        try {
            return folder->open_for_reading(name_of(key));
        } catch (const Error& error) {
            throw error.code() == ErrorCode::not_found ? missing : error;
        }
    });
}

std::size_t DirectoryFiles::read_at(const os::Descriptor& file, const std::string& key, std::uint64_t offset,
                                    std::span<std::byte> into) const {
    return guarded([&] {
        for (;;) {
            const auto count = ::pread(file.get(), into.data(), into.size(), static_cast<off_t>(offset));
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno != EINTR) throw base::error_from_errno(errno, "reading " + (root_ / key).native());
        }
    });
}

std::optional<Entry> DirectoryFiles::stat(const std::string& key) {
    return guarded([&]() -> std::optional<Entry> {
        const auto root = open_root();
        const auto status = root ? status_of(*root, key) : std::nullopt;
        if (!status || !status->is_regular) return std::nullopt;
        return Entry{.key = key, .size = status->size, .modified = modified_of(*status), .checksums = {}};
    });
}

std::vector<Refusal> DirectoryFiles::remove(const std::vector<std::string>& keys, Waiting& waiting) {
    return guarded([&] {
        std::vector<Refusal> refused;
        const auto root = open_root();
        if (!root) return refused;
        for (const auto& key : keys) {
            waiting.step();
            if (waiting.left()) break;
            try {
                const auto folder = root->below(folder_of(key));
                const auto status = folder ? folder->status(name_of(key)) : std::nullopt;
                // A directory is no object, nor is what a link leads to.
                if (!status || !status->is_regular) continue;
                folder->remove_file(name_of(key));
                remove_empty_parents(*root, folder_of(key));
            } catch (const Error& error) {
                if (error.code() != ErrorCode::permission_denied && error.code() != ErrorCode::invalid_configuration)
                    throw;
                refused.push_back({key, explained(error)});
            }
        }
        take_back();
        return refused;
    });
}

// As the place itself tells the time: of a file that is made now. A server's clock is not this host's. The epoch where
// there is no room for one, which is no time to leave anything lying about.
base::Timestamp DirectoryFiles::place_time(const os::OpenDirectory& folder) {
    const LiveUpload probe(upload_name());
    std::optional<os::FileStatus> status;
    try {
        const auto file = folder.create_file(probe.name());
        status = folder.status(probe.name());
    } catch (const Error& error) {
        if (error.code() != ErrorCode::no_space) throw;
    }
    ::unlinkat(folder.descriptor().get(), probe.name().c_str(), 0);
    return status ? modified_of(*status) : base::Timestamp();
}

Swept DirectoryFiles::sweep(base::Timestamp older_than, base::Timestamp now, Waiting& waiting) {
    return guarded([&] {
        Swept swept;
        const auto root = open_root();
        if (!root) return swept;
        // A link in its place has nothing of ours behind it; uploads tell of it.
        if (const auto found = root->status(std::string(uploads_folder)); !found || !found->is_directory) return swept;
        const auto folder = root->below(uploads_folder);
        if (!folder) return swept;
        std::optional<base::Timestamp> oldest_kept;
        for (const auto& name : folder->list()) {
            waiting.step();
            if (waiting.left()) break;
            const auto status = folder->status(name);
            if (!status || !status->is_regular || modified_of(*status) >= older_than) continue;
            if (LiveUpload::is_live(name)) continue;
            if (!oldest_kept) oldest_kept = sweep_limit(older_than, now, place_time(*folder));
            if (modified_of(*status) >= *oldest_kept) continue;
            folder->remove_file(name);
            ++swept.uploads;
            swept.bytes += status->size;
        }
        return swept;
    });
}

Room DirectoryFiles::room() {
    return guarded([this] {
        (void)open_root();  // what a mount has is not what is below it while nothing is mounted
        const auto space = os::free_space(root_);
        return Room{.total = space.total, .available = space.available, .file_system = os::mount_point(root_).string()};
    });
}

Page DirectoryFiles::list(const std::string& prefix, const std::string& after, std::size_t limit, Waiting& waiting) {
    return guarded([&] {
        const auto root = open_root();
        const auto directory = root ? root->below(folder_of(prefix)) : std::nullopt;
        return directory ? page_of(*directory, prefix, after, limit, waiting) : Page{};
    });
}

}  // namespace pgbakd::target
