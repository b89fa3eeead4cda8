#include "source/filled_directory.hpp"

#include <algorithm>
#include <cstring>

#include "os/file.hpp"

namespace pgbakd::source {

asio::awaitable<void> FilledDirectory::open(std::filesystem::path tree, std::string first, std::string maker) {
    const auto open_tar = [tree, first, maker] { return std::make_shared<DirectoryTar>(tree, first, maker); };
    tar_ = co_await async::run_blocking(pool_, open_tar);
}

asio::awaitable<std::size_t> FilledDirectory::read(std::span<std::byte> into, async::StopToken stop) {
    if (offset_ == piece_.size()) {
        const auto next = [tar = tar_] { return tar->next(); };
        piece_ = co_await async::run_blocking(pool_, next);
        offset_ = 0;
        stop.check();
    }
    const auto count = std::min(into.size(), piece_.size() - offset_);
    if (count > 0) std::memcpy(into.data(), piece_.data() + offset_, count);
    offset_ += count;
    co_return count;
}

asio::awaitable<void> FilledDirectory::remove() {
    const auto remove_tree = [directory = directory_] { os::remove_tree(directory); };
    co_await async::run_blocking(pool_, remove_tree);
}

asio::awaitable<void> FilledDirectory::abandon() {
    tar_.reset();
    std::exception_ptr ignored;
    try {
        co_await remove();
    } catch (...) {
        ignored = std::current_exception();
    }
}

}  // namespace pgbakd::source
