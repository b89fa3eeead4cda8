#include "source/files_report.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgbakd::source {

void FilesReport::Kind::take(std::string_view path, std::string_view what) {
    if (++count <= most) lines.push_back(fmt::format("{}: {}", base::printable(path), base::printable(what)));
}

FilesReport::Verdict FilesReport::verdict() const noexcept {
    if (failures_.count > 0) return Verdict::incomplete;
    return changes_.count > 0 ? Verdict::changed : Verdict::whole;
}

std::vector<std::string> FilesReport::lines() const {
    std::vector<std::string> all;
    const auto add = [&all](const Kind& kind, std::string_view what) {
        all.insert(all.end(), kind.lines.begin(), kind.lines.end());
        if (kind.count > most) all.push_back(fmt::format("and {} more that {}", kind.count - most, what));
    };
    add(failures_, "could not be stored as they are");
    add(changes_, "changed while they were read");
    add(notes_, "are left out or stored otherwise");
    return all;
}

}  // namespace pgbakd::source
