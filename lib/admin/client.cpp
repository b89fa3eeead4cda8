#include "admin/client.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "admin/json_view.hpp"
#include "admin/socket_stream.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint32_t largest_head = std::uint32_t{16} << 10U;
constexpr const char* restart_hint = "journalctl -u pgbakd may tell why";

using Parser = http::response_parser<http::buffer_body>;

// One request and the answer to it, read piece by piece.
class Exchange {
  public:
    Exchange(const std::filesystem::path& socket, const Client::Limits& limits)
        : socket_(socket), limits_(limits), stream_(socket, limits.connect) {
        stream_.set_patience(limits.answer);
        parser_.header_limit(largest_head);
        parser_.body_limit(boost::none);  // bounded by whoever takes the pieces
    }

    void set_patience(std::chrono::milliseconds patience, std::function<void()> on_silence) {
        stream_.set_patience(patience, std::move(on_silence));
    }
    void send(const char* method, const std::string& target) {
        http::request<http::empty_body> request;
        request.method_string(method);
        request.target(target);
        request.version(11);
        request.set(http::field::host, "localhost");
        request.set(http::field::user_agent, "pgbakctl/" PGBAKD_VERSION);
        request.set(http::field::accept, "application/json, text/event-stream");
        request.keep_alive(false);
        request.prepare_payload();
        error_code failure;
        http::write(stream_, request, failure);
        // A daemon that refuses early may close before it has read all; its answer is what counts then.
        if (failure && failure != asio::error::broken_pipe && failure != asio::error::connection_reset) fail(failure);
    }
    void read_head() {
        error_code failure;
        http::read_header(stream_, buffer_, parser_, failure);
        if (failure) fail(failure);
    }
    [[nodiscard]] int status() const { return static_cast<int>(parser_.get().result_int()); }
    [[nodiscard]] bool is_event_stream() const {
        return parser_.get()[http::field::content_type].starts_with("text/event-stream");
    }
    // Some bytes of the body; empty at its end.
    std::string_view read_piece(error_code& failure) {
        while (!parser_.is_done()) {
            auto& body = parser_.get().body();
            body.data = piece_.data();
            body.size = piece_.size();
            body.more = true;
            http::read_some(stream_, buffer_, parser_, failure);
            if (failure == http::error::need_buffer) failure = {};
            if (failure) return {};
            const auto count = piece_.size() - body.size;
            if (count > 0) return {piece_.data(), count};
        }
        return {};
    }
    Answer read_answer() {
        std::string text;
        for (;;) {
            error_code failure;
            const auto piece = read_piece(failure);
            if (failure) fail(failure);
            if (piece.empty()) break;
            text += piece;
            if (text.size() > limits_.body)
                throw strange(fmt::format("its answer is larger than {}", base::format_size(limits_.body)));
        }
        auto value = model::parse_json(text, limits_.body);
        if (!value || !value->is_object()) throw strange("its answer is no JSON object");
        return {status(), std::move(value->as_object())};
    }

  private:
    [[nodiscard]] Failure strange(const std::string& why) const {
        return not_reachable(socket_, why, "is another program listening there? look at api.socket");
    }
    [[noreturn]] void fail(const error_code& failure) const {
        if (failure == asio::error::timed_out)
            throw not_reachable(socket_, fmt::format("no answer within {}", base::format_duration(limits_.answer)),
                                "it may hang: systemctl status pgbakd");
        if (failure == http::error::end_of_stream || failure == http::error::partial_message ||
            failure == asio::error::eof || failure == asio::error::connection_reset ||
            failure == asio::error::broken_pipe)
            throw not_reachable(socket_, "it closed the connection before it had answered", restart_hint);
        if (failure.category() == http::make_error_code(http::error::bad_version).category())
            throw strange("what answers there does not speak HTTP");
        throw not_reachable(socket_, failure.message(), restart_hint);
    }

    const std::filesystem::path& socket_;
    const Client::Limits& limits_;
    SocketStream stream_;
    boost::beast::flat_buffer buffer_;
    Parser parser_;
    std::array<char, std::size_t{16} << 10U> piece_{};
};

ExitCode exit_code_of_status(int status) {
    switch (status) {
        case 400: return ExitCode::usage;
        case 404: return ExitCode::not_found;
        case 409: return ExitCode::busy;
        case 422: return ExitCode::configuration;
        case 503: return ExitCode::unreachable;  // it is stopping
        default: return ExitCode::failed;
    }
}

}  // namespace

Failure refusal(const Answer& answer) {
    const auto error = object_at(answer.body, "error");
    auto message = text_at(error, "message");
    if (message.empty()) message = fmt::format("the daemon refused with status {} and gave no reason", answer.status);
    return {exit_code_of_status(answer.status),
            {error_code_of(text_at(error, "code")), std::move(message), text_at(error, "hint")}};
}

std::string percent_encoded(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const bool plain = base::is_letter(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            result += c;
        else
            fmt::format_to(std::back_inserter(result), "%{:02X}", static_cast<unsigned char>(c));
    }
    return result;
}

std::function<void()> Client::ask_whether_it_lives() const {
    return [this] { (void)get("/v1/status"); };
}

Answer Client::ask(const char* method, const std::string& target, Wait wait) const {
    Exchange exchange(socket_, limits_);
    if (wait == Wait::endless) exchange.set_patience(limits_.silence, ask_whether_it_lives());
    exchange.send(method, target);
    exchange.read_head();
    return exchange.read_answer();
}

std::optional<Answer> Client::follow(const std::string& target, const OnEvent& on_event) const {
    Exchange exchange(socket_, limits_);
    exchange.send("GET", target);
    exchange.read_head();
    if (!exchange.is_event_stream()) return exchange.read_answer();
    exchange.set_patience(limits_.silence, ask_whether_it_lives());
    EventParser parser;
    for (;;) {
        error_code failure;
        const auto piece = exchange.read_piece(failure);
        if (failure || piece.empty()) return std::nullopt;
        for (const auto& event : parser.feed(piece))
            if (!on_event(event)) return std::nullopt;
    }
}

}  // namespace pgbakd::admin
