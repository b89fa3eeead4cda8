// A server that another host reaches, by a Unix socket of this host: one ssh that carries every session to it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "async/asio.hpp"
#include "async/pool.hpp"
#include "async/stop.hpp"
#include "os/private_directory.hpp"
#include "os/process.hpp"
#include "source/client_command.hpp"

namespace pgbakd::source {

// The server as the other host sees it: a name, an address, the directory of a Unix socket; empty: the usual one.
struct ServerThere {
    std::string host;
    std::uint16_t port = 0;  // 0: the usual one
};

// ssh's -L for a socket in `directory`, which libpq takes for that of a server on `port`. Blanks and all else that
// means something to ssh are escaped. Pure.
[[nodiscard]] std::string forward_argument(const std::filesystem::path& directory, const ServerThere& server);

class SshForward {
  public:
    // Starts ssh, and returns once the socket takes connections. `mark` goes into its environment. Errors: what
    // client_failure() says; timed_out (passing).
    static asio::awaitable<std::unique_ptr<SshForward>> open(asio::any_io_executor executor, async::Pool& pool,
                                                             ClientWay way, ServerThere server,
                                                             os::Command::Variable mark, async::StopToken stop);
    SshForward(os::PrivateDirectory directory, const os::Command& command);
    SshForward(const SshForward&) = delete;
    SshForward& operator=(const SshForward&) = delete;
    // Ends ssh, and waits for that; the sessions end with it.
    ~SshForward() = default;

    // What a session is given as host.
    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_.path(); }
    // Whether ssh has ended, and with it every session.
    [[nodiscard]] bool ended() const noexcept;
    // What ssh has said since it was last asked, on one line.
    [[nodiscard]] std::string words();

  private:
    asio::awaitable<bool> is_ready(asio::any_io_executor executor, async::StopToken stop);
    asio::awaitable<void> wait_ended(asio::any_io_executor executor, async::StopToken stop);

    os::PrivateDirectory directory_;
    os::Child child_;
};

}  // namespace pgbakd::source
