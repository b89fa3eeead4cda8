#include "host/identity.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <array>

#include "base/error.hpp"
#include "os/user.hpp"

namespace pgbakd::host {

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

std::string user_name() {
    return os::user_name();
}

std::uint64_t random_number() {
    std::uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        throw base::Error(base::ErrorCode::io_failed, "the kernel gave no random bytes");
    return number;
}

}  // namespace pgbakd::host
