// Any bytes as a configuration.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/config/config_property.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    pgbakd::config::testing::check_config_property({reinterpret_cast<const char*>(data), size});
    return 0;
}
