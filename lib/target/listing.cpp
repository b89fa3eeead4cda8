#include "target/listing.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgbakd::target {
namespace {

constexpr std::size_t page_size = 1000;

std::string shown(std::string_view text) {
    return base::printable(base::clamp_utf8(text, 100));
}

}  // namespace

void ListingGuard::refuse(const std::string& why) const {
    throw base::Error(base::ErrorCode::server_error, fmt::format("the listing of {} does not end: {}", what_, why),
                      "that is a fault of the server, or of a proxy before it");
}

void ListingGuard::see(std::string_view key) {
    if (any_ && key <= last_) refuse(fmt::format("\"{}\" comes behind \"{}\"", shown(key), shown(last_)));
    any_ = true;
    last_ = key;
}

void ListingGuard::turn(std::size_t entries, std::string_view next) {
    // A page without any may be one of others' objects; it counts as a full one, so that they come to an end too.
    seen_ += entries > 0 ? entries : page_size;
    if (seen_ > most_ && !next.empty()) refuse(fmt::format("more than {} entries", most_));
    if (!next.empty() && next == next_) refuse("the same page is to come again");
    next_ = next;
}

Listing::Listing(Target& target, std::string prefix, std::uint64_t most)
    : target_(target),
      prefix_(std::move(prefix)),
      guard_(prefix_.empty() ? std::string("all that is there") : prefix_, most) {}

asio::awaitable<bool> Listing::next(async::StopToken stop) {
    if (over_) co_return false;
    auto page = co_await target_.list(prefix_, page_.next, page_size, stop);
    for (const auto& entry : page.entries) guard_.see(entry.key);
    guard_.turn(page.entries.size(), page.next);
    over_ = page.next.empty();
    page_ = std::move(page);
    co_return true;
}

}  // namespace pgbakd::target
