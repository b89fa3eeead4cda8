#include "os/private_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "os/file.hpp"

namespace pgbakd::os {
namespace {

constexpr int attempts = 10;

// The kernel takes the lock from a process that ends, however it does. Nothing where a living one has it, or where
// there is no directory of this user's.
Descriptor lock_directory(const std::filesystem::path& path) {
    Descriptor held(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    struct stat there {};
    if (!held || ::fstat(held.get(), &found) != 0 || found.st_uid != ::geteuid()) return {};
    if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0) return {};
    // Not one that was removed before the lock was ours.
    const bool is_there =
        ::lstat(path.c_str(), &there) == 0 && there.st_dev == found.st_dev && there.st_ino == found.st_ino;
    return is_there ? std::move(held) : Descriptor();
}

// What cannot be removed now keeps nobody from working; the next one tries again.
void remove_left(const std::filesystem::path& parent, const std::string& prefix) noexcept {
    try {
        for (const auto& name : list_directory(parent)) {
            if (!name.starts_with(prefix)) continue;
            const auto held = lock_directory(parent / name);
            std::error_code ignored;
            if (held) std::filesystem::remove_all(parent / name, ignored);
        }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    }
}

}  // namespace

PrivateDirectory PrivateDirectory::make(const std::string& prefix) {
    std::error_code failure;
    auto parent = std::filesystem::temp_directory_path(failure);
    if (failure) parent = "/tmp";
    remove_left(parent, prefix);
    for (int attempt = 0; attempt < attempts; ++attempt) {
        std::string path = parent / (prefix + "XXXXXX");
        if (::mkdtemp(path.data()) == nullptr) throw error_of_path(errno, "creating a directory in", parent);
        if (auto lock = lock_directory(path)) return {path, std::move(lock)};
        // Before it was locked another process took it for one that was left.
        (void)::rmdir(path.c_str());
    }
    throw base::Error(base::ErrorCode::io_failed, fmt::format("no directory in {} can be locked", parent.native()));
}

PrivateDirectory::PrivateDirectory(std::filesystem::path path, Descriptor lock) noexcept
    : path_(std::move(path)), lock_(std::move(lock)) {}

PrivateDirectory::PrivateDirectory(PrivateDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

PrivateDirectory::~PrivateDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace pgbakd::os
