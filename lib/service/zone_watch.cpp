#include "service/zone_watch.hpp"

#include <filesystem>
#include <optional>

#include "async/directory_watch.hpp"
#include "async/timer.hpp"

namespace pgbakd::service {
namespace {

// A package manager replaces some hundred files one after the other.
constexpr std::chrono::seconds settled{1};

// All of them, whatever zones the configuration names now: a reload may name others. Directories watched already stay
// so. Blocks, for microseconds: the tree has some twenty directories.
void watch_tree(async::DirectoryWatch& watch, const std::filesystem::path& top) {
    watch.add(top);
    std::error_code error;
    for (auto entry = std::filesystem::recursive_directory_iterator(top, error);
         !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code gone;
        if (entry->is_directory(gone) && !entry->is_symlink(gone)) watch.add(entry->path());
    }
}

}  // namespace

asio::awaitable<void> watch_zones(Core& core, Reloader& reloader, async::StopToken stop) {
    std::optional<async::DirectoryWatch> watch;
    std::exception_ptr failure;
    try {
        watch.emplace(core.io.get_executor());
        watch_tree(*watch, core.zones.directory());
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        core.log.problem(Priority::warning, base::to_error(failure).during("time zones"));
        co_return;
    }
    for (;;) {
        co_await watch->changed(stop);
        do {
            co_await async::sleep_for(settled, stop);
        } while (watch->drain());
        try {
            watch_tree(*watch, core.zones.directory());
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) core.log.problem(Priority::warning, base::to_error(failure).during("time zones"));
        failure = nullptr;
        while (!co_await reloader.read_zones_again()) co_await async::sleep_for(settled, stop);
    }
}

}  // namespace pgbakd::service
