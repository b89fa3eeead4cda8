#include "codec/crc32c.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace pgbakd::codec {

std::uint32_t crc32c(Bytes bytes, std::uint32_t before) noexcept {
    // ISA-L leaves the inversion before and after to its caller, counts with int, and takes a pointer that it does not
    // write through.
    constexpr std::size_t most = std::size_t{1} << 30U;
    std::uint32_t state = ~before;
    while (!bytes.empty()) {
        const auto some = bytes.first(std::min(bytes.size(), most));
        auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(some.data()));
        state = crc32_iscsi(data, static_cast<int>(some.size()), state);
        bytes = bytes.subspan(some.size());
    }
    return ~state;
}

}  // namespace pgbakd::codec
