#include "os/user.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace pgbakd::os {

std::string user_name() {
    return name_of_user(geteuid()).value_or(std::to_string(geteuid()));
}

std::optional<std::string> name_of_user(uid_t id) {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return entry.pw_name;
    return std::nullopt;
}

std::optional<std::string> name_of_group(gid_t id) {
    // A group has all its members in there.
    for (std::size_t size = 16384; size <= std::size_t{4} << 20U; size *= 4) {
        std::vector<char> buffer(size);
        group entry{};
        group* found = nullptr;
        const int failed = getgrgid_r(id, &entry, buffer.data(), buffer.size(), &found);
        if (failed == 0 && found != nullptr) return entry.gr_name;
        if (failed != ERANGE) break;
    }
    return std::nullopt;
}

}  // namespace pgbakd::os
