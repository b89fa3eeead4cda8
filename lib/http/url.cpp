#include "http/url.hpp"

#include <curl/curl.h>

#include <memory>

#include "base/text.hpp"

namespace pgbakd::http {
namespace {

struct Cleanup {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
    void operator()(char* text) const noexcept { curl_free(text); }
};

std::optional<std::string> part(CURLU* url, CURLUPart what) {
    char* text = nullptr;
    if (curl_url_get(url, what, &text, 0) != CURLUE_OK || text == nullptr) return std::nullopt;
    const std::unique_ptr<char, Cleanup> owner(text);
    return base::to_lower(text);
}

}  // namespace

std::optional<Destination> destination_of(const std::string& url) {
    // An empty user is none to libcurl.
    const auto authority = url.find("://");
    if (authority == std::string::npos) return std::nullopt;
    const auto end = url.find_first_of("/?#\\", authority + 3);
    if (url.substr(0, end).find('@') != std::string::npos) return std::nullopt;
    const std::unique_ptr<CURLU, Cleanup> parsed(curl_url());
    if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return std::nullopt;
    if (part(parsed.get(), CURLUPART_USER) || part(parsed.get(), CURLUPART_PASSWORD)) return std::nullopt;
    auto scheme = part(parsed.get(), CURLUPART_SCHEME);
    auto host = part(parsed.get(), CURLUPART_HOST);
    if (!scheme || !host || host->empty()) return std::nullopt;
    return Destination{std::move(*scheme), std::move(*host)};
}

}  // namespace pgbakd::http
