// Whether a target holds what was sent, where it cannot tell itself: parts of the object are read and compared.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "offsite/local_file.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

// Which ranges of an object of that length are read: its first and last mebibyte and four random blocks of 64 KiB in
// between, in order and without overlap; all of it where that is no more. The last one is open: how much comes of it
// tells the object's length. Pure but for `random`.
[[nodiscard]] std::vector<target::Range> sampled_ranges(std::uint64_t length,
                                                        const std::function<std::uint64_t()>& random);

// Compares those ranges of the object with the local file, of `length` bytes. Errors: corrupt, with the offset of the
// first difference, or where it is shorter or longer; not_found.
asio::awaitable<void> compare_samples(target::Target& target, async::Pool& pool, std::string key,
                                      std::shared_ptr<const LocalFile> file, std::uint64_t length,
                                      std::vector<target::Range> ranges, async::StopToken stop);

}  // namespace pgbakd::offsite
