#include "codec/deflate_level.hpp"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <vector>

namespace pgbakd::codec {

namespace {

constexpr std::uint64_t mebibyte = 1024UL * 1024;
constexpr int highest = 9;

// The least level of libdeflate 1.14, in pieces of 1 MiB, that was not larger than zlib's for any of nine kinds of data
// as COPY writes them (24 MiB each: orders, accounts, JSON, measurements, words, program text, UUIDs, hexadecimal
// bytea, a mixture); for levels 6 and 7 with one exception, program text, which comes out 0.4 % larger. In MB, and CPU
// nanoseconds a byte:
//                 zlib -6      by 3        by 5        by 6       zlib -9      by 5        by 8
//   mixture     10.18 19    10.17 5.6    9.68 6.7    9.59 7.9    9.98 31    9.68 6.7    9.54 26
//   orders       7.39 29     7.25 7.5    7.01 10     6.95 12     7.28 63    7.01 10     6.67 35
//   JSON         2.76 14     3.21 4.1    2.83 4.6    2.60 6.7    2.56 38    2.83 4.6    2.42 29
//   program text 6.93 30     7.28 7.3    7.06 9.4    6.96 12     6.85 52    7.06 9.4    6.83 27
// Which shows why samples are taken: most data needs two thirds of the cost, or a quarter.
constexpr std::array<int, highest + 1> safe_levels{1, 1, 1, 3, 3, 5, 6, 7, 8, 8};

// What pieces that know nothing of each other lose, up to 0.65 % of program text, and samples do not show; in the
// thousand.
constexpr std::size_t loss = 3;

struct FreeCompressor {
    void operator()(libdeflate_compressor* compressor) const noexcept { libdeflate_free_compressor(compressor); }
};

}  // namespace

struct DeflateLevel::State {
    std::array<std::unique_ptr<libdeflate_compressor, FreeCompressor>, highest + 1> compressors;
    std::vector<std::byte> output;
};

DeflateLevel::DeflateLevel(int level)
    : state_(std::make_unique<State>()),
      level_(std::clamp(level, 1, highest)),
      now_(safe_levels[static_cast<std::size_t>(level_)]) {}

DeflateLevel::~DeflateLevel() = default;

void DeflateLevel::count(std::uint64_t bytes, bool another_table) noexcept {
    since_ += bytes;
    another_table_ = another_table_ || another_table;
}

bool DeflateLevel::is_due() const noexcept {
    return !tried_ || since_ >= 64 * mebibyte || (another_table_ && since_ >= 8 * mebibyte);
}

void DeflateLevel::learn(Bytes sample) {
    sample = sample.first(std::min(sample.size(), largest_sample));
    state_->output.resize(std::max(state_->output.size(), compressBound(sample.size()) + 64));
    const auto most = size_by_zlib(sample);
    const int safe = safe_levels[static_cast<std::size_t>(level_)];
    now_ = 1;
    while (now_ < safe && size_by_libdeflate(sample, now_) * (1000 + loss) > most * 1000) ++now_;
    tried_ = true;
    another_table_ = false;
    since_ = 0;
}

std::size_t DeflateLevel::size_by_zlib(Bytes sample) {
    uLongf size = state_->output.size();
    const auto result = compress2(reinterpret_cast<Bytef*>(state_->output.data()), &size,
                                  reinterpret_cast<const Bytef*>(sample.data()), sample.size(), level_);
    if (result != Z_OK) throw std::bad_alloc();  // its only failure, with that room
    return size;
}

std::size_t DeflateLevel::size_by_libdeflate(Bytes sample, int level) {
    auto& compressor = state_->compressors[static_cast<std::size_t>(level)];
    if (!compressor) compressor.reset(libdeflate_alloc_compressor(level));
    if (!compressor) throw std::bad_alloc();
    const auto size = libdeflate_zlib_compress(compressor.get(), sample.data(), sample.size(), state_->output.data(),
                                               state_->output.size());
    return size > 0 ? size : state_->output.size();  // no room: it grew
}

}  // namespace pgbakd::codec
