// A request as the routes see it, and an answer as they give it. Pure: nothing here touches a socket.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/error.hpp"
#include "base/result.hpp"

namespace pgbakd::service {

using Query = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;  // "GET"
    std::string path;    // decoded, without the query
    Query query{};       // decoded, in its order
    std::string body{};
    async::StopToken stop{};  // the client has gone, or the daemon stops
};

// Path and query of a request's target (RFC 9112, section 3.2), percent-decoded. Error: invalid_argument.
[[nodiscard]] base::Status read_target(std::string_view target, HttpRequest& request);

// Writes pieces of an endless answer; throws when the client has gone.
using EventWriter = std::function<asio::awaitable<void>(std::string)>;
using Text = std::shared_ptr<const std::string>;

struct HttpAnswer {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{};  // beside those that every answer has
    std::vector<Text> body{};                                    // one piece behind the other
    bool head_only = false;                                      // the head tells of a body that is not sent
    // Instead of the body: writes server-sent events until it returns.
    std::function<asio::awaitable<void>(EventWriter)> events{};

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::string text() const;  // the whole body
};

[[nodiscard]] HttpAnswer text_answer(int status, std::string body);
[[nodiscard]] HttpAnswer json_answer(int status, const boost::json::object& body);
[[nodiscard]] HttpAnswer error_answer(int status, const base::Error& error);

// Status line and headers, to the empty line. `chunked`: the body comes in chunks, its size is not told.
enum class Framing { length, chunked, until_close };
[[nodiscard]] std::string head_text(const HttpAnswer& answer, Framing framing, bool keep_alive);

// What a server makes of the bytes of one whole request, without a server: the request, or the answer that refuses it.
struct Understood {
    HttpRequest request;
    std::string authorization;            // the header
    std::optional<HttpAnswer> refusal{};  // then the request says nothing
};
[[nodiscard]] Understood understand(std::string_view bytes);

}  // namespace pgbakd::service
