// The header blocks of a member of a pax tar (POSIX.1-2017, pax, "pax Interchange Format"), as libarchive makes them.
// For this folder only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace pgbakd::codec {

// The same without the records of that key in the extended header, and without that header if none is left. Fails with
// `internal` for what is not an extended header, or none, and a header.
[[nodiscard]] base::Result<std::string> without_pax_record(std::string_view blocks, std::string_view key);

[[nodiscard]] bool has_pax_record(std::string_view blocks, std::string_view key);

}  // namespace pgbakd::codec
