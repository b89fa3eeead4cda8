// Inside this folder only: where the last block of a deflate stream (RFC 1951) begins, so that another stream can be
// joined to it. libdeflate marks the last block of all it compresses as final and has no other way to end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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

    // What the next bits are, and how many.
    struct Symbol {
        enum class Kind : std::uint8_t { known, end, unknown };
        Kind kind = Kind::unknown;
        std::uint8_t bits =
            0;  // with the extra bits of a match; of literals as many as are known to follow one another
        std::uint16_t next =
            0;  // where in Table::symbols the table for what follows begins; of a code length its value
    };
    // Symbols are looked up by the bits that come next. Codes that are longer than that are found bit by bit.
    static constexpr unsigned index_bits = 11;
    static constexpr std::size_t table_size = std::size_t{1} << index_bits;
    struct Code {
        std::array<std::uint16_t, 16> counts;   // by their lengths
        std::array<std::uint16_t, 320> sorted;  // the values they stand for, in the order of the codes
    };

  private:
    class Walk;
    struct Tables {
        std::array<Symbol, 2 * table_size> symbols;  // literals and lengths of matches, then distances
        std::array<Symbol, table_size> lengths;      // of codes
        Code literal_code, distance_code, length_code;
    };
    std::unique_ptr<Tables> tables_ = std::make_unique<Tables>();
};

// Makes the stream in `deflate`, which is byte by byte as a compressor left it, one that goes on: its last block is no
// longer final, and an empty stored block brings the next one to a whole byte, as zlib's Z_SYNC_FLUSH does.
void leave_open(std::vector<std::byte>& deflate, const LastBlock& last);

}  // namespace pgbakd::codec
