// Inside this folder only: by what to compress so that `gzip:N` keeps its promise, "no larger than by zlib's level N",
// at the least cost.
#pragma once

#include <array>
#include <cstdint>

#include "codec/deflate_piece.hpp"

namespace pgbakd::codec {

// How far each method gets depends on what is compressed: that is found out by compressing samples of it in all ways.
// Often one method is a little larger than allowed, and the next a good deal smaller at twice the cost: then some
// pieces are compressed by one and some by the other, so that the sum is right. The same data gives the same choices.
class DeflateChoice {
  public:
    // zlib's level, 1 to 9.
    explicit DeflateChoice(int level);

    // What the next piece of about a mebibyte is compressed by. Before there was a sample, what serves (nearly) all
    // data.
    [[nodiscard]] DeflateMethod next() noexcept;

    // So many bytes have come, the beginning of another table among them or not.
    void count(std::uint64_t bytes, bool another_table) noexcept;
    // Whether a sample is due: some hundredths of a second's work, after 4 MiB of a table, 8, 16 and so on up to 64.
    [[nodiscard]] bool is_due() const noexcept;
    static constexpr std::size_t least_sample = 64UL * 1024;
    static constexpr std::size_t largest_sample = 256UL * 1024;
    void learn(Bytes sample);

    using Sizes = std::array<double, 10>;  // by each method
    struct Mixture {
        DeflateMethod cheap, dear;
        double cheap_share = 0;  // of the pieces; the others are by `dear`
    };
    [[nodiscard]] const Mixture& mixture() const noexcept { return mixture_; }

  private:
    PieceDeflater deflater_;
    int level_;
    Mixture mixture_;
    double credit_ = 0;  // of pieces by `cheap`
    Sizes sizes_{};
    std::uint64_t samples_ = 0;
    bool another_table_ = false;
    std::uint64_t since_ = 0;  // bytes, behind the last sample
    std::uint64_t step_ = 0;   // up to the next
};

}  // namespace pgbakd::codec
