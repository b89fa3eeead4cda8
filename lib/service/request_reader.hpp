// Reads requests by Beast's parser, within the limits of the API, and says how one that cannot be read is refused. The
// connection hands it what it receives; a test hands it bytes.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "service/http_message.hpp"

namespace pgbakd::service {

inline constexpr std::size_t largest_head = std::size_t{16} << 10U;
inline constexpr std::size_t largest_body = std::size_t{64} << 10U;

class RequestReader {
  public:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
    RequestReader();

    [[nodiscard]] Parser& parser() noexcept { return parser_; }
    [[nodiscard]] std::string authorization() const;
    [[nodiscard]] bool expects_continue() const;
    // Where its body ends is anybody's guess (RFC 9112, section 6.3), and so where the next request begins.
    [[nodiscard]] bool is_framed_strangely() const;
    [[nodiscard]] bool keep_alive() const { return parser_.get().keep_alive() && !is_framed_strangely(); }
    [[nodiscard]] bool is_http_1_0() const { return parser_.get().version() < 11; }

    // The request that was read, or why it is none.
    [[nodiscard]] base::Result<HttpRequest> request();
    // The answer to bytes that are no request; nothing: the client has gone, or never said a word.
    [[nodiscard]] static std::optional<HttpAnswer> refusal(const boost::system::error_code& failure);

    [[nodiscard]] Understood read_whole(std::string_view bytes);

  private:
    Parser parser_;
};

}  // namespace pgbakd::service
