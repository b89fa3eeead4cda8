// The driver with a timer of the test's, and the kernel's timer by itself. Nothing here waits for time to pass.
#include "scheduler/driver.hpp"

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

// What a test lets happen, in the order it was let.
class FakeTimer final : public TimerSource {
  public:
    explicit FakeTimer(const asio::any_io_executor& executor) : changed_(executor) {}
    void arm(std::optional<base::Instant> at) override { armed = at; }
    void interrupt() override { happen(Wake::interrupted); }
    asio::awaitable<Wake> wait(async::StopToken stop) override {
        while (wakes_.empty()) co_await changed_.wait(stop);
        const auto wake = wakes_.front();
        wakes_.erase(wakes_.begin());
        co_return wake;
    }
    void happen(Wake wake) {
        wakes_.push_back(wake);
        changed_.notify();
    }
    std::optional<base::Instant> armed;

  private:
    std::vector<Wake> wakes_;
    async::Event changed_;
};

struct Scene {
    explicit Scene(std::string_view now)
        : clock(at(now)),
          planner(at("2026-01-01 00:00")),
          timer(new FakeTimer(io.get_executor())),
          driver(std::unique_ptr<TimerSource>(timer), clock, planner, [this](std::vector<Action> actions) {
              for (auto& text : texts(actions)) done.push_back(std::move(text));
          }) {}
    // Until nothing is left to do.
    void settle() {
        io.restart();
        io.poll();
    }
    void step_to(std::string_view now) { clock.step_to(at(now)); }

    asio::io_context io;
    base::ManualClock clock;
    Planner planner;
    FakeTimer* timer;
    Texts done;
    Driver driver;
};

TEST_CASE("the driver wakes the planner when it asked to be, and arms the next fire") {
    Scene scene("2026-03-10 00:30");
    async::StopSource stop;
    async::TaskGroup tasks(scene.io.get_executor());
    static_cast<void>(scene.planner.load({job("j", "hourly")}, {}, at("2026-03-10 00:30")));
    tasks.spawn(scene.driver.run(stop.token()));
    scene.settle();
    CHECK(scene.timer->armed == at("2026-03-10 01:00"));
    CHECK(scene.done.empty());

    scene.step_to("2026-03-10 01:00");
    scene.timer->happen(Wake::expired);
    scene.settle();
    CHECK(scene.done == Texts{"start j 2026-03-10 01:00"});
    CHECK(scene.timer->armed == at("2026-03-10 02:00"));

    // The clock is set forward.
    static_cast<void>(scene.planner.on_finished("j", at("2026-03-10 01:10")));
    scene.step_to("2026-03-10 05:30");
    scene.timer->happen(Wake::clock_set);
    scene.settle();
    CHECK(scene.done ==
          Texts{"start j 2026-03-10 01:00", "missed j 4 until 2026-03-10 05:00", "start j 2026-03-10 05:00 catch-up"});
    CHECK(scene.timer->armed == at("2026-03-10 06:00"));

    stop.stop({base::ErrorCode::cancelled, "stopping"});
    scene.settle();
    CHECK(tasks.running() == 0);
}

TEST_CASE("rearm looks at a plan that changed, and shows the watchdog that the driver is alive") {
    Scene scene("2026-03-10 00:30");
    async::StopSource stop;
    async::TaskGroup tasks(scene.io.get_executor());
    tasks.spawn(scene.driver.run(stop.token()));
    scene.settle();
    CHECK(scene.timer->armed == std::nullopt);
    static_cast<void>(scene.planner.load({job("j", "hourly")}, {}, at("2026-03-10 00:30")));
    const auto before = scene.driver.ticks();
    scene.settle();
    CHECK(scene.driver.ticks() == before);  // idle: nothing wakes it by itself
    scene.driver.rearm();
    scene.settle();
    CHECK(scene.timer->armed == at("2026-03-10 01:00"));
    CHECK(scene.driver.ticks() > before);
    stop.stop({base::ErrorCode::cancelled, "stopping"});
    scene.settle();
    CHECK(tasks.running() == 0);
}

