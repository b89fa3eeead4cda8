#include "fuzz_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pgbakd::codec;
    return fuzzing::check_both_ways(Content::raw, Method::zstd, data, size, 3);
}
