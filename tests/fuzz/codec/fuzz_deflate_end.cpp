// The walk over a deflate stream agrees with inflating it: what ends for both ends at the same place. libdeflate lets a
// code pass that has one symbol or none and meets another; no compressor writes that.
#include <libdeflate.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "codec/deflate_end.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pgbakd::codec;
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    DeflateWalker walker;
    const auto last = walker.last_block(bytes);
    if (last && (last->end > size * 8 || last->begin >= last->end)) std::abort();
    const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
        libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
    std::vector<std::byte> output(1UL << 20U);
    std::size_t taken = 0;
    std::size_t produced = 0;
    const auto result = libdeflate_deflate_decompress_ex(decompressor.get(), data, size, output.data(), output.size(),
                                                         &taken, &produced);
    if (result != LIBDEFLATE_SUCCESS) return 0;
    if (!last) return 0;
    if ((last->end + 7) / 8 != taken) std::abort();
    // Left open and ended anew by a block of nothing it is the same.
    std::vector<std::byte> stream(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    leave_open(stream, *last);
    stream.push_back(std::byte{3});
    stream.push_back(std::byte{0});
    std::vector<std::byte> again(output.size());
    std::size_t produced_again = 0;
    if (libdeflate_deflate_decompress_ex(decompressor.get(), stream.data(), stream.size(), again.data(), again.size(),
                                         &taken, &produced_again) != LIBDEFLATE_SUCCESS ||
        taken != stream.size() || produced_again != produced)
        std::abort();
    output.resize(produced);
    again.resize(produced);
    if (output != again) std::abort();
    return 0;
}
