// How long the objects of a set are on a target: by one listing, and asked for where that is not as it should be.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "model/backup_set.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

using Sizes = std::map<std::string, std::uint64_t>;  // by key

// Errors: server_error of a list that does not end, and the target's.
asio::awaitable<Sizes> sizes_there(target::Target& target, model::SetId id, async::StopToken stop);

inline constexpr std::uint64_t not_there = std::numeric_limits<std::uint64_t>::max();
// The length of an object, or not_there. Where the listing says anything but `expected` the target is asked: some
// listings are behind. `there` must outlive it.
asio::awaitable<std::uint64_t> size_there(target::Target& target, const Sizes& there, std::string key,
                                          std::uint64_t expected, async::StopToken stop);

}  // namespace pgbakd::offsite
