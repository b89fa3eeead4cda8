#include "source/client_way.hpp"

#include <fmt/format.h>

#include <utility>

#include "async/child.hpp"
#include "async/timer.hpp"
#include "os/find_program.hpp"
#include "source/client_failure.hpp"

namespace pgbakd::source {
namespace {

constexpr std::size_t most_answer = 64U << 10U;
constexpr std::chrono::seconds patience_beyond_connecting{60};

base::Error no_way(const std::string& program, const model::ClientSpec& client) {
    const auto* package = program == "ssh" ? "the package openssh-client" : "docker's command line, or podman's";
    return {base::ErrorCode::client_missing,
            fmt::format("there is no program {} to reach {}", program, place_text(client)),
            fmt::format("install it ({}); looked for in the PATH of the daemon, as its account", package)};
}

base::Error bad_end(const model::ClientSpec& client, const std::string& what, const os::Child::Ending& ending,
                    const std::string& words) {
    if (auto failure = client_failure(client, what, ending, words)) return *failure;
    return {base::ErrorCode::program_failed,
            fmt::format("{} failed: {}{}{}", what, ending.text(), words.empty() ? "" : ": ", words),
            {},
            ending.signal != 0 ? base::Persistence::passing : base::Persistence::lasting};
}

}  // namespace

asio::awaitable<ClientWay> find_client_way(async::Pool& pool, model::ServerSpec server,
                                           std::vector<std::filesystem::path> directories, async::StopToken stop) {
    stop.check();
    ClientWay way{server.client, {}, server.connect_timeout};
    if (way.client.where == model::ClientSpec::Where::here) co_return way;
    const std::string name = way.client.where == model::ClientSpec::Where::docker ? "docker" : "ssh";
    const auto find = [name, directories] { return os::find_program(name, directories); };
    const auto found = co_await async::run_blocking(pool, find);
    if (!found) throw base::Error(no_way(name, way.client));
    way.program = *found;
    co_return way;
}

asio::awaitable<std::string> ask_client(ClientWay way, os::Command command, std::string what, async::StopToken stop) {
    const auto executor = co_await asio::this_coro::executor;
    const async::Deadline deadline(executor, stop, way.connect_timeout + patience_beyond_connecting, what);
    auto answer = co_await async::capture(std::move(command), most_answer, deadline.token());
    const auto ending = ending_there(way.client, answer.ending);
    if (!ending.good()) throw base::Error(bad_end(way.client, what, ending, answer.errors));
    co_return std::move(answer.output);
}

}  // namespace pgbakd::source
