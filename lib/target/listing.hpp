// A list to its end, from a server that may be wrong: it never goes on for ever, and takes no more memory than a page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "target/target.hpp"

namespace pgbakd::target {

// What no place that holds backups has more of, and nobody should wait for.
inline constexpr std::uint64_t most_listed = 10'000'000;

// Whether a list that comes page by page gets on. Pure. Error: server_error, "the listing of … does not end".
class ListingGuard {
  public:
    explicit ListingGuard(std::string what, std::uint64_t most = most_listed) : what_(std::move(what)), most_(most) {}

    // Each key of the pages, which ascend in the order of their bytes.
    void see(std::string_view key);
    // The end of a page of that many entries; `next` is where the following one begins, empty behind the last.
    void turn(std::size_t entries, std::string_view next);

  private:
    [[noreturn]] void refuse(const std::string& why) const;

    std::string what_;
    std::uint64_t most_;
    std::uint64_t seen_ = 0;
    bool any_ = false;
    std::string last_;
    std::string next_;
};

// The objects of a target under a prefix, page by page:
//
//     Listing listing(target, prefix);
//     while (co_await listing.next(stop))
//         for (const auto& entry : listing.entries()) …
//
// The target must outlive it. Errors: the target's, and the guard's.
class Listing {
  public:
    Listing(Target& target, std::string prefix, std::uint64_t most = most_listed);
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;

    // Whether there was another page, which entries() then has.
    asio::awaitable<bool> next(async::StopToken stop);
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return page_.entries; }

  private:
    Target& target_;
    std::string prefix_;
    ListingGuard guard_;
    Page page_;
    bool over_ = false;
};

}  // namespace pgbakd::target
