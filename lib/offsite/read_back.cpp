#include "offsite/read_back.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pgbakd::offsite {
namespace {

constexpr std::uint64_t edge = std::uint64_t{1} << 20U;
constexpr std::uint64_t block = std::uint64_t{64} << 10U;
constexpr int blocks = 4;

// Compares what comes with the bytes of a local file from an offset on.
class ComparingSink final : public target::Sink {
  public:
    ComparingSink(async::Pool& pool, std::shared_ptr<const LocalFile> file, std::uint64_t offset)
        : pool_(pool), file_(std::move(file)), offset_(offset) {}

    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        stop.check();
        const auto read = [file = file_, offset = offset_, count = bytes.size()] { return file->read(offset, count); };
        const auto own = co_await async::run_blocking(pool_, read);
        if (own.size() != bytes.size() || std::memcmp(own.data(), bytes.data(), own.size()) != 0) {
            const auto [same, difference] = std::mismatch(own.begin(), own.end(), bytes.begin(), bytes.end());
            const auto at = offset_ + static_cast<std::uint64_t>(difference - bytes.begin());
            throw base::Error(base::ErrorCode::corrupt,
                              same == own.end() ? fmt::format("it is longer than the {} bytes that were sent", at)
                                                : fmt::format("it differs from what was sent at byte {}", at));
        }
        offset_ += bytes.size();
    }

  private:
    async::Pool& pool_;
    std::shared_ptr<const LocalFile> file_;
    std::uint64_t offset_;
};

}  // namespace

std::vector<target::Range> sampled_ranges(std::uint64_t length, const std::function<std::uint64_t()>& random) {
    if (length <= 2 * edge + blocks * block) return {{0, std::nullopt}};
    std::vector<target::Range> ranges{{0, edge}};
    // One block in each fourth of what lies between the edges.
    const auto stride = (length - 2 * edge) / blocks;
    for (int i = 0; i < blocks; ++i) {
        const auto begin = edge + static_cast<std::uint64_t>(i) * stride;
        ranges.push_back({begin + random() % (stride - block + 1), block});
    }
    ranges.push_back({length - edge, std::nullopt});
    return ranges;
}

asio::awaitable<void> compare_samples(target::Target& target, async::Pool& pool, std::string key,
                                      std::shared_ptr<const LocalFile> file, std::uint64_t length,
                                      std::vector<target::Range> ranges, async::StopToken stop) {
    for (const auto& range : ranges) {
        ComparingSink sink(pool, file, range.offset);
        const auto count = co_await target.get(key, range, sink, stop);
        const auto expected = range.length.value_or(length - range.offset);
        if (count != expected)
            throw base::Error(base::ErrorCode::corrupt, fmt::format("only {} of {} bytes from {} on could be read",
                                                                    count, expected, range.offset));
    }
}

}  // namespace pgbakd::offsite
