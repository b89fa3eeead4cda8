#include "source/ledger_spool.hpp"

#include <algorithm>

#include "os/file.hpp"

namespace pgbakd::source {

void LedgerSpool::write(codec::Bytes bytes) {
    if (!file_ && memory_.size() + bytes.size() <= in_memory_) {
        memory_.insert(memory_.end(), bytes.begin(), bytes.end());
        return;
    }
    if (!file_) {
        file_ = os::unnamed_file(directory_);
        os::write_all(file_, memory_, directory_);
        std::vector<std::byte>().swap(memory_);
    }
    os::write_all(file_, bytes, directory_);
}

std::size_t LedgerSpool::read(std::span<std::byte> into) {
    std::size_t count = 0;
    if (file_) {
        count = os::read_at(file_, into, used_, directory_);
    } else {
        const auto left = std::span(memory_).subspan(used_);
        count = std::min(into.size(), left.size());
        std::copy_n(left.begin(), count, into.begin());
    }
    used_ += count;
    return count;
}

}  // namespace pgbakd::source
