// A PostgreSQL server and its client programs, wherever those run: here, in a container or on another host. One for
// each source; what it opens ends with it.
#pragma once

#include <memory>
#include <string>

#include "async/asio.hpp"
#include "async/pool.hpp"
#include "async/stop.hpp"
#include "model/job.hpp"
#include "postgres/programs.hpp"
#include "postgres/session.hpp"
#include "source/client_command.hpp"
#include "source/ssh_forward.hpp"

namespace pgbakd::source {

// The role to log in as where none is configured: programs elsewhere run as somebody else than we do, and both must be
// the same. Ours for a container, the account's on the other host; empty: libpq's default serves.
[[nodiscard]] std::string usual_role(const model::ClientSpec& client);

class ServerAccess {
  public:
    // `search` is where programs of this host are looked for, docker and ssh included.
    ServerAccess(asio::any_io_executor executor, async::Pool& pool, const model::ServerSpec& server,
                 postgres::ProgramSearch search, os::Command::Variable mark);
    ServerAccess(const ServerAccess&) = delete;
    ServerAccess& operator=(const ServerAccess&) = delete;
    ~ServerAccess() = default;

    // The options of a session as this host must give them. `options` have the host as it is configured: with docker
    // and none, the container's address is asked for (of several networks the first one where the port answers); with
    // ssh, host and port are as the other host sees them, and a forward is opened if none is. Errors: those of docker
    // and ssh.
    asio::awaitable<postgres::ConnectOptions> reach(postgres::ConnectOptions options, async::StopToken stop);
    // A session by them; errors also tell what ssh had to say.
    asio::awaitable<std::unique_ptr<postgres::Session>> connect(postgres::ConnectOptions options,
                                                                async::StopToken stop);
    // As postgres::find_programs(). Before command().
    asio::awaitable<postgres::ClientPrograms> find_programs(int server_major, async::StopToken stop);
    // A client program's command, to be run here, with the server's variables completed.
    [[nodiscard]] os::Command command(os::Command there) const;

    [[nodiscard]] const model::ClientSpec& client() const noexcept { return way_.client; }

  private:
    // docker or ssh of this host.
    asio::awaitable<void> find_way(async::StopToken stop);
    asio::awaitable<std::string> container_address(std::uint16_t port, async::StopToken stop);
    asio::awaitable<std::string> answering(std::vector<std::string> addresses, std::uint16_t port,
                                           async::StopToken stop);

    asio::any_io_executor executor_;
    async::Pool& pool_;
    model::ServerSpec server_;
    ClientWay way_;
    bool is_found_ = false;
    postgres::ProgramSearch search_;
    os::Command::Variable mark_;
    std::unique_ptr<SshForward> forward_;
};

}  // namespace pgbakd::source
