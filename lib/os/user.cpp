#include "os/user.hpp"

#include <pwd.h>
#include <unistd.h>

#include <vector>

namespace pgbakd::os {

std::string user_name() {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
        return entry.pw_name;
    return std::to_string(geteuid());
}

}  // namespace pgbakd::os
