// Fuzzes the forms for people: parse, print, parse again, and look for fires forwards and backwards.
#include "oracles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return pgbakd::calendar::fuzz::check_schedule(pgbakd::calendar::fuzz::text_of(data, size));
}
