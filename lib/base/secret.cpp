#include "base/secret.hpp"

#include <string.h>

#include <utility>

namespace pgbakd::base {

Secret::Secret(std::string text) noexcept : text_(std::move(text)) {}

Secret::Secret(const Secret& other) = default;

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {
    // A short string is copied, not moved: what stays behind is wiped.
    other.wipe();
}

Secret& Secret::operator=(Secret other) noexcept {
    text_.swap(other.text_);
    return *this;
}

Secret::~Secret() {
    wipe();
}

bool Secret::equals(std::string_view guess) const noexcept {
    unsigned difference = text_.size() == guess.size() ? 0U : 1U;
    for (std::size_t i = 0; i < guess.size(); ++i) {
        const auto expected = text_.empty() ? '\0' : text_[i % text_.size()];
        difference |= static_cast<unsigned char>(expected) ^ static_cast<unsigned char>(guess[i]);
    }
    return difference == 0;
}

void Secret::wipe() noexcept {
    // The whole buffer: a string that became shorter keeps its old end.
    text_.resize(text_.capacity());
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
}

}  // namespace pgbakd::base
