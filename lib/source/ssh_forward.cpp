#include "source/ssh_forward.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "source/client_failure.hpp"

namespace pgbakd::source {
namespace {

constexpr std::uint16_t usual_port = 5432;
constexpr std::string_view usual_directory = "/var/run/postgresql";
constexpr std::string_view ready = "pgbakd-ready\n";
constexpr std::size_t most_output = 64U << 10U;
constexpr std::size_t most_words = 1000;
constexpr std::chrono::seconds patience_beyond_connecting{20};

std::string socket_name(std::uint16_t port) {
    return fmt::format(".s.PGSQL.{}", port == 0 ? usual_port : port);
}

// A path between ssh's colons (parse_fwd_field() of OpenSSH's readconf.c), where "%" and "$" begin what is expanded.
std::string escape_path(std::string_view path) {
    std::string escaped;
    for (const char c : path) {
        if (c == ':' || c == '\\') escaped += '\\';
        escaped += c;
        if (c == '%') escaped += c;
    }
    return escaped;
}

os::Command forward_command(const ClientWay& way, const std::filesystem::path& directory, const ServerThere& server,
                            const os::Command::Variable& mark) {
    os::Command command;
    command.argv = ssh_arguments(way);
    for (std::string word :
         {std::string("-oExitOnForwardFailure=yes"), std::string("-oLogLevel=INFO"), std::string("-L"),
          forward_argument(directory, server), std::string("--"), way.client.name})
        command.argv.push_back(std::move(word));
    // Not -N: the first word from there says that the account was let in and the socket listens, and the end of the
    // input, however it comes about, ends this too.
    command.argv.push_back("exec /bin/sh -c " + remote_word("echo pgbakd-ready; while IFS= read -r l; do :; done"));
    command.first_input = base::Secret(std::string("\n"));
    command.environment.push_back(mark);
    return command;
}

base::Error ended_early(const model::ClientSpec& client, const std::string& what, const os::Child::Ending& ending,
                        const std::string& words) {
    if (auto failure = client_failure(client, what, ending, words)) return *failure;
    return {base::ErrorCode::program_failed,
            fmt::format("{} failed: ssh ended with {}{}{}", what, ending.text(), words.empty() ? "" : ": ", words)};
}

}  // namespace

std::string forward_argument(const std::filesystem::path& directory, const ServerThere& server) {
    const auto here = escape_path((directory / socket_name(server.port)).native());
    const bool is_directory = server.host.empty() || server.host.starts_with('/');
    if (is_directory) {
        const std::filesystem::path there = server.host.empty() ? std::string(usual_directory) : server.host;
        return here + ":" + escape_path((there / socket_name(server.port)).native());
    }
    const bool is_ipv6 = server.host.find(':') != std::string::npos;
    const auto host = is_ipv6 ? "[" + server.host + "]" : server.host;
    return fmt::format("{}:{}:{}", here, host, server.port == 0 ? usual_port : server.port);
}

SshForward::SshForward(os::PrivateDirectory directory, const os::Command& command)
    : directory_(std::move(directory)), child_(os::Child::spawn(command)) {}

bool SshForward::ended() const noexcept {
    pollfd waited{child_.pidfd().get(), POLLIN, 0};
    return ::poll(&waited, 1, 0) != 0;
}

std::string SshForward::words() {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto count = ::read(child_.errors().get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        // The last ones matter.
        if (text.size() > 2 * most_words) text.erase(0, text.size() - most_words);
    }
    std::vector<std::string> lines;
    for (const auto line : base::split(text, '\n'))
        if (const auto trimmed = base::trim(line); !trimmed.empty()) lines.push_back(base::printable(trimmed));
    return base::clamp_utf8(base::join(lines, "; "), most_words);
}

asio::awaitable<bool> SshForward::is_ready(asio::any_io_executor executor, async::StopToken stop) {
    asio::posix::stream_descriptor output(executor, child_.output().release());
    const auto registration = stop.on_stop([&output] { output.cancel(); });
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.size() < most_output) {
        boost::system::error_code failure;
        const auto count =
            co_await output.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failure));
        stop.check();
        if (failure) break;
        text.append(buffer.data(), count);
        if (text.ends_with(ready)) co_return true;
    }
    co_return false;
}

asio::awaitable<void> SshForward::wait_ended(asio::any_io_executor executor, async::StopToken stop) {
    os::Descriptor copy(::fcntl(child_.pidfd().get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) throw base::error_from_errno(errno, "duplicating a descriptor");
    asio::posix::stream_descriptor end(executor, copy.get());
    (void)copy.release();
    const auto registration = stop.on_stop([&end] { end.cancel(); });
    boost::system::error_code failure;
    co_await end.async_wait(asio::posix::stream_descriptor::wait_read,
                            asio::redirect_error(asio::use_awaitable, failure));
    stop.check();
}

asio::awaitable<std::unique_ptr<SshForward>> SshForward::open(asio::any_io_executor executor, async::Pool& pool,
                                                              ClientWay way, ServerThere server,
                                                              os::Command::Variable mark, async::StopToken stop) {
    stop.check();
    const auto what = "connecting to " + place_text(way.client);
    const async::Deadline deadline(executor, stop, way.connect_timeout + patience_beyond_connecting, what);
    const auto make = [] { return std::make_unique<os::PrivateDirectory>(os::PrivateDirectory::make("pgbakd-ssh-")); };
    auto directory = co_await async::run_blocking(pool, make);
    const auto command = forward_command(way, directory->path(), server, mark);
    auto forward = std::make_unique<SshForward>(std::move(*directory), command);
    const bool is_ready = co_await forward->is_ready(executor, deadline.token());
    if (is_ready) {
        // A banner, warnings: not the cause of anything to come.
        (void)forward->words();
        co_return forward;
    }
    co_await forward->wait_ended(executor, deadline.token());
    const auto words = forward->words();
    const auto ending = forward->child_.reap();
    const auto error = ended_early(way.client, what, ending, words);
    throw base::Error(error);
}

}  // namespace pgbakd::source
