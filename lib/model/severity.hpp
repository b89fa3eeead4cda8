// How much something matters to a person.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace pgbakd::model {

enum class Severity {
    info,      // worth knowing: a success, a recovery, a new database
    warning,   // somebody should know: a copy is owed, a disk fills up
    critical,  // somebody must act: no good backup, a corrupt one
};
[[nodiscard]] std::string_view severity_text(Severity severity) noexcept;  // "info", "warning", "critical"
[[nodiscard]] base::Result<Severity> parse_severity(std::string_view text);

}  // namespace pgbakd::model
