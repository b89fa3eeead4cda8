#include "service/http_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>

#include "model/json.hpp"
#include "service/request_reader.hpp"

namespace pgbakd::service {
namespace {

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string result;
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

// A client that believes to speak to a proxy says "http://host/path".
std::string_view without_authority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        const auto path = target.find_first_of("/?", scheme.size());
        return path == std::string_view::npos ? "/" : target.substr(path);
    }
    return target;
}

}  // namespace

base::Status read_target(std::string_view target, HttpRequest& request) {
    const base::Error wrong(base::ErrorCode::invalid_argument, "the request's target cannot be read",
                            "percent-encode what is no letter, digit, \"-\", \".\", \"_\" or \"~\"");
    target = without_authority(target);
    const auto mark = std::min(target.find('?'), target.size());
    auto path = percent_decoded(target.substr(0, mark));
    if (!path) return wrong;
    request.path = std::move(*path);
    auto rest = target.substr(std::min(target.size(), mark + 1));
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto key = percent_decoded(pair.substr(0, equals));
        auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
        if (!key || !value) return wrong;
        request.query.emplace_back(std::move(*key), std::move(*value));
    }
    return {};
}

std::size_t HttpAnswer::size() const noexcept {
    std::size_t total = 0;
    for (const auto& piece : body) total += piece->size();
    return total;
}

std::string HttpAnswer::text() const {
    std::string whole;
    for (const auto& piece : body) whole += *piece;
    return whole;
}

HttpAnswer text_answer(int status, std::string body) {
    HttpAnswer answer;
    answer.status = status;
    answer.body.push_back(std::make_shared<const std::string>(std::move(body)));
    return answer;
}

HttpAnswer json_answer(int status, const boost::json::object& body) {
    return text_answer(status, model::compact(body) + "\n");
}

HttpAnswer error_answer(int status, const base::Error& error) {
    return json_answer(status, {{"error",
                                 {{"code", base::code_text(error.code())},
                                  {"message", model::json_text(error.message())},
                                  {"hint", model::json_text(error.hint())}}}});
}

std::string head_text(const HttpAnswer& answer, Framing framing, bool keep_alive) {
    const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
    auto text = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, std::string_view(reason.data(), reason.size()));
    constexpr int no_content = 204;
    if (answer.status != no_content) {
        text += fmt::format("Content-Type: {}\r\n", answer.content_type);
        if (framing == Framing::length) text += fmt::format("Content-Length: {}\r\n", answer.size());
        if (framing == Framing::chunked) text += "Transfer-Encoding: chunked\r\n";
    }
    text += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    for (const auto& [name, value] : answer.headers) text += fmt::format("{}: {}\r\n", name, value);
    text += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return text;
}

Understood understand(std::string_view bytes) {
    RequestReader reader;
    return reader.read_whole(bytes);
}

}  // namespace pgbakd::service
