#include "codec/wal_segments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace pgbakd::codec {

namespace {

constexpr std::uint64_t per_log = std::uint64_t{1} << 32U;  // bytes of WAL with the same middle part in their names

}  // namespace

std::optional<WalSegments::Segment> WalSegments::parse(std::string_view name) const {
    const auto is_digit = [](char c) { return base::is_digit(c) || (c >= 'A' && c <= 'F'); };
    if (name.size() != 24 || !std::all_of(name.begin(), name.end(), is_digit)) return std::nullopt;
    const auto part = [name](std::size_t at) {
        std::uint32_t value = 0;
        std::from_chars(name.data() + at, name.data() + at + 8, value, 16);
        return value;
    };
    const auto within = part(16);
    if (within >= per_log / size_) return std::nullopt;
    return Segment{part(0), part(8) * (per_log / size_) + within};
}

std::string WalSegments::name_of(const Segment& segment) const {
    const auto each = per_log / size_;
    return fmt::format("{:08X}{:08X}{:08X}", segment.timeline, segment.number / each, segment.number % each);
}

void WalSegments::add(const Segment& segment) {
    for (auto& run : runs_) {
        if (run.timeline != segment.timeline || run.last + 1 != segment.number) continue;
        run.last = segment.number;
        return;
    }
    runs_.push_back({segment.timeline, segment.number, segment.number});
}

const WalSegments::Run* WalSegments::find(const Segment& segment) const {
    const auto found = std::find_if(runs_.begin(), runs_.end(), [&segment](const Run& run) {
        return run.timeline == segment.timeline && run.first <= segment.number && segment.number <= run.last;
    });
    return found == runs_.end() ? nullptr : &*found;
}

std::string WalSegments::first_missing(std::span<const WalRange> ranges) const {
    for (const auto& range : ranges) {
        const auto last = (range.end > range.begin ? range.end - 1 : range.begin) / size_;
        for (auto number = range.begin / size_; number <= last;) {
            if (const auto* run = find({range.timeline, number})) {
                number = run->last + 1;
                continue;
            }
            const bool elsewhere =
                number == last && std::any_of(ranges.begin(), ranges.end(), [&](const WalRange& other) {
                    return other.timeline > range.timeline && find({other.timeline, number}) != nullptr;
                });
            if (!elsewhere) return name_of({range.timeline, number});
            ++number;
        }
    }
    return {};
}

}  // namespace pgbakd::codec
