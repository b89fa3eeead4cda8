#include "target/s3_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"

namespace pgbakd::target {
namespace {

constexpr std::uint64_t mib = 1024ULL * 1024;
// Large enough that a request's overhead does not count, small enough that five of them are no matter; larger where
// few parts are allowed.
constexpr std::uint64_t usual_part = 5 * mib;
constexpr std::uint64_t usual_part_of_few = 8 * mib;
constexpr std::uint64_t few_parts = 1000;
// Where parts are equal and nothing is known of the length: as large as memory takes them.
constexpr std::uint64_t usual_equal_part = most_in_memory;

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) noexcept {
    return value / by + (value % by == 0 ? 0 : 1);
}

constexpr std::uint64_t whole_mib(std::uint64_t bytes) noexcept {
    return divide_up(bytes, mib) * mib;
}

std::uint64_t within(const S3Profile& profile, std::uint64_t part) {
    return std::min(std::max(part, profile.least_part), profile.most_part);
}

base::Error too_large(const S3Profile& profile, std::uint64_t bytes) {
    return {base::ErrorCode::no_space,
            fmt::format("{} are more than an object may have with provider {} ({})", base::format_size(bytes),
                        profile.name, base::format_size(profile.most_object)),
            "back up fewer databases per artifact, or compress more"};
}

}  // namespace

base::Result<PartPlan> PartPlan::make(const S3Profile& profile, std::optional<std::uint64_t> expected,
                                      std::uint64_t fixed, std::uint64_t guess) {
    if (expected && *expected > profile.most_object) return too_large(profile, *expected);
    if (fixed != 0) {
        if (fixed < profile.least_part || fixed > profile.most_part)
            return base::Error(
                base::ErrorCode::invalid_configuration,
                fmt::format("provider {} does not take parts of {}", profile.name, base::format_size(fixed)),
                fmt::format("part_size: {} to {}, or auto", base::format_size(profile.least_part),
                            base::format_size(profile.most_part)));
        return PartPlan(profile, fixed, !profile.equal_parts, expected.value_or(0));
    }
    // For twice the length: half of the parts are left for a stream that turns out longer.
    const auto guessed = profile.equal_parts ? std::min(guess, profile.most_object) : 0;
    const auto needed = 2 * whole_mib(divide_up(expected.value_or(guessed), profile.most_parts));
    const auto usual = profile.most_parts <= few_parts ? usual_part_of_few : usual_part;
    const auto least = profile.equal_parts && !expected ? usual_equal_part : usual;
    return PartPlan(profile, within(profile, std::max(least, needed)), !profile.equal_parts, expected.value_or(0));
}

base::Result<std::uint64_t> PartPlan::next(std::uint64_t parts, std::uint64_t sent) const {
    const auto room = profile_->most_object - std::min(sent, profile_->most_object);
    if (room == 0) return too_large(*profile_, sent + 1);
    if (parts >= profile_->most_parts)
        return base::Error(
            base::ErrorCode::unsupported,
            fmt::format("{} parts hold {}, and provider {} takes no more parts", parts, base::format_size(sent),
                        profile_->name),
            grows_ ? "back up fewer databases per artifact, or compress more" : "choose a larger part_size");
    if (!grows_) return std::min(first_, room);
    // Beyond what was expected, a tenth of the parts at the first size, then each part in proportion to what was sent:
    // exponential growth by 1 + 10 / most_parts per part, so that most_parts of them reach 10 % × e^9, 810 times, what
    // equal ones would; the half that is left of a length that was known, e^4, 54 times 10 %.
    const auto beyond = sent - std::min(sent, expected_);
    const auto grown = whole_mib(beyond / std::max<std::uint64_t>(1, profile_->most_parts / 10));
    return std::min(within(*profile_, std::max(first_, grown)), room);
}

PartPlan PartPlan::behind(std::span<const ListedPart> parts) const {
    auto plan = *this;
    if (!parts.empty() && profile_->equal_parts) plan.first_ = parts.front().size;
    return plan;
}

bool PartPlan::can_follow(std::span<const ListedPart> parts, std::uint64_t size) const {
    std::uint64_t sent = 0;
    for (const auto& part : parts) sent += part.size;
    return sent >= size || behind(parts).longest(parts.size(), sent) >= size;
}

std::uint64_t PartPlan::longest(std::uint64_t parts, std::uint64_t sent) const {
    for (; parts < profile_->most_parts; ++parts) {
        const auto part = next(parts, sent);
        if (!part) break;
        sent += *part;
    }
    return sent;
}

std::size_t usable_parts(const S3Profile& profile, std::span<const ListedPart> parts) noexcept {
    const auto is_usable = [&](std::size_t i) {
        const bool equal = i == 0 || !profile.equal_parts || parts[i].size == parts.front().size;
        return parts[i].number == i + 1 && equal;
    };
    std::size_t count = 0;
    while (count < parts.size() && is_usable(count)) ++count;
    return count;
}

std::uint64_t parts_in_flight(std::uint64_t part_size, std::uint64_t wanted) noexcept {
    const bool in_memory = part_size <= most_in_memory;
    const auto fit = (in_memory ? part_memory : part_disk) / std::max<std::uint64_t>(1, part_size);
    const std::uint64_t least = in_memory ? 1 : 2;
    return std::min(std::max(fit, least + 1) - 1, std::max<std::uint64_t>(wanted, 1));
}

}  // namespace pgbakd::target
