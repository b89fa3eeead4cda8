#include "source/server_access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "os/user.hpp"
#include "source/client_programs.hpp"
#include "source/client_way.hpp"
#include "source/container_address.hpp"
#include "source/reach.hpp"

namespace pgbakd::source {
namespace {

using Where = model::ClientSpec::Where;

constexpr std::uint16_t usual_port = 5432;

// An error of a session through a forward: names the server's own place, and tells what ssh has to say.
base::Error as_seen_there(const base::Error& error, const std::string& directory, const std::string& host,
                          const std::string& words) {
    auto message = error.message();
    if (const auto at = message.find(directory); at != std::string::npos) message.replace(at, directory.size(), host);
    auto hint = error.hint();
    if (error.code() == base::ErrorCode::unreachable) {
        if (!words.empty()) message += "; ssh says: " + words;
        hint =
            "host and port of the server are as the other host sees it; its sshd must allow forwarding "
            "(AllowTcpForwarding, AllowStreamLocalForwarding)";
    }
    return {error.code(), message, hint, error.is_passing() ? base::Persistence::passing : base::Persistence::lasting};
}

}  // namespace

std::string usual_role(const model::ClientSpec& client) {
    if (client.where == Where::here) return {};
    auto account = client.where == Where::ssh ? account_of(client.name) : std::string();
    return account.empty() ? os::user_name() : account;
}

ServerAccess::ServerAccess(asio::any_io_executor executor, async::Pool& pool, const model::ServerSpec& server,
                           postgres::ProgramSearch search, os::Command::Variable mark)
    : executor_(std::move(executor)),
      pool_(pool),
      server_(server),
      way_{server.client, {}, server.connect_timeout},
      search_(std::move(search)),
      mark_(std::move(mark)) {}

asio::awaitable<void> ServerAccess::find_way(async::StopToken stop) {
    if (is_found_) co_return;
    way_ = co_await find_client_way(pool_, server_, search_.plain, stop);
    is_found_ = true;
}

// A container in several networks may be reached by one of them only: from this host, or by what its server listens on.
asio::awaitable<std::string> ServerAccess::answering(std::vector<std::string> addresses, std::uint16_t port,
                                                     async::StopToken stop) {
    const auto share = way_.connect_timeout / static_cast<int>(addresses.size());
    for (const auto& address : addresses) {
        std::optional<base::Error> failure;
        try {
            co_await source::reach(address, port, share, "container " + way_.client.name, stop);
        } catch (const base::Error& error) {
            failure = error;
        }
        stop.check();
        if (!failure) co_return address;
    }
    // None does: whoever connects to the first one says why.
    co_return addresses.front();
}

asio::awaitable<std::string> ServerAccess::container_address(std::uint16_t port, async::StopToken stop) {
    os::Command command;
    command.argv = container_address_arguments(way_.client.name);
    command.argv.insert(command.argv.begin(), way_.program.string());
    command.environment.push_back(mark_);
    const auto what = "looking for container " + way_.client.name;
    const auto output = co_await ask_client(way_, command, what, stop);
    const auto addresses = parse_container_addresses(way_.client.name, output);
    if (!addresses) throw base::Error(addresses.error());
    if (addresses->size() == 1) co_return addresses->front();
    auto address = co_await answering(*addresses, port == 0 ? usual_port : port, stop);
    co_return address;
}

asio::awaitable<postgres::ConnectOptions> ServerAccess::reach(postgres::ConnectOptions options, async::StopToken stop) {
    co_await find_way(stop);
    switch (way_.client.where) {
        case Where::here: break;
        case Where::docker:
            // Asked each time: a container that was started anew may have another one.
            if (options.host.empty()) options.host = co_await container_address(options.port, stop);
            break;
        case Where::ssh:
            if (!forward_ || forward_->ended()) {
                forward_.reset();
                const ServerThere there{server_.host, server_.port};
                forward_ = co_await SshForward::open(executor_, pool_, way_, there, mark_, stop);
            }
            options.host = forward_->directory().string();
            // Without one ssh takes the name of ours.
            options.system_user = account_of(way_.client.name);
            options.server += ", through ssh " + way_.client.name;
            // libpq knows no TLS on a Unix socket.
            options.sslmode = "disable";
            options.sslrootcert.clear();
            break;
    }
    co_return options;
}

asio::awaitable<std::unique_ptr<postgres::Session>> ServerAccess::connect(postgres::ConnectOptions options,
                                                                          async::StopToken stop) {
    const auto reached = co_await reach(std::move(options), stop);
    std::unique_ptr<postgres::Session> session;
    std::exception_ptr failure;
    try {
        session = co_await postgres::Session::connect(reached, stop);
    } catch (const base::Error&) {
        failure = std::current_exception();
    }
    stop.check();
    if (!failure) co_return session;
    if (!forward_) std::rethrow_exception(failure);
    const auto shown = server_.host.empty() ? std::string("its socket") : server_.host;
    const auto error = as_seen_there(base::to_error(failure), reached.host, shown, forward_->words());
    throw base::Error(error);
}

asio::awaitable<postgres::ClientPrograms> ServerAccess::find_programs(int server_major, async::StopToken stop) {
    co_await find_way(stop);
    if (way_.client.where == Where::here)
        co_return co_await postgres::find_programs(server_major, way_.client.directory, search_, stop);
    os::Command question;
    question.argv = programs_question(way_.client);
    question.environment.push_back(mark_);
    const auto command = command_there(way_, question);
    const auto what = "looking for pg_dump " + located_text(way_.client);
    const auto answer = co_await ask_client(way_, command, what, stop);
    auto programs = choose_programs(way_.client, server_major, answer);
    if (!programs) throw base::Error(programs.error());
    co_return std::move(*programs);
}

os::Command ServerAccess::command(os::Command there) const {
    if (way_.client.where == Where::here) return there;
    // What is not configured is libpq's default there, and not what a container's environment says: we asked the server
    // that is configured. Empty counts as not given.
    for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT"}) {
        const auto same = [name](const auto& variable) { return variable.name == name; };
        if (std::none_of(there.environment.begin(), there.environment.end(), same))
            there.environment.push_back({name, base::Secret()});
    }
    return command_there(way_, std::move(there));
}

}  // namespace pgbakd::source
