// Getting to where client programs run: which program of this host leads there, and short questions to it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/pool.hpp"
#include "async/stop.hpp"
#include "model/job.hpp"
#include "os/process.hpp"
#include "source/client_command.hpp"

namespace pgbakd::source {

// The way to a server's client programs, for command_there(). docker and ssh are looked for in `directories`. Error:
// client_missing.
asio::awaitable<ClientWay> find_client_way(async::Pool& pool, model::ServerSpec server,
                                           std::vector<std::filesystem::path> directories, async::StopToken stop);

// Runs a command of this host (command_there(), or one of docker's own) to its good end, and returns what it printed,
// 64 KiB at most. `what` names it in errors: those of client_failure(), program_failed, timed_out (passing).
asio::awaitable<std::string> ask_client(ClientWay way, os::Command command, std::string what, async::StopToken stop);

}  // namespace pgbakd::source
