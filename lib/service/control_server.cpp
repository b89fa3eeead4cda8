#include "service/control_server.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "async/timer.hpp"
#include "base/units.hpp"
#include "model/json.hpp"
#include "os/file.hpp"

namespace pgbakd::service {
namespace {

namespace http = boost::beast::http;
using Acceptor = asio::local::stream_protocol::acceptor;

// Whether somebody answers at the socket: then it is not ours to replace.
bool is_served(const asio::any_io_executor& executor, const asio::local::stream_protocol::endpoint& endpoint) {
    asio::local::stream_protocol::socket probe(executor);
    boost::system::error_code failure;
    probe.connect(endpoint, failure);
    return !failure;
}

void open_to_group(const std::filesystem::path& path) {
    std::vector<char> buffer(16384);
    group entry{};
    group* found = nullptr;
    if (getgrnam_r("pgbakd", &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return;
    // Without the right to give it away the socket stays the owner's alone, which is safe.
    if (chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0) chmod(path.c_str(), 0660);
}

void make_directory_of(const std::filesystem::path& path) {
    try {
        os::make_directories(path.parent_path());
    } catch (const base::Error& error) {
        throw base::Error(error.code(), "the control socket: " + error.message(),
                          fmt::format("systemd makes /run/pgbakd for the service; elsewhere make {} for the user that "
                                      "pgbakd runs as, or choose another api.socket",
                                      path.parent_path().string()));
    }
}

Acceptor bind_socket(const asio::any_io_executor& executor, const std::filesystem::path& path) {
    constexpr std::size_t longest = 107;  // sockaddr_un(7)
    if (path.string().size() > longest)
        throw base::Error(base::ErrorCode::invalid_configuration,
                          fmt::format("the control socket's path is too long: {} bytes", path.string().size()),
                          fmt::format("api.socket may have {} bytes", longest));
    const asio::local::stream_protocol::endpoint endpoint(path.string());
    if (const auto status = os::file_status(path)) {
        if (is_served(executor, endpoint))
            throw base::Error(base::ErrorCode::conflict,
                              fmt::format("another program serves the control socket {}", path.string()),
                              "stop the other daemon, or give this one another api.socket");
        if (!S_ISSOCK(status->mode))
            throw base::Error(base::ErrorCode::conflict, fmt::format("{} is no socket", path.string()),
                              "remove it, or choose another api.socket");
        unlink(path.c_str());
    }
    make_directory_of(path);
    Acceptor acceptor(executor);
    acceptor.open(endpoint.protocol());
    // Born closed to everybody else; the reactor thread is the only one that makes files with a meaning of their mode.
    const auto mask = umask(0177);
    boost::system::error_code failure;
    acceptor.bind(endpoint, failure);
    umask(mask);
    if (failure) throw base::error_from_errno(failure.value(), "binding the control socket " + path.string());
    open_to_group(path);
    acceptor.listen(asio::socket_base::max_listen_connections);
    return acceptor;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string result;
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
        result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return result;
}

base::Result<HttpRequest> understand(const http::request<http::string_body>& message) {
    const base::Error wrong(base::ErrorCode::invalid_argument, "the request's target cannot be read",
                            "percent-encode what is no letter, digit, \"-\", \".\", \"_\" or \"~\"");
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.body = message.body();
    const std::string target(message.target());
    const auto mark = target.find('?');
    auto path = percent_decoded(std::string_view(target).substr(0, mark));
    if (!path) return wrong;
    request.path = std::move(*path);
    if (mark == std::string::npos) return request;
    std::string_view rest = std::string_view(target).substr(mark + 1);
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const auto equals = pair.find('=');
        auto key = percent_decoded(pair.substr(0, equals));
        auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
        if (!key || !value) return wrong;
        request.query[std::move(*key)] = std::move(*value);
    }
    return request;
}

http::response<http::string_body> to_message(const HttpAnswer& answer, unsigned version, bool keep_alive) {
    http::response<http::string_body> message(static_cast<http::status>(answer.status), version);
    message.set(http::field::content_type, "application/json");
    message.set(http::field::cache_control, "no-store");
    if (!answer.allow.empty()) message.set(http::field::allow, answer.allow);
    message.keep_alive(keep_alive);
    message.body() = answer.body;
    message.prepare_payload();
    return message;
}

using SocketPointer = std::shared_ptr<asio::local::stream_protocol::socket>;

asio::awaitable<void> send(asio::any_io_executor executor, SocketPointer socket, std::string bytes) {
    const async::Deadline patience(executor, {}, ControlServer::idle_timeout, "a client's reading");
    const auto registration = patience.token().on_stop([socket] {
        boost::system::error_code ignored;
        socket->close(ignored);
    });
    co_await asio::async_write(*socket, asio::buffer(bytes), asio::use_awaitable);
}

asio::awaitable<void> send_piece(asio::any_io_executor executor, SocketPointer socket, std::string piece) {
    auto chunk = fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    co_await send(std::move(executor), std::move(socket), std::move(chunk));
}

asio::awaitable<void> send_events(asio::any_io_executor executor, SocketPointer socket, HttpAnswer answer) {
    co_await send(executor, socket,
                  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                  "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    const EventWriter writer = [executor, socket](std::string piece) {
        return send_piece(executor, socket, std::move(piece));
    };
    co_await answer.events(writer);
    co_await send(executor, socket, "0\r\n\r\n");
}

// Says that no more comes, and reads what the client still sends: a socket closed with unread bytes resets the
// connection, and the client would lose the answer that tells it what was wrong.
asio::awaitable<void> end_politely(std::shared_ptr<asio::local::stream_protocol::socket> socket) {
    boost::system::error_code failure;
    socket->shutdown(asio::socket_base::shutdown_send, failure);
    std::vector<char> ignored(std::size_t{16} << 10U);
    for (std::size_t total = 0; !failure && total < ControlServer::most_ignored;) {
        const auto count =
            co_await socket->async_read_some(asio::buffer(ignored), asio::redirect_error(asio::use_awaitable, failure));
        total += count;
    }
}

}  // namespace

HttpAnswer json_answer(int status, const boost::json::object& body) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = model::compact(body) + "\n";
    return answer;
}

HttpAnswer error_answer(int status, const base::Error& error) {
    return json_answer(
        status,
        {{"error", {{"code", base::code_text(error.code())}, {"message", error.message()}, {"hint", error.hint()}}}});
}

ControlServer::ControlServer(asio::any_io_executor executor, std::filesystem::path socket, Handler handler)
    : executor_(executor),
      path_(std::move(socket)),
      handler_(std::move(handler)),
      acceptor_(bind_socket(executor, path_)),
      connections_(std::move(executor)) {}

ControlServer::~ControlServer() = default;

asio::awaitable<void> ControlServer::serve(async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_await accept_all(stop);
    } catch (...) {
        failure = std::current_exception();
    }
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    unlink(path_.c_str());
    while (connections_.running() > 0) {
        try {
            co_await connections_.join();
        } catch (const std::exception&) {
            // A connection that ended badly is its client's matter.
            continue;
        }
    }
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> ControlServer::accept_all(async::StopToken stop) {
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): it lives until the end of the scope
    const auto registration = stop.on_stop([this] {
        boost::system::error_code ignored;
        acceptor_.cancel(ignored);
    });
    for (;;) {
        stop.check();
        auto socket = std::make_shared<Socket>(executor_);
        boost::system::error_code failure;
        co_await acceptor_.async_accept(*socket, asio::redirect_error(asio::use_awaitable, failure));
        stop.check();
        if (failure) {  // out of descriptors, most likely: others end, then there are some again
            co_await async::sleep_for(std::chrono::milliseconds(200), stop);
            continue;
        }
        if (connections_.running() >= most_connections) continue;  // closed: 65 clients at once are no administrator
        connections_.spawn(converse(std::move(socket), stop));
    }
}

