#include "source/remarks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace pgbakd::source {
namespace {

std::string_view without_program(std::string_view line) {
    for (const std::string_view name : {"pg_dump: ", "pg_dumpall: "})
        if (line.starts_with(name)) return line.substr(name.size());
    return line;
}

bool begins_with_any(std::string_view line, const auto& words) {
    return std::any_of(words.begin(), words.end(), [line](std::string_view word) { return line.starts_with(word); });
}

// src/common/logging.c; in capitals, a message of the server that is handed on.
constexpr std::array<std::string_view, 4> faults{"warning:", "error:", "WARNING:", "ERROR:"};
constexpr std::array<std::string_view, 4> details{"detail:", "hint:", "DETAIL:", "HINT:"};

}  // namespace

void Remarks::take(const std::string& line) {
    const auto text = without_program(line);
    taken_ = !verbose_ || begins_with_any(text, faults) || (taken_ && begins_with_any(text, details));
    if (!taken_) return;
    if (lines_.size() < most)
        lines_.emplace_back(text);
    else
        ++more_;
}

std::vector<std::string> Remarks::lines() const {
    auto lines = lines_;
    if (more_ > 0) lines.push_back(fmt::format("and {} more lines", more_));
    return lines;
}

}  // namespace pgbakd::source
