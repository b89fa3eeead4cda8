#include "service/request_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

namespace pgbakd::service {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

HttpAnswer no_request() {
    return error_answer(400, {base::ErrorCode::invalid_argument, "this is no HTTP request",
                              "as in: GET /v1/status HTTP/1.1, a Host header, an empty line"});
}

}  // namespace

RequestReader::RequestReader() {
    parser_.header_limit(static_cast<std::uint32_t>(largest_head));
    parser_.body_limit(largest_body);
}

std::string RequestReader::authorization() const {
    const auto& head = parser_.get();
    // Of two, a proxy may have looked at the other one.
    return head.count(http::field::authorization) == 1 ? std::string(view(head[http::field::authorization])) : "";
}

bool RequestReader::is_framed_strangely() const {
    return parser_.get().count(http::field::transfer_encoding) > 0 && !parser_.chunked();
}

bool RequestReader::expects_continue() const {
    return boost::beast::iequals(parser_.get()[http::field::expect], "100-continue");
}

base::Result<HttpRequest> RequestReader::request() {
    if (is_framed_strangely())
        return base::Error(base::ErrorCode::invalid_argument, "the request's Transfer-Encoding is not chunked",
                           "send a body with its Content-Length");
    HttpRequest request;
    request.method = std::string(view(parser_.get().method_string()));
    if (auto read = read_target(view(parser_.get().target()), request); !read) return read.error();
    request.body = std::move(parser_.get().body());
    return request;
}

std::optional<HttpAnswer> RequestReader::refusal(const boost::system::error_code& failure) {
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow)
        return error_answer(431, {base::ErrorCode::invalid_argument, "the request's head is too large",
                                  "request line and headers may have 16 KiB in all"});
    if (failure == http::error::body_limit)
        return error_answer(
            413, {base::ErrorCode::invalid_argument, "the request's body is too large", "a body may have 64 KiB"});
    if (failure == http::error::end_of_stream || failure == http::error::partial_message ||
        failure.category() != http::make_error_code(http::error::bad_method).category())
        return std::nullopt;
    return no_request();
}

Understood RequestReader::read_whole(std::string_view bytes) {
    Understood result;
    boost::system::error_code failure;
    parser_.eager(true);
    while (!failure && !parser_.is_done() && !bytes.empty()) {
        const auto taken = parser_.put(asio::buffer(bytes.data(), bytes.size()), failure);
        bytes.remove_prefix(taken);
        if (failure == http::error::need_more || (!failure && taken == 0)) break;
    }
    // As a client that goes away in the middle: nobody is left to be answered.
    if (failure == http::error::need_more || (!failure && !parser_.is_done())) failure = http::error::partial_message;
    if (failure) {
        result.refusal = refusal(failure).value_or(no_request());
        return result;
    }
    result.authorization = authorization();
    auto read = request();
    if (read)
        result.request = std::move(*read);
    else
        result.refusal = error_answer(400, read.error());
    return result;
}

}  // namespace pgbakd::service
