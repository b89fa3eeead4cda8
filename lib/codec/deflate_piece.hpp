// Inside this folder only: pieces of a deflate stream (RFC 1951), each compressed by itself, so that they can be
// joined.
#pragma once

#include <memory>
#include <vector>

#include "codec/sink.hpp"

namespace pgbakd::codec {

// By what a piece is compressed. ISA-L is two to three times as fast as libdeflate's lowest level, and rarely as small
// as zlib's usual ones.
struct DeflateMethod {
    enum class Library { isal, libdeflate };
    Library library = Library::libdeflate;
    int level = 6;  // ISA-L's: 1 or 3; libdeflate's: 1 to 9
    bool operator==(const DeflateMethod&) const = default;
};

// Reuses its buffers and its compressors: one object per pool task at a time.
class PieceDeflater {
  public:
    PieceDeflater();
    ~PieceDeflater();
    PieceDeflater(PieceDeflater&&) noexcept;
    // The piece as it stands in its stream: one that is not the last ends at a whole byte, and the stream goes on.
    [[nodiscard]] std::vector<std::byte> deflate(Bytes raw, DeflateMethod method, bool last);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgbakd::codec
