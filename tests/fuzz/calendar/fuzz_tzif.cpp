// Fuzzes time zone files: any bytes are refused or give a zone whose periods join and whose fires are in order.
#include "oracles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return pgbakd::calendar::fuzz::check_zone(data, size);
}
