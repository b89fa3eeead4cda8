// CRC-32C (Castagnoli; RFC 3720, appendix B.4) by ISA-L: what PostgreSQL's backup manifest has of each file.
#pragma once

#include <cstdint>

#include "codec/sink.hpp"

namespace pgbakd::codec {

// Of `bytes`, behind those that gave `before`; of nothing it is 0.
[[nodiscard]] std::uint32_t crc32c(Bytes bytes, std::uint32_t before = 0) noexcept;

}  // namespace pgbakd::codec
