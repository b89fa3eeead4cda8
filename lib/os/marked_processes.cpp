#include "os/marked_processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>  // explicit_bzero
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::os {
namespace {

using Clock = std::chrono::steady_clock;

// Our children inherit a handful of variables: an environment that does not fit is not theirs.
constexpr std::size_t largest_environment = std::size_t{256} << 10U;

// Reads environments, which hold passwords: the one buffer is wiped when it goes.
class EnvironmentReader {
  public:
    EnvironmentReader() : buffer_(largest_environment) {}
    EnvironmentReader(const EnvironmentReader&) = delete;
    EnvironmentReader& operator=(const EnvironmentReader&) = delete;
    ~EnvironmentReader() { ::explicit_bzero(buffer_.data(), buffer_.size()); }

    bool has(const Descriptor& process, std::string_view mark) {
        const Descriptor file(::openat(process.get(), "environ", O_RDONLY | O_CLOEXEC));
        if (!file) return false;
        std::size_t filled = 0;
        while (filled < buffer_.size()) {
            const auto count = ::read(file.get(), buffer_.data() + filled, buffer_.size() - filled);
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            filled += static_cast<std::size_t>(count);
        }
        std::string_view rest(buffer_.data(), filled);
        while (!rest.empty()) {
            const auto end = std::min(rest.find('\0'), rest.size());
            if (rest.substr(0, end) == mark) return true;
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return false;
    }

  private:
    std::vector<char> buffer_;
};

bool has_ended(const Descriptor& pidfd, std::chrono::milliseconds at_most) {
    struct pollfd wanted {
        pidfd.get(), POLLIN, 0
    };
    return ::poll(&wanted, 1, static_cast<int>(at_most.count())) > 0;
}

// The process as a descriptor, if it is ours, lives and bears the mark. The pidfd comes first: if its process still
// lives after the environment was read, then the number was its own all the time.
Descriptor open_if_marked(pid_t pid, const Descriptor& proc, EnvironmentReader& environments, std::string_view mark) {
    const Descriptor directory(::openat(proc.get(), std::to_string(pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat owner {};
    if (!directory || ::fstat(directory.get(), &owner) != 0 || owner.st_uid != ::geteuid()) return {};
    Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
    if (!pidfd || !environments.has(directory, mark) || has_ended(pidfd, {})) return {};
    return pidfd;
}

std::vector<Descriptor> find_marked(std::string_view mark) {
    struct CloseDirectory {
        void operator()(DIR* directory) const noexcept { ::closedir(directory); }
    };
    const std::unique_ptr<DIR, CloseDirectory> listing(::opendir("/proc"));
    if (!listing) throw base::error_from_errno(errno, "reading /proc");
    const Descriptor proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    EnvironmentReader environments;
    std::vector<Descriptor> found;
    while (const auto* entry = ::readdir(listing.get())) {
        const std::string_view name(entry->d_name);
        pid_t pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size() || pid == ::getpid()) continue;
        if (auto pidfd = open_if_marked(pid, proc, environments, mark)) found.push_back(std::move(pidfd));
    }
    return found;
}

}  // namespace

std::size_t end_marked_processes(std::string_view mark, std::chrono::milliseconds patience) {
    const auto until = Clock::now() + patience;
    std::size_t ended = 0;
    // Again until none is found: one that was ended may have started another just before.
    for (auto found = find_marked(mark); !found.empty(); found = find_marked(mark)) {
        for (const auto& pidfd : found) (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0U);
        for (const auto& pidfd : found) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
            if (!has_ended(pidfd, std::max(left, std::chrono::milliseconds::zero())))
                throw base::Error(base::ErrorCode::timed_out,
                                  fmt::format("a process with {} in its environment does not end", mark));
        }
        ended += found.size();
    }
    return ended;
}

}  // namespace pgbakd::os
