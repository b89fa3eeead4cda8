// The driver on the kernel's timer when the wall clock is set. No test sets the machine's clock: the calls that tell of
// it, read(2) and timerfd_settime(2) with ECANCELED, are answered here as timerfd_create(2) says the kernel does.
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "async/task_group.hpp"
#include "scheduler/driver.hpp"
#include "support/common.hpp"

namespace {

int timer = -1;                  // the latest that was created
bool tell_reader = false;        // the next read of it says that the clock was set
bool tell_whoever_arms = false;  // the next arming of it says so

}  // namespace

// These stand in front of the C library's in this program.
extern "C" int timerfd_create(int clock, int flags) noexcept {
    timer = static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
    return timer;
}
extern "C" int timerfd_settime(int fd, int flags, const itimerspec* setting, itimerspec* before) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_timerfd_settime, fd, flags, setting, before));
    if (result != 0 || fd != timer || !std::exchange(tell_whoever_arms, false)) return result;
    errno = ECANCELED;  // armed all the same
    return -1;
}
extern "C" ssize_t read(int fd, void* buffer, size_t size) {
    const auto result = ::syscall(SYS_read, fd, buffer, size);
    if (fd != timer || !std::exchange(tell_reader, false)) return result;
    errno = ECANCELED;
    return -1;
}

namespace pgbakd::scheduler::test {
namespace {

// Far behind the real clock's present: what is armed never expires by itself.
constexpr base::Instant midnight{std::chrono::sys_days{std::chrono::year{2090} / 3 / 10}};

struct Scene {
    Scene()
        : clock(midnight + std::chrono::minutes(30)),
          driver(make_clock_timer(io.get_executor()), clock, planner, [this](std::vector<Action> actions) {
              for (auto& action : actions) done.push_back(std::move(action));
          }) {
        static_cast<void>(
            planner.load({job("nightly", "daily at 02:00"), job("often", "every 15 minutes")}, {}, now()));
        tasks.spawn(driver.run(stop.token()));
        settle();
    }
    ~Scene() {
        stop.stop({base::ErrorCode::cancelled, "the test is over"});
        settle();
    }
    static PlannedJob job(std::string name, std::string_view schedule) {
        return {std::move(name), calendar::Schedule::parse(schedule).value(), calendar::Zone::utc(), {}, {}, {}};
    }
    [[nodiscard]] base::Instant now() const { return base::to_instant(clock.now()); }
    void settle() {
        io.restart();
        io.poll();
    }
    // As the kernel does: the timer becomes readable, and reading it fails.
    void set_clock(base::Instant to) {
        clock.step_to(to);
        tell_reader = true;
        const itimerspec at_once{{}, {0, 1}};
        REQUIRE(::syscall(SYS_timerfd_settime, timer, 0, &at_once, nullptr) == 0);
        // A driver that has ended reads nothing any more.
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (tell_reader && !io.stopped() && std::chrono::steady_clock::now() < deadline)
            io.run_one_for(std::chrono::seconds(1));
        REQUIRE_FALSE(tell_reader);
        settle();
    }
    // Runs end as soon as they are asked about.
    std::vector<std::string> started() {
        std::vector<std::string> texts;
        for (auto actions = std::exchange(done, {}); !actions.empty(); actions = std::exchange(done, {}))
            for (const auto& action : actions)
                if (const auto* start = std::get_if<Start>(&action)) {
                    texts.push_back(start->job + " " + calendar::format_rfc3339_utc(start->slot).substr(11, 5) +
                                    (start->catch_up ? " catch-up" : "") + (start->repeated ? " again" : ""));
                    for (auto& more : planner.on_finished(start->job, now())) done.push_back(std::move(more));
                } else if (const auto* warning = std::get_if<Warning>(&action)) {
                    texts.push_back(warning->message.substr(0, warning->message.find(':')));
                }
        driver.rearm();
        settle();
        return texts;
    }

    asio::io_context io;
    base::ManualClock clock;
    Planner planner{midnight - std::chrono::hours(24)};
    async::StopSource stop;
    async::TaskGroup tasks{io.get_executor()};
    std::vector<Action> done;
    Driver driver;
};

using Texts = std::vector<std::string>;

TEST_CASE("a clock set forward wakes the driver at once: what was jumped over is caught up") {
    Scene scene;
    const auto ticks = scene.driver.ticks();
    scene.settle();
    CHECK(scene.driver.ticks() == ticks);  // nothing is due, nothing wakes it
    scene.set_clock(midnight + std::chrono::hours(5) + std::chrono::minutes(5));
    CHECK(scene.started() == Texts{"often 05:00 catch-up", "nightly 02:00 catch-up"});
    CHECK(scene.planner.next_wake() == midnight + std::chrono::hours(5) + std::chrono::minutes(15));
}

TEST_CASE("a clock set back wakes the driver too: nothing fixed runs twice, steps go on, hours are told") {
    Scene scene;
    scene.set_clock(midnight + std::chrono::hours(2));
    CHECK(scene.started() == Texts{"often 02:00", "nightly 02:00"});
    scene.set_clock(midnight + std::chrono::hours(1) + std::chrono::minutes(50));
    CHECK(scene.started().empty());
    scene.set_clock(midnight + std::chrono::hours(2));
    CHECK(scene.started() == Texts{"often 02:00 again"});
    scene.set_clock(midnight - std::chrono::hours(3));
    CHECK(scene.started() == Texts{"the clock was set back by 5 h"});
}

TEST_CASE("a clock set while the timer is armed is noticed as well") {
    Scene scene;
    scene.clock.step_to(midnight + std::chrono::hours(3));
    tell_whoever_arms = true;
    scene.driver.rearm();
    scene.settle();
    CHECK_FALSE(tell_whoever_arms);
    CHECK(scene.started() == Texts{"often 03:00", "nightly 02:00 catch-up"});
}

}  // namespace
}  // namespace pgbakd::scheduler::test
