#include "service/watchdog.hpp"

#include "async/timer.hpp"

namespace pgbakd::service {
namespace {

class Probe final : public async::Pool::Job {
  public:
    void run() override {}
};

}  // namespace

asio::awaitable<void> feed_watchdog(const systemd::Notifier& notifier, async::Pool& pool, std::function<void()> poke,
                                    std::function<std::uint64_t()> planner_ticks, async::StopToken stop) {
    const auto interval = notifier.watchdog_interval();
    if (!interval) co_return;
    const auto period = std::chrono::duration_cast<std::chrono::milliseconds>(*interval / 2);
    const auto executor = co_await asio::this_coro::executor;
    notifier.watchdog();
    for (;;) {
        const auto completed = pool.completed();
        const auto ticks = planner_ticks();
        pool.submit(std::make_shared<Probe>(), executor, [] {});
        poke();
        co_await async::sleep_for(period, stop);
        if (pool.completed() != completed && planner_ticks() != ticks) notifier.watchdog();
    }
}

}  // namespace pgbakd::service
