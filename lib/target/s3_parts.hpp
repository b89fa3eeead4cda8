// How large the parts of a multipart upload are, as pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "target/s3_profile.hpp"

namespace pgbakd::target {

// The memory for parts in flight and the one being filled, over one upload.
inline constexpr std::uint64_t part_memory = 120ULL * 1024 * 1024;

class PartPlan {
  public:
    // `expected`: the stream's length where it is known, or a good guess; it fits if it is right, and a stream that is
    // longer fits as far as the growth goes. `fixed`: the size that the configuration asks for; 0: as needed.
    // Error: invalid_configuration for a fixed size that the provider does not take; no_space for a known length
    // above the provider's limit.
    [[nodiscard]] static base::Result<PartPlan> make(const S3Profile& profile, std::optional<std::uint64_t> expected,
                                                     std::uint64_t fixed = 0);

    // The size of the part that follows `parts` parts with `sent` bytes; the stream's last part is what is left of it.
    // Parts are equal, where the provider or the configuration wants that; else they grow with what has been sent, so
    // that the number of parts suffices. Error: unsupported when no part can follow, with what to do.
    [[nodiscard]] base::Result<std::uint64_t> next(std::uint64_t parts, std::uint64_t sent) const;

    // The longest stream that fits. Equal parts: their size × their number. Parts that grow, to 5 GiB each: 12 TiB and
    // more in 10,000 of them, 1.7 TiB in 1,000, where nothing was expected.
    [[nodiscard]] std::uint64_t longest() const;

  private:
    PartPlan(const S3Profile& profile, std::uint64_t first, bool grows)
        : profile_(&profile), first_(first), grows_(grows) {}
    const S3Profile* profile_;
    std::uint64_t first_;
    bool grows_;
};

// How many parts of that size may be in memory at once: at least one, at most `wanted`. Parts of more than part_memory
// do not fit and have to be read from a file while they are sent.
[[nodiscard]] std::uint64_t parts_in_flight(std::uint64_t part_size, std::uint64_t wanted) noexcept;

}  // namespace pgbakd::target
