#include "base/identifier.hpp"

#include <algorithm>
#include <cstdint>

namespace pgbakd::base {
namespace {
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t length = 26;
}  // namespace

RunId RunId::make(Timestamp now, const std::array<std::byte, 10>& random) {
    const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
    std::string text;
    text.reserve(length);
    for (unsigned i = 0; i < 10; ++i) text += alphabet[milliseconds >> (45U - 5U * i) & 31U];
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const auto byte : random) {
        bits = bits << 8U | std::to_integer<std::uint32_t>(byte);
        for (held += 8; held >= 5; held -= 5) text += alphabet[bits >> (held - 5U) & 31U];
    }
    return RunId(std::move(text));
}

Result<RunId> RunId::parse(std::string_view text) {
    const auto known = [](char c) { return alphabet.find(c) != std::string_view::npos; };
    if (text.size() != length || !std::all_of(text.begin(), text.end(), known))
        return Error(ErrorCode::invalid_argument, "\"" + std::string(text.substr(0, 64)) + "\" is not a run id",
                     "run ids are 26 letters and digits, as `pgbakctl runs` shows them");
    return RunId(std::string(text));
}

}  // namespace pgbakd::base
