// What the targets share. A check must never throw, and must say the same however its input is cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/check.hpp"

namespace pgbakd::codec::fuzzing {

inline bool feed(Sink& sink, Bytes bytes, std::size_t chunk) {
    while (!bytes.empty()) {
        const auto size = std::min(chunk, bytes.size());
        if (!sink.write(bytes.first(size))) return false;
        bytes = bytes.subspan(size);
    }
    return static_cast<bool>(sink.finish());
}

// All at once and in pieces of `chunk`: the verdict must be the same.
inline int check_both_ways(Content content, Method method, const std::uint8_t* data, std::size_t size,
                           std::size_t chunk) {
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    const auto whole = make_check(content, method);
    const auto pieces = make_check(content, method);
    const bool whole_is_good = feed(*whole, bytes, size + 1);
    if (feed(*pieces, bytes, chunk) != whole_is_good) std::abort();
    if (whole_is_good && whole->result().raw_bytes != pieces->result().raw_bytes) std::abort();
    return 0;
}

}  // namespace pgbakd::codec::fuzzing