asio::awaitable<void> ControlServer::converse(std::shared_ptr<Socket> socket, async::StopToken stop) {
    // What a client does wrong, going away included, ends its connection and nothing else.
    const auto close = [socket] {
        boost::system::error_code ignored;
        socket->close(ignored);
    };
    const auto stopped = stop.on_stop(close);
    boost::beast::flat_buffer buffer(largest_head + largest_body);
    for (;;) {
        http::request_parser<http::string_body> parser;
        parser.header_limit(static_cast<std::uint32_t>(largest_head));
        parser.body_limit(largest_body);
        boost::system::error_code failure;
        {
            const async::Deadline idle(executor_, stop, idle_timeout, "a request");
            const auto registration = idle.token().on_stop(close);
            co_await http::async_read(*socket, buffer, parser, asio::redirect_error(asio::use_awaitable, failure));
        }
        HttpAnswer answer;
        bool keep_alive = false;
        if (failure == http::error::header_limit || failure == http::error::body_limit) {
            answer = error_answer(413, {base::ErrorCode::invalid_argument, "the request is too large",
                                        "a head may have 16 KiB, a body 64 KiB"});
        } else if (failure) {
            // A client that says nothing, or nonsense, or has gone.
            if (failure.category() != http::make_error_code(http::error::bad_method).category() ||
                failure == http::error::end_of_stream || failure == http::error::partial_message)
                co_return;
            answer = error_answer(400, {base::ErrorCode::invalid_argument, "this is no HTTP request", {}});
        } else {
            keep_alive = parser.get().keep_alive();
            auto request = understand(parser.get());
            if (request)
                answer = co_await handler_(std::move(*request));
            else
                answer = error_answer(400, request.error());
        }
        if (answer.events) {
            co_await send_events(executor_, socket, std::move(answer));
            co_return;
        }
        const auto message = to_message(answer, 11, keep_alive);
        {
            // A client that asks and does not read must not hold one of the few connections for ever.
            const async::Deadline patience(executor_, stop, idle_timeout, "a client's reading");
            const auto registration = patience.token().on_stop(close);
            co_await http::async_write(*socket, message, asio::redirect_error(asio::use_awaitable, failure));
        }
        if (failure) co_return;
        if (!keep_alive) {
            const async::Deadline patience(executor_, stop, farewell_timeout, "the client's farewell");
            const auto registration = patience.token().on_stop(close);
            co_await end_politely(socket);
            co_return;
        }
    }
}

}  // namespace pgbakd::service
