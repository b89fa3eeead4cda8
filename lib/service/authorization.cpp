#include "service/authorization.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgbakd::service {

codec::Sha256Digest TokenGuard::digest(std::string_view text) const {
    return codec::hmac_sha256(key_, std::as_bytes(std::span(text)));
}

void TokenGuard::set_token(const base::Secret& token) {
    token_.reset();
    if (!token.empty()) token_ = digest(token.reveal());
}

bool TokenGuard::admits(std::string_view authorization) const {
    constexpr std::string_view scheme = "bearer ";
    if (base::to_lower(authorization.substr(0, scheme.size())) != scheme) return false;
    const auto guess = digest(base::trim(authorization.substr(scheme.size())));
    if (!token_) return false;
    auto difference = std::byte{0};
    for (std::size_t i = 0; i < guess.size(); ++i) difference |= guess[i] ^ (*token_)[i];
    return difference == std::byte{0};
}

std::string Refusals::take_line() {
    auto line = fmt::format("the API refused {} without the right token, the last one from {}",
                            base::counted(count_, "request"), base::printable(last_));
    count_ = 0;
    return line;
}

}  // namespace pgbakd::service
