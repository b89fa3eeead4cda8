// Pure parts of the search for client programs: versions and package names.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "postgres/programs.hpp"

namespace pgbakd::postgres {
namespace {

struct Packaging {
    std::string_view system;  // an ID of os-release(5)
    std::string_view command;
};
constexpr std::array packagings{
    Packaging{"debian", "apt install postgresql-client-{}"}, Packaging{"ubuntu", "apt install postgresql-client-{}"},
    Packaging{"fedora", "dnf install postgresql{}"},         Packaging{"rhel", "dnf install postgresql{}"},
    Packaging{"centos", "dnf install postgresql{}"},         Packaging{"suse", "zypper install postgresql{}"},
    Packaging{"alpine", "apk add postgresql{}-client"},      Packaging{"arch", "pacman -S postgresql-libs"},
};

// The words of ID and ID_LIKE, the system's own first.
std::vector<std::string> systems_of(std::string_view os_release) {
    std::string own;
    std::string like;
    for (auto line : base::split(os_release, '\n')) {
        line = base::trim(line);
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        auto value = base::trim(line.substr(equals + 1));
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
            value = value.substr(1, value.size() - 2);
        if (line.substr(0, equals) == "ID") own = base::to_lower(value);
        if (line.substr(0, equals) == "ID_LIKE") like = base::to_lower(value);
    }
    std::vector<std::string> systems{own};
    for (const auto word : base::split(like, ' ')) systems.emplace_back(word);
    return systems;
}

}  // namespace

int major_of(std::string_view version_output) noexcept {
    constexpr std::string_view mark = "(PostgreSQL) ";
    const auto at = version_output.find(mark);
    if (at == std::string_view::npos) return 0;
    const auto version = version_output.substr(at + mark.size());
    int major = 0;
    const auto [end, failure] = std::from_chars(version.data(), version.data() + version.size(), major);
    return failure == std::errc{} && major > 0 ? major : 0;
}

std::string install_hint(std::string_view os_release, int major) {
    for (const auto& system : systems_of(os_release)) {
        const auto* found = std::ranges::find(packagings, system, &Packaging::system);
        if (found == packagings.end()) continue;
        auto hint = fmt::format(fmt::runtime(found->command), major);
        if (found->command.starts_with("apt")) hint += " (from apt.postgresql.org if this release does not have it)";
        if (found->command.starts_with("dnf")) hint += " (from yum.postgresql.org if this release does not have it)";
        return hint;
    }
    return fmt::format("install the client programs (pg_dump, pg_dumpall) of PostgreSQL {}", major);
}

}  // namespace pgbakd::postgres
