#include "os/directory_watch.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/error.hpp"

namespace pgbakd::os {
namespace {

constexpr std::uint32_t events =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR;

base::Error failure(int error_number, const std::string& action) {
    auto error = base::error_from_errno(error_number, action);
    // These two are the system's way of saying that its limits are reached (inotify_add_watch(2)).
    if (error_number != EMFILE && error_number != ENOSPC) return error;
    return {base::ErrorCode::io_failed, fmt::format("{}: too many watches on this system", action),
            "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches (sysctl)"};
}

}  // namespace

DirectoryWatch::DirectoryWatch() : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (!descriptor_) throw failure(errno, "watching directories");
}

void DirectoryWatch::add(const std::filesystem::path& directory, Told told) {
    const auto wanted = told == Told::contents ? events | IN_MODIFY | IN_ATTRIB : events;
    if (inotify_add_watch(descriptor_.get(), directory.c_str(), wanted) < 0)
        throw failure(errno, fmt::format("watching {}", directory.native()));
}

bool DirectoryWatch::drain() {
    alignas(inotify_event) std::array<std::byte, 16384> buffer;
    bool any = false;
    for (;;) {
        const auto got = read(descriptor_.get(), buffer.data(), buffer.size());
        if (got > 0) {
            any = true;
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != EAGAIN) throw base::error_from_errno(errno, "reading what a watch has seen");
        return any;
    }
}

}  // namespace pgbakd::os
