// Carries out what the planner wants done, and what people ask for: takes the slot in the catalog, then hands the run
// to the Runner.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "scheduler/actions.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

struct Queued {
    scheduler::Action action;
    // An anchor that no start of its job stands before: who loaded it waits until it is recorded. (Behind a start,
    // which may take its time, the job has a state already.)
    bool awaited = false;
};

class Dispatcher {
  public:
    explicit Dispatcher(Core& core)
        : core_(core), added_(core.io.get_executor()), carried_out_(core.io.get_executor()) {}

    // What the planner returned; carried out soon, in this order.
    void act(std::vector<scheduler::Action> actions);
    // The actions of a start, a reload, new time zone rules: where each schedule begins is on the disk, in one
    // transaction, when this returns. A kill right behind READY must not make a job new again, and its first fire
    // nobody's. What cannot be recorded now is left to carry_out(), which tries until it can.
    asio::awaitable<void> act_first(std::vector<scheduler::Action> actions);
    // At the stop, after carry_out(): records what is left of where schedules begin. Never throws.
    asio::awaitable<void> settle();
    // Carries actions out one after the other: a slot is on the disk before its run starts and before the next action
    // is looked at. What cannot be recorded for want of space or by an I/O error is tried until it can. Until stopped.
    asio::awaitable<void> carry_out(async::StopToken stop);

    // A run by hand, recorded and queued; its id. With a name its set is that milestone. Errors: not_found, conflict
    // (one goes on), interrupted, invalid_argument (no name).
    asio::awaitable<std::string> start_by_hand(std::string job, std::optional<std::string> milestone);
    // The same for a job whose files have changed.
    asio::awaitable<std::string> start_by_change(std::string job);
    // Called with the job of each fire that was skipped.
    void on_skipped(std::function<void(const std::string&)> tell) { tell_skipped_ = std::move(tell); }
    // Called with fires that were missed.
    void on_missed(std::function<void(const scheduler::Missed&)> tell) { tell_missed_ = std::move(tell); }
    // A run of the job has ended, or will not begin.
    void finished(const std::string& job);

  private:
    // Those that no other action of their job stands before, in one transaction. Returns why they could not be
    // recorded.
    asio::awaitable<std::exception_ptr> record_anchors();
    asio::awaitable<void> carry_out_one(std::shared_ptr<const scheduler::Action> action);
    asio::awaitable<std::string> start_now(std::string name, model::Trigger trigger, std::string milestone);
    asio::awaitable<void> start_scheduled(scheduler::Start start);
    asio::awaitable<void> record_skip(scheduler::Skip skip);
    run::Request make_request(std::shared_ptr<const model::JobSpec> job, model::Trigger trigger,
                              std::optional<base::Instant> slot);

    Core& core_;
    std::deque<Queued> actions_;
    bool anchors_added_ = false;  // since those that can go first were last taken out of it
    std::size_t awaited_ = 0;     // of them, and of those that are being recorded
    bool carries_out_ = false;
    bool stuck_ = false;  // recording fails, and is tried again
    async::Event added_, carried_out_;
    std::function<void(const std::string&)> tell_skipped_;
    std::function<void(const scheduler::Missed&)> tell_missed_;
    std::multiset<std::string> starting_;  // jobs whose run is being recorded and not in the runner's queue yet
};

}  // namespace pgbakd::service
