// Notices an rclone that does nothing any more: one that is stopped, or waits for a disk whose server is away. A server
// that is silent rclone itself gives up (--timeout).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"

namespace pgbakd::target {

// What a process has read and written so far, sockets included; 0 where the kernel does not tell. Source: proc(5),
// /proc/PID/io, rchar and wchar.
[[nodiscard]] std::uint64_t bytes_moved_by(pid_t pid);

// A stop source that stops with `parent`, and with timed_out (passing) once neither moved() was called nor bytes worth
// speaking of were moved by the process for `limit`.
class RcloneStall {
  public:
    RcloneStall(const asio::any_io_executor& executor, const async::StopToken& parent, std::chrono::milliseconds limit,
                pid_t pid, std::string what);
    RcloneStall(const RcloneStall&) = delete;
    RcloneStall& operator=(const RcloneStall&) = delete;
    ~RcloneStall();
    [[nodiscard]] async::StopToken token() const;
    void moved() noexcept;

  private:
    struct State;
    static void look_later(const std::shared_ptr<State>& state);
    std::shared_ptr<State> state_;
};

}  // namespace pgbakd::target
