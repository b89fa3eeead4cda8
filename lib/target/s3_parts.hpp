// How large the parts of a multipart upload are, as pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.hpp"
#include "target/s3_answers.hpp"
#include "target/s3_profile.hpp"

namespace pgbakd::target {

// The memory for parts in flight and the one being filled, over one upload.
inline constexpr std::uint64_t part_memory = 120ULL * 1024 * 1024;
// Of one part: four of them are sent while a fifth is filled. A larger one waits in a file.
inline constexpr std::uint64_t most_in_memory = part_memory / 5;
// Of the disk, for parts in flight and the one being filled; three times a part where one is larger than a third of it.
inline constexpr std::uint64_t part_disk = 4ULL * 1024 * 1024 * 1024;

class PartPlan {
  public:
    // `expected`: the stream's length where it is known, or a good guess; a stream of twice that fits in any case, and
    // a longer one as far as the growth goes. `fixed`: the size that the configuration asks for; 0: as needed. `guess`:
    // of a length that is not known, where parts are equal and cannot grow with what was sent; 0: none. Error:
    // invalid_configuration for a fixed size that the provider does not take; no_space for a known length above the
    // provider's limit.
    [[nodiscard]] static base::Result<PartPlan> make(const S3Profile& profile, std::optional<std::uint64_t> expected,
                                                     std::uint64_t fixed = 0, std::uint64_t guess = 0);

    // The size of the part that follows `parts` parts with `sent` bytes; the stream's last part is what is left of it.
    // Parts are equal, where the provider or the configuration wants that; else they grow with what has been sent, so
    // that the number of parts suffices. Error: unsupported when no part can follow, with what to do.
    [[nodiscard]] base::Result<std::uint64_t> next(std::uint64_t parts, std::uint64_t sent) const;

    // The longest stream that fits. Equal parts: their size × their number. Parts that grow, to 5 GiB each: 12 TiB and
    // more in 10,000 of them, 1.7 TiB in 1,000, where nothing was expected.
    [[nodiscard]] std::uint64_t longest() const { return longest(0, 0); }

    // The plan of an upload that is gone on with: these are its first parts, in order, and equal ones stay equal.
    [[nodiscard]] PartPlan behind(std::span<const ListedPart> parts) const;
    // Whether so many parts may follow those that a stream of `size` bytes (0: not known) fits. Equal ones that were
    // begun when nothing was known of the length may turn out too small for it.
    [[nodiscard]] bool can_follow(std::span<const ListedPart> parts, std::uint64_t size) const;

  private:
    PartPlan(const S3Profile& profile, std::uint64_t first, bool grows, std::uint64_t expected)
        : profile_(&profile), first_(first), expected_(expected), grows_(grows) {}
    // The same behind `parts` parts with `sent` bytes.
    [[nodiscard]] std::uint64_t longest(std::uint64_t parts, std::uint64_t sent) const;

    const S3Profile* profile_;
    std::uint64_t first_;
    std::uint64_t expected_;
    bool grows_;
};

// How many of the parts that arrived of an earlier upload can be gone on behind: from the first without a gap, and of
// one size where the provider wants that. (A smaller one at the end is the stream's last: nothing follows it.)
[[nodiscard]] std::size_t usable_parts(const S3Profile& profile, std::span<const ListedPart> parts) noexcept;

// How many parts of that size may be in flight, `wanted` at most, while one more is filled: as the memory for parts
// allows, or the disk for those that do not go into memory. At least one, or two of the latter.
[[nodiscard]] std::uint64_t parts_in_flight(std::uint64_t part_size, std::uint64_t wanted) noexcept;

}  // namespace pgbakd::target
