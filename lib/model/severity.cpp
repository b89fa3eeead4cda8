#include "model/severity.hpp"

#include "model/words.hpp"

namespace pgbakd::model {

std::string_view severity_text(Severity severity) noexcept {
    switch (severity) {
        case Severity::info: return "info";
        case Severity::warning: return "warning";
        case Severity::critical: return "critical";
    }
    return "critical";
}

base::Result<Severity> parse_severity(std::string_view text) {
    return parse_word("severity", text, severity_text, {Severity::info, Severity::warning, Severity::critical});
}

}  // namespace pgbakd::model
