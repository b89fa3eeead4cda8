#include "offsite/sizes_there.hpp"

#include "offsite/keys.hpp"
#include "offsite/remote_sets.hpp"
#include "target/listing.hpp"

namespace pgbakd::offsite {

asio::awaitable<Sizes> sizes_there(target::Target& target, model::SetId id, async::StopToken stop) {
    Sizes there;
    target::Listing listing(target, prefix_of(id), most_in_a_set);
    while (co_await listing.next(stop))
        for (const auto& entry : listing.entries()) there[entry.key] = entry.size;
    co_return there;
}

asio::awaitable<std::uint64_t> size_there(target::Target& target, const Sizes& there, std::string key,
                                          std::uint64_t expected, async::StopToken stop) {
    const auto listed = there.find(key);
    if (listed != there.end() && listed->second == expected) co_return expected;
    const auto found = co_await target.stat(std::move(key), target::Detail::plain, stop);
    co_return found ? found->size : not_there;
}

}  // namespace pgbakd::offsite
