#include "os/descriptor.hpp"

#include <unistd.h>

namespace pgbakd::os {

void Descriptor::reset() noexcept {
    // Not repeated on EINTR: Linux has closed the descriptor by then, and its number may be somebody else's already.
    if (number_ >= 0) ::close(std::exchange(number_, -1));
}

}  // namespace pgbakd::os
