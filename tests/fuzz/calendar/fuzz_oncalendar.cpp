// Fuzzes systemd's calendar events: the bytes are what follows the word `calendar`.
#include "oracles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = "calendar " + std::string(pgbakd::calendar::fuzz::text_of(data, size));
    return pgbakd::calendar::fuzz::check_schedule(text);
}