TEST_CASE("a clock set between load and run is noticed by the first look") {
    Scene scene("2026-03-10 02:30");
    async::StopSource stop;
    async::TaskGroup tasks(scene.io.get_executor());
    static_cast<void>(scene.planner.load({job("j", "hourly")}, {}, at("2026-03-10 00:30")));
    tasks.spawn(scene.driver.run(stop.token()));
    scene.settle();
    CHECK(scene.done == Texts{"missed j 2 until 2026-03-10 02:00", "start j 2026-03-10 02:00 catch-up"});
    stop.stop({base::ErrorCode::cancelled, "stopping"});
    scene.settle();
}

// Waits once and writes down what came of it.
asio::awaitable<void> wait_once(TimerSource& timer, async::StopToken stop, std::optional<Wake>& wake, bool& stopped) {
    try {
        wake = co_await timer.wait(stop);
    } catch (const base::Error& error) {
        stopped = error.code() == base::ErrorCode::cancelled;
    }
}

struct KernelTimer {
    asio::io_context io;
    async::TaskGroup tasks{io.get_executor()};
    std::unique_ptr<TimerSource> timer = make_clock_timer(io.get_executor());
    async::StopSource stop;
    std::optional<Wake> wake;
    bool stopped = false;
    void start() { tasks.spawn(wait_once(*timer, stop.token(), wake, stopped)); }
    void run() {
        io.restart();
        io.run();
    }
};

TEST_CASE("the kernel's timer expires at once for a time that is past, whatever was armed before") {
    for (const auto* past : {"2000-01-01 00:00", "1960-01-01 00:00", "0001-01-02 00:00"}) {
        INFO(past);
        KernelTimer kernel;
        kernel.timer->arm(std::nullopt);
        kernel.start();
        kernel.io.poll();
        CHECK_FALSE(kernel.wake);
        kernel.timer->arm(at(past));
        kernel.run();
        CHECK(kernel.wake == Wake::expired);
    }
}

TEST_CASE("the kernel's timer expires when the clock says so") {
    KernelTimer kernel;
    const base::SystemClock clock;
    const auto soon = base::to_instant(clock.now()) + std::chrono::seconds(1);
    kernel.timer->arm(soon);
    kernel.start();
    kernel.run();
    // An NTP daemon may set the clock in just this second.
    CHECK((kernel.wake == Wake::clock_set || (kernel.wake == Wake::expired && base::to_instant(clock.now()) >= soon)));
}

TEST_CASE("the kernel's timer can be interrupted and stopped, before and while it is waited for") {
    KernelTimer kernel;
    kernel.timer->arm(at("9999-01-01 00:00"));
    SECTION("interrupted while") {
        kernel.start();
        kernel.io.poll();
        CHECK_FALSE(kernel.wake);
        kernel.timer->interrupt();
        kernel.run();
        CHECK(kernel.wake == Wake::interrupted);
    }
    SECTION("interrupted before, and only once") {
        kernel.timer->interrupt();
        kernel.timer->interrupt();
        kernel.start();
        kernel.run();
        CHECK(kernel.wake == Wake::interrupted);
        kernel.wake.reset();
        kernel.start();
        kernel.io.poll();
        CHECK_FALSE(kernel.wake);
        kernel.stop.stop({base::ErrorCode::cancelled, "stopping"});
        kernel.run();
    }
    SECTION("stopped while") {
        kernel.start();
        kernel.io.poll();
        kernel.stop.stop({base::ErrorCode::cancelled, "stopping"});
        kernel.run();
        CHECK(kernel.stopped);
    }
    SECTION("stopped before") {
        kernel.stop.stop({base::ErrorCode::cancelled, "stopping"});
        kernel.start();
        kernel.run();
        CHECK(kernel.stopped);
    }
}

}  // namespace
}  // namespace pgbakd::scheduler::test
