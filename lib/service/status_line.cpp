#include "service/status_line.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds period{5};

}  // namespace

asio::awaitable<void> show_status_line(Core& core, async::StopToken stop) {
    std::string shown;
    for (;;) {
        stop.check();
        auto line = core.status_line();
        if (line != shown && !core.stopping) core.notifier.status(line);
        shown = std::move(line);
        // While nothing runs nothing changes, and nobody is woken.
        if (core.runner->active().empty())
            co_await core.runner->changed().wait(stop);
        else
            co_await core.runner->wait_changed(period, stop);
    }
}

}  // namespace pgbakd::service
