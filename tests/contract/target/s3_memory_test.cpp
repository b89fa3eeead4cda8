// How much memory an upload takes: as the kernel counts it.
#include <fstream>

#include "bench.hpp"

using namespace contract;

namespace {

constexpr std::size_t mib = 1024UL * 1024;

// Bytes of the process that are in memory, at most since forget_peak().
std::size_t peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
    }
    return 0;
}

void forget_peak() {
    std::ofstream("/proc/self/clear_refs") << "5";
}

asio::awaitable<void> put_much(target::Target& target, std::string key, std::size_t size, async::Chunk chunk) {
    const auto upload = co_await target.put(std::move(key), {}, {});
    for (std::size_t sent = 0; sent < size; sent += chunk->size()) co_await upload->write(chunk, {});
    const auto receipt = co_await upload->finish({});
    CHECK(receipt.entry.size == size);
}

class Large : public S3OnRgw {
  public:
    Large() { options.part_size = part_size; }
    inline static std::uint64_t part_size = 0;
};

}  // namespace

TEMPLATE_TEST_CASE("four parts in flight take less than 128 MiB, whatever their size", "", S3OnRgw) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    std::cout << "SKIPPED: a sanitizer's own memory would be counted\n";
#else
    struct Row {
        std::uint64_t part_size;
        std::size_t length;
    };
    const auto chunk = chunk_of(noise(mib));
    for (const auto& row : {Row{24 * mib, 240 * mib}, Row{96 * mib, 480 * mib}}) {
        Large::part_size = row.part_size;
        Bench<Large> bench;
        if (!bench.ready()) return;
        bench.put("warm", "x");
        forget_peak();
        const auto before = peak_memory();
        bench.run(put_much(bench.target(), "large", row.length, chunk));
        const auto taken = peak_memory() - before;
        INFO(row.part_size << " " << taken);
        CHECK(taken < 128 * mib);
        std::cout << "parts of " << row.part_size / mib << " MiB: " << taken / mib << " MiB of memory\n";
        bench.remove({"large"});
    }
#endif
}
