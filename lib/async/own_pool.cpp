#include "async/own_pool.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace pgbakd::async {
namespace {

// Those that end it may outlive all else of the process, and so does this.
struct Ending {
    std::mutex mutex;
    std::condition_variable less;
    int count = 0;

    static Ending& get() {
        static auto* const only = new Ending;  // NOLINT(cppcoreguidelines-owning-memory)
        return *only;
    }
    void add(int change) {
        const std::lock_guard lock(mutex);
        count += change;
        less.notify_all();
    }
};

}  // namespace

void end_aside(std::function<void()> ending) {
    auto& under_way = Ending::get();
    under_way.add(1);
    std::thread([ending = std::move(ending), &under_way]() mutable {
        ending();
        ending = nullptr;
        under_way.add(-1);
    }).detach();
}

bool wait_for_ends_aside(std::chrono::milliseconds patience) {
    auto& under_way = Ending::get();
    std::unique_lock lock(under_way.mutex);
    return under_way.less.wait_for(lock, patience, [&under_way] { return under_way.count == 0; });
}

std::shared_ptr<Pool> own_pool(std::size_t threads, int nice) {
    const auto end = [](Pool* pool) {
        end_aside([pool] { delete pool; });  // NOLINT(cppcoreguidelines-owning-memory)
    };
    return {new Pool(threads, nice), end};
}

}  // namespace pgbakd::async
