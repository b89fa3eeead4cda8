#include "service/conversation.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "async/timer.hpp"
#include "service/request_reader.hpp"

namespace pgbakd::service {

namespace http = boost::beast::http;

struct Inbox {
    boost::beast::flat_buffer buffer{largest_head + largest_body};
};

namespace {

using ClientPtr = std::shared_ptr<Client>;
using boost::system::error_code;

void close(const ClientPtr& client) {
    error_code ignored;
    client->socket.close(ignored);
}

void interrupt(const ClientPtr& client) {
    error_code ignored;
    client->socket.cancel(ignored);
}

// A client that asks and does not read must not hold one of the few connections for ever; one behind a slow line may
// take its time for what is large.
std::chrono::milliseconds patience_for(std::size_t bytes) {
    return Conversations::idle_timeout + std::chrono::seconds(bytes / Conversations::slowest_reader);
}

asio::awaitable<void> send(asio::any_io_executor executor, ClientPtr client, std::string bytes) {
    const async::Deadline patience(executor, {}, patience_for(bytes.size()), "a client's reading");
    const auto registration = patience.token().on_stop([client] { close(client); });
    co_await asio::async_write(client->socket, asio::buffer(bytes), asio::use_awaitable);
}

asio::awaitable<void> send_chunk(asio::any_io_executor executor, ClientPtr client, std::string piece) {
    auto chunk = fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
    co_await send(std::move(executor), std::move(client), std::move(chunk));
}

asio::awaitable<void> send_events(asio::any_io_executor executor, ClientPtr client, HttpAnswer answer, bool chunked) {
    auto head = head_text(answer, chunked ? Framing::chunked : Framing::until_close, false);
    co_await send(executor, client, std::move(head));
    const EventWriter in_chunks = [executor, client](std::string piece) {
        return send_chunk(executor, client, std::move(piece));
    };
    const EventWriter as_it_is = [executor, client](std::string piece) {
        return send(executor, client, std::move(piece));
    };
    const auto writer = chunked ? in_chunks : as_it_is;
    co_await answer.events(writer);
    std::string last = "0\r\n\r\n";
    if (chunked) co_await send(executor, client, std::move(last));
}

// The pieces are not put together first: an answer of megabytes is the same text for all who ask.
asio::awaitable<bool> send_answer(asio::any_io_executor executor, ClientPtr client, HttpAnswer answer,
                                  bool keep_alive) {
    const auto framing = answer.events ? Framing::until_close : Framing::length;  // HEAD of a stream
    const auto head = head_text(answer, framing, keep_alive);
    std::vector<asio::const_buffer> pieces{asio::buffer(head)};
    if (!answer.head_only)
        for (const auto& piece : answer.body) pieces.push_back(asio::buffer(*piece));
    const async::Deadline patience(executor, {}, patience_for(answer.size()), "a client's reading");
    const auto registration = patience.token().on_stop([client] { close(client); });
    error_code failure;
    co_await asio::async_write(client->socket, pieces, asio::redirect_error(asio::use_awaitable, failure));
    co_return !failure;
}

// Says that no more comes, and reads what the client still sends: a socket closed with unread bytes resets the
// connection, and the client would lose the answer that tells it what was wrong.
asio::awaitable<void> end_politely(asio::any_io_executor executor, ClientPtr client) {
    const async::Deadline patience(executor, {}, Conversations::farewell_timeout, "the client's farewell");
    const auto registration = patience.token().on_stop([client] { close(client); });
    error_code failure;
    client->socket.shutdown(asio::socket_base::shutdown_send, failure);
    std::vector<char> ignored(std::size_t{16} << 10U);
    for (std::size_t total = 0; !failure && total < Conversations::most_ignored;) {
        const auto count = co_await client->socket.async_read_some(asio::buffer(ignored),
                                                                   asio::redirect_error(asio::use_awaitable, failure));
        total += count;
    }
}

// Stops `source` when the client goes away, for as long as it has sent nothing further.
void watch(const ClientPtr& client, const std::shared_ptr<async::StopSource>& source) {
    client->socket.async_wait(asio::socket_base::wait_read, [client, source](const error_code& failure) {
        if (failure) return;
        char next = 0;
        if (recv(client->socket.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            source->stop({base::ErrorCode::cancelled, "the client has gone"});
    });
}

HttpAnswer no_token(bool given) {
    auto answer = error_answer(
        401, {base::ErrorCode::authentication_failed, given ? "the token is not the right one" : "a token is needed",
              "send the header Authorization: Bearer …, with what api.token says"});
    answer.headers.emplace_back("WWW-Authenticate",
                                given ? R"(Bearer realm="pgbakd", error="invalid_token")" : R"(Bearer realm="pgbakd")");
    return answer;
}

HttpAnswer too_slow() {
    return error_answer(408, {base::ErrorCode::timed_out, "the request took too long to come",
                              fmt::format("head and body may take {} s each", Conversations::idle_timeout.count())});
}

HttpAnswer too_many() {
    auto answer = error_answer(
        503, {base::ErrorCode::conflict,
              fmt::format("{} clients are connected, and all are being served", Conversations::most_connections),
              "try again in a while; requests that wait or follow events hold a connection each"});
    answer.headers.emplace_back("Retry-After", "5");
    return answer;
}

}  // namespace

Conversations::Conversations(asio::any_io_executor executor, Handler handler, Admits admits)
    : executor_(executor), handler_(std::move(handler)), admits_(std::move(admits)), tasks_(std::move(executor)) {}

bool Conversations::make_room() {
    if (clients_.size() < most_connections) return true;
    const auto ripe = std::chrono::steady_clock::now() - spared;
    ClientPtr least;
    const auto gives_way_before = [](const Client& one, const Client& other) {
        return std::tuple(one.admitted, !one.parting, one.since) <
               std::tuple(other.admitted, !other.parting, other.since);
    };
    for (const auto& client : clients_)
        if ((client->parting || (client->waits_for_it && client->since < ripe)) &&
            (!least || gives_way_before(*client, *least)))
            least = client;
    if (!least) return false;
    close(least);
    clients_.remove(least);
    return true;
}

void Conversations::take(StreamSocket socket, std::string from, async::StopToken stop) {
    auto client = std::make_shared<Client>(std::move(socket), std::move(from));
    constexpr std::size_t most_refused = 16;
    if (make_room()) {
        clients_.push_back(client);
        tasks_.spawn(converse(std::move(client), std::move(stop)));
    } else if (refusing_ < most_refused) {
        ++refusing_;
        tasks_.spawn(refuse(std::move(client), std::move(stop)));
    }
}

asio::awaitable<void> Conversations::join() {
    co_await tasks_.settle();  // a connection that ended badly is its client's matter
}

asio::awaitable<void> Conversations::refuse(ClientPtr client, async::StopToken stop) {
    const auto stopped = stop.on_stop([client] { close(client); });
    std::exception_ptr failure;
    try {
        auto answer = too_many();
        if (co_await send_answer(executor_, client, std::move(answer), false)) co_await end_politely(executor_, client);
    } catch (...) {
        failure = std::current_exception();
    }
    --refusing_;
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> Conversations::converse(ClientPtr client, async::StopToken stop) {
    // What a client does wrong, going away included, ends its connection and nothing else.
    const auto stopped = stop.on_stop([client] { close(client); });
    const auto inbox = std::make_shared<Inbox>();
    std::exception_ptr failure;
    try {
        while (co_await exchange(client, inbox, stop)) {
            client->waits_for_it = true;
            client->since = std::chrono::steady_clock::now();
        }
    } catch (...) {
        failure = std::current_exception();
    }
    clients_.remove(client);
    close(client);
    if (failure) std::rethrow_exception(failure);
}

asio::awaitable<bool> Conversations::exchange(ClientPtr client, std::shared_ptr<Inbox> inbox, async::StopToken stop) {
    RequestReader reader;
    auto& parser = reader.parser();
    error_code failure;
    std::optional<HttpAnswer> refusal;
    // A total for the whole head, so that a byte now and then holds nothing open.
    {
        const async::Deadline deadline(executor_, {}, idle_timeout, "a request");
        const auto registration = deadline.token().on_stop([client] { interrupt(client); });
        co_await http::async_read_header(client->socket, inbox->buffer, parser,
                                         asio::redirect_error(asio::use_awaitable, failure));
        if (failure == asio::error::operation_aborted && (parser.got_some() || inbox->buffer.size() > 0))
            refusal = too_slow();
    }
    client->waits_for_it = false;
    if (failure && !refusal) refusal = RequestReader::refusal(failure);
    if (failure && !refusal) co_return false;
    if (!refusal && admits_) {
        // Before its body is read: who may not ask is not listened to.
        const auto authorization = reader.authorization();
        if (!admits_(authorization, client->from)) refusal = no_token(!authorization.empty());
    }
    if (!refusal) client->admitted = true;
    if (!refusal && reader.expects_continue()) {
        std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await send(executor_, client, std::move(go_on));
    }
    if (!refusal && !parser.is_done()) {
        const async::Deadline deadline(executor_, {}, idle_timeout, "a request's body");
        const auto registration = deadline.token().on_stop([client] { interrupt(client); });
        co_await http::async_read(client->socket, inbox->buffer, parser,
                                  asio::redirect_error(asio::use_awaitable, failure));
        if (failure == asio::error::operation_aborted)
            refusal = too_slow();
        else if (failure)
            refusal = RequestReader::refusal(failure);
        if (failure && !refusal) co_return false;
    }
    HttpAnswer answer;
    bool keep_alive = false;
    const bool chunked = !refusal && !reader.is_http_1_0();
    if (refusal) {
        answer = std::move(*refusal);
    } else {
        keep_alive = reader.keep_alive();
        auto request = reader.request();
        if (!request) {
            answer = error_answer(400, request.error());
        } else {
            const auto gone = std::make_shared<async::StopSource>(stop);
            watch(client, gone);
            request->stop = gone->token();
            answer = co_await handler_(std::move(*request));
            interrupt(client);
        }
    }
    if (answer.events && !answer.head_only) {
        co_await send_events(executor_, client, std::move(answer), chunked);
        co_return false;
    }
    if (!co_await send_answer(executor_, client, std::move(answer), keep_alive)) co_return false;
    client->parting = !keep_alive;
    if (!keep_alive) co_await end_politely(executor_, client);
    co_return keep_alive;
}

}  // namespace pgbakd::service
