#include "codec/deflate_choice.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <tuple>
#include <vector>

namespace pgbakd::codec {

namespace {

using Library = DeflateMethod::Library;
using Mixture = DeflateChoice::Mixture;

constexpr std::uint64_t mebibyte = 1024UL * 1024;
constexpr int highest_level = 9;  // zlib's

// What there is to choose from, and what it costs: nanoseconds a byte of CPU, the walk to libdeflate's last block
// among them. Measured (ISA-L 2.30, libdeflate 1.14, zlib 1.2.13) on nine kinds of rows as COPY writes them, 24 MiB
// each, in pieces of 1 MiB; sizes in MB, and behind them the cost:
//
//                   zlib -6    zlib -9    ISA-L 1    ISA-L 3    1          3          5          6          8
//   a mixture     10.18 19    9.98 31  10.26 1.4  10.17 2.4  10.26 4.3  10.17 5.6   9.68 6.7   9.59 7.9   9.54 26
//   orders         7.39 29    7.28 63   7.83 2.1   7.85 3.3   7.78 4.3   7.25 7.5   7.01 10    6.95 12    6.67 35
//   JSON           2.76 14    2.56 38   3.71 1.0   3.60 2.8   3.50 2.2   3.21 4.1   2.83 4.6   2.60 6.7   2.42 29
//   measurements   4.75 25    4.69 97   5.10 1.4   4.96 2.7   4.89 2.7   4.98 5.4   4.58 7.8   4.55 11    4.32 59
//   words          9.79 31    9.73 54  10.44 2.4  10.07 3.9  10.11 6.1   9.68 8.9   9.60 13    9.53 15    9.40 34
//   UUIDs         14.65 39   14.65 40  13.90 3.1  14.04 4.1  13.96 9.1  13.34 12   13.34 13   13.34 13   13.34 14
//   program text   6.93 30    6.85 52   8.30 1.9   7.76 3.0   7.66 4.3   7.28 7.3   7.06 9.4   6.96 12    6.83 27
struct Candidate {
    DeflateMethod method;
    double cost;
};
constexpr std::array<Candidate, 10> candidates{{
    {{Library::isal, 1}, 2},
    {{Library::isal, 3}, 3},
    {{Library::libdeflate, 1}, 6},
    {{Library::libdeflate, 2}, 7.5},
    {{Library::libdeflate, 3}, 8},
    {{Library::libdeflate, 4}, 8.5},
    {{Library::libdeflate, 5}, 10},
    {{Library::libdeflate, 6}, 12},
    {{Library::libdeflate, 7}, 16},
    {{Library::libdeflate, 8}, 31},
}};
static_assert(candidates.size() == std::tuple_size_v<DeflateChoice::Sizes>);

// libdeflate's level that is not larger for any of these by more than 0.4 %.
constexpr std::array<int, highest_level + 1> safe_levels{1, 1, 1, 3, 3, 5, 6, 7, 8, 8};

// What pieces that know nothing of each other lose against one stream, which a sample does not show.
constexpr double loss = 1.006;

// Sizes are parts of what is allowed. Where one before it is small enough, the dearest two are not looked at.
constexpr std::size_t dearest = 8;
constexpr double small_enough = 0.99;
constexpr double unknown_size = 1000;

constexpr std::uint64_t shortest_step = 4 * mebibyte;
constexpr std::uint64_t longest_step = 64 * mebibyte;

std::size_t size_by_zlib(Bytes sample, int level) {
    std::vector<Bytef> output(compressBound(sample.size()));
    uLongf size = output.size();
    const auto result =
        compress2(output.data(), &size, reinterpret_cast<const Bytef*>(sample.data()), sample.size(), level);
    if (result != Z_OK) throw std::bad_alloc();  // its only failure, with that room
    return size;
}

// The cheapest whose sizes, as parts of what is allowed, come to 1 at most; the smallest where there is none.
Mixture cheapest(const DeflateChoice::Sizes& sizes) {
    Mixture best;
    double least = 0;
    bool found = false;
    const auto offer = [&](std::size_t cheap, std::size_t dear, double share) {
        const double cost = share * candidates[cheap].cost + (1 - share) * candidates[dear].cost;
        if (found && cost >= least) return;
        found = true;
        least = cost;
        best = {candidates[cheap].method, candidates[dear].method, share};
    };
    for (std::size_t dear = 0; dear < sizes.size(); ++dear) {
        if (sizes[dear] > 1) continue;
        offer(dear, dear, 1);
        for (std::size_t cheap = 0; cheap < dear; ++cheap)
            if (sizes[cheap] > 1) offer(cheap, dear, (1 - sizes[dear]) / (sizes[cheap] - sizes[dear]));
    }
    if (found) return best;
    const auto smallest = static_cast<std::size_t>(std::min_element(sizes.begin(), sizes.end()) - sizes.begin());
    return {candidates[smallest].method, candidates[smallest].method, 1};
}

}  // namespace

DeflateChoice::DeflateChoice(int level) : level_(std::clamp(level, 1, highest_level)) {
    const DeflateMethod safe{Library::libdeflate, safe_levels[static_cast<std::size_t>(level_)]};
    mixture_ = {safe, safe, 1};
}

DeflateMethod DeflateChoice::next() noexcept {
    credit_ += mixture_.cheap_share;
    if (credit_ < 1) return mixture_.dear;
    credit_ -= 1;
    return mixture_.cheap;
}

void DeflateChoice::count(std::uint64_t bytes, bool another_table) noexcept {
    since_ += bytes;
    another_table_ = another_table_ || another_table;
}

bool DeflateChoice::is_due() const noexcept {
    return samples_ == 0 || since_ >= step_ || (another_table_ && since_ >= 2 * shortest_step);
}

void DeflateChoice::learn(Bytes sample) {
    sample = sample.first(std::min(sample.size(), largest_sample));
    const auto allowed = static_cast<double>(size_by_zlib(sample, level_));
    Sizes sizes;
    sizes.fill(unknown_size);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (i == dearest && *std::min_element(sizes.begin(), sizes.end()) <= small_enough) break;
        const auto size = deflater_.deflate(sample, candidates[i].method, true).size();
        sizes[i] = static_cast<double>(size) * loss / allowed;
        if (candidates[i].method.library == Library::isal && sizes[i] <= 1) break;  // none is as cheap
    }
    // Rows of one table differ too: what was seen of it before counts as much.
    const bool alike = samples_ > 0 && !another_table_;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (!alike || sizes_[i] == unknown_size)
            sizes_[i] = sizes[i];
        else if (sizes[i] != unknown_size)
            sizes_[i] = (sizes_[i] + sizes[i]) / 2;
    }
    step_ = alike ? std::min(2 * step_, longest_step) : shortest_step;
    mixture_ = cheapest(sizes_);
    ++samples_;
    another_table_ = false;
    since_ = 0;
}

}  // namespace pgbakd::codec
