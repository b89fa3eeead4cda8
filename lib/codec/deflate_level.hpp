// Inside this folder only: which of libdeflate's levels keeps the promise that `gzip:N` is, "no larger than by zlib's
// level N", at the least cost.
#pragma once

#include <cstdint>
#include <memory>

#include "codec/sink.hpp"

namespace pgbakd::codec {

// How far each gets depends on what is compressed: that is found out by compressing samples of it both ways. The same
// data gives the same levels.
class DeflateLevel {
  public:
    // zlib's, 1 to 9.
    explicit DeflateLevel(int level);
    ~DeflateLevel();

    // libdeflate's level for what comes. Before there was a sample, one that serves for (nearly) all data.
    [[nodiscard]] int now() const noexcept { return now_; }
    // So many bytes have come, the beginning of another table among them or not.
    void count(std::uint64_t bytes, bool another_table) noexcept;
    // Whether a sample is due: some milliseconds' work for every 64 MiB, and for tables of more than 8.
    [[nodiscard]] bool is_due() const noexcept;
    static constexpr std::size_t least_sample = 64UL * 1024;
    static constexpr std::size_t largest_sample = 256UL * 1024;
    void learn(Bytes sample);

  private:
    [[nodiscard]] std::size_t size_by_zlib(Bytes sample);
    [[nodiscard]] std::size_t size_by_libdeflate(Bytes sample, int level);

    struct State;
    std::unique_ptr<State> state_;
    int level_;
    int now_;
    bool tried_ = false;
    bool another_table_ = false;
    std::uint64_t since_ = 0;  // the last sample
};

}  // namespace pgbakd::codec
