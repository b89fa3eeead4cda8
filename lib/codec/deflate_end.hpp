// Inside this folder only: where the last block of a deflate stream (RFC 1951) begins, so that another stream can be
// joined to it. libdeflate marks the last block of all it compresses as final and has no other way to end.
#pragma once

#include <cstdint>
#include <vector>

#include "codec/sink.hpp"

namespace pgbakd::codec {

// In bits from the beginning of the stream, the lowest bit of a byte first.
struct LastBlock {
    std::uint64_t begin = 0;  // its BFINAL
    std::uint64_t end = 0;    // behind its last bit
};

// Walks the symbols of one stream without producing what they stand for, which takes a part of the time of inflating
// it. Keeps its tables: one object for one stream after another. Bounded memory whatever the bytes.
class DeflateWalker {
  public:
    // Fails with `corrupt` where the bytes are no deflate stream or end before it does; what the distances point at is
    // not looked at.
    [[nodiscard]] base::Result<LastBlock> last_block(Bytes deflate);

    // How many bits a symbol takes, its extra bits included, and what it is.
    struct Symbol {
        enum class Kind : std::uint8_t { invalid, literal, match, end };
        Kind kind = Kind::invalid;
        std::uint8_t bits = 0;
    };

  private:
    class Walk;
    std::vector<Symbol> literals_, distances_, lengths_;
};

// Makes the stream in `deflate`, which is byte by byte as a compressor left it, one that goes on: its last block is no
// longer final, and an empty stored block brings the next one to a whole byte, as zlib's Z_SYNC_FLUSH does.
void leave_open(std::vector<std::byte>& deflate, const LastBlock& last);

}  // namespace pgbakd::codec
