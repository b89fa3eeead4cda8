#include "http/message.hpp"

#include "base/text.hpp"

namespace pgbakd::http {

std::optional<std::string_view> Response::header(std::string_view name) const noexcept {
    for (const auto& entry : headers) {
        if (entry.name == name) return entry.value;
    }
    return std::nullopt;
}

std::string origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return "the URL";
    const auto begin = scheme + 3;
    const auto end = std::min(url.find_first_of("/?#\\", begin), url.size());
    auto authority = url.substr(begin, end - begin);
    if (const auto user = authority.rfind('@'); user != std::string_view::npos) authority.remove_prefix(user + 1);
    if (authority.empty()) return "the URL";
    return base::printable(std::string(url.substr(0, begin)) + std::string(authority));
}

}  // namespace pgbakd::http
