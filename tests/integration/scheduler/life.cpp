#include "life.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <fstream>
#include <random>
#include <sstream>

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "scheduler/driver.hpp"

namespace pgbakd::scheduler::test {
namespace {

class FastClock final : public base::Clock {
  public:
    explicit FastClock(const World& world) : world_(world) {}
    [[nodiscard]] base::Timestamp now() const noexcept override { return world_.now(); }
    [[nodiscard]] base::SteadyTime steady() const noexcept override { return std::chrono::steady_clock::now(); }

  private:
    const World& world_;
};

class FastTimer final : public TimerSource {
  public:
    FastTimer(const asio::any_io_executor& executor, const World& world) : world_(world), timer_(executor) {}
    void arm(std::optional<base::Instant> at) override {
        armed_ = at;
        timer_.expires_at(at ? world_.when(*at) : base::SteadyTime::max());
    }
    void interrupt() override {
        interrupted_ = true;
        timer_.cancel();
    }
    asio::awaitable<Wake> wait(async::StopToken stop) override {
        for (;;) {
            stop.check();
            if (std::exchange(interrupted_, false)) co_return Wake::interrupted;
            if (armed_ && base::to_instant(world_.now()) >= *armed_) co_return Wake::expired;
            boost::system::error_code ignored;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
    }

  private:
    const World& world_;
    asio::steady_timer timer_;
    std::optional<base::Instant> armed_;
    bool interrupted_ = false;
};

[[noreturn]] void die() {
    static_cast<void>(::kill(::getpid(), SIGKILL));
    for (;;) ::pause();
}

class Life {
  public:
    Life(const World& world, Accident accident, std::uint64_t seed)
        : world_(world),
          clock_(world),
          accident_(accident),
          random_(seed),
          diary_(::open(world.diary.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)),
          planner_(world.begin - std::chrono::hours(1)),
          catalog_(catalog::Catalog::open(world.state_file, world.now())),
          driver_(std::make_unique<FastTimer>(io_.get_executor(), world), clock_, planner_,
                  [this](std::vector<Action> actions) { act(std::move(actions)); }) {}

    void go(int loaded) {
        static_cast<void>(catalog_->interrupt_running(world_.now()));
        act(planner_.load(world_.jobs, catalog_->job_states(), base::to_instant(world_.now())));
        if (::write(loaded, "", 1) != 1) die();
        tasks_.spawn(driver_.run(stop_.token()));
        io_.run();
    }
    // One write each: a kill leaves whole lines.
    void write(std::string_view what, std::string_view job, base::Instant slot, std::uint64_t count = 0) const {
        std::ostringstream line;
        line << what << ' ' << job << ' ' << slot.time_since_epoch().count() << ' ' << count << '\n';
        const auto text = line.str();
        if (::write(diary_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) die();
    }

  private:
    // As the daemon's dispatcher: in order, and recorded before anything begins.
    void act(std::vector<Action> actions) {
        actions_.insert(actions_.end(), actions.begin(), actions.end());
        if (std::exchange(acting_, true)) return;
        for (; !actions_.empty(); actions_.pop_front())
            std::visit([this](const auto& a) { carry_out(a); }, Action(actions_.front()));
        acting_ = false;
    }
    void carry_out(const Start& start) {
        model::RunReport run;
        std::array<std::byte, 10> bytes{};
        for (auto& byte : bytes) byte = static_cast<std::byte>(random_() & 0xffU);
        run.run = base::RunId::make(world_.now(), bytes);
        run.job = start.job;
        run.trigger = start.catch_up ? model::Trigger::catch_up : model::Trigger::schedule;
        run.slot = start.slot;
        run.started_at = world_.now();
        run.timezone = "UTC";
        const bool now = starts_++ == accident_.after;
        if (now && accident_.place == Accident::Place::before_recording) die();
        if (start.repeated) write("repeated", start.job, start.slot);
        if (!catalog_->take_slot(start.state, start.slot, run)) {
            write("taken", start.job, start.slot);
            act(planner_.on_finished(start.job, base::to_instant(world_.now())));
            return;
        }
        if (now && accident_.place == Accident::Place::before_running) die();
        write("run", start.job, start.slot);
        tasks_.spawn(end_later(this, std::move(run), std::chrono::milliseconds(random_() % 4)));
    }
    static asio::awaitable<void> end_later(Life* life, model::RunReport run, std::chrono::milliseconds length) {
        co_await async::sleep_for(length, life->stop_.token());
        run.outcome = model::Outcome::success;
        run.finished_at = life->world_.now();
        life->catalog_->finish_run(run);
        life->act(life->planner_.on_finished(run.job, base::to_instant(life->world_.now())));
        life->driver_.rearm();
    }
    void carry_out(const Skip& skip) {
        write("skip", skip.job, skip.slot);
        catalog_->put_job_state(skip.state);
    }
    void carry_out(const Missed& missed) { write("missed", missed.job, missed.latest, missed.count); }
    void carry_out(const Anchor& anchor) {
        write("anchor", anchor.state.job, anchor.state.anchor);
        catalog_->put_job_state(anchor.state);
    }
    void carry_out(const Forget& forget) { write("broken", forget.job, {}); }
    void carry_out(const Moved& moved) { write("broken", moved.job, {}); }
    void carry_out(const Warning&) { write("broken", "clock", {}); }

    const World& world_;
    FastClock clock_;
    Accident accident_;
    std::mt19937_64 random_;
    int diary_;
    asio::io_context io_;
    async::TaskGroup tasks_{io_.get_executor()};
    async::StopSource stop_;
    Planner planner_;
    std::unique_ptr<catalog::Catalog> catalog_;
    Driver driver_;
    std::deque<Action> actions_;
    bool acting_ = false;
    int starts_ = 0;
};

}  // namespace

base::Timestamp World::now() const {
    const auto passed =
        std::chrono::floor<std::chrono::milliseconds>((std::chrono::steady_clock::now() - origin) * speed);
    return base::Timestamp(begin) + passed;
}

base::SteadyTime World::when(base::Instant instant) const {
    return origin + std::chrono::ceil<base::SteadyTime::duration>(std::chrono::nanoseconds(instant - begin) / speed);
}

void live(const World& world, Accident accident, std::uint64_t seed, int loaded) {
    std::string cause = "it came to an end";
    try {
        Life life(world, accident, seed);
        life.go(loaded);
    } catch (const base::Error& error) {
        cause = error.message();
    } catch (const std::exception& error) {
        cause = error.what();
    }
    std::ofstream(world.diary, std::ios::app) << "broken " + cause + "\n";
    ::_exit(1);
}

std::vector<Entry> read_diary(const std::filesystem::path& diary) {
    std::vector<Entry> entries;
    std::ifstream file(diary);
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        Entry entry;
        words >> entry.what >> entry.job >> entry.slot >> entry.count;
        entries.push_back(entry);
    }
    return entries;
}

}  // namespace pgbakd::scheduler::test
