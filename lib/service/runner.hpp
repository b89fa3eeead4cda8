// The queue of runs: what waits, what goes on, what to do when one ends.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "run/execute.hpp"
#include "run/services.hpp"

namespace pgbakd::service {

// A run from the moment it was asked for.
struct ActiveRun {
    run::Request request;
    model::RunReport report;
    std::shared_ptr<run::Progress> progress = std::make_shared<run::Progress>();
    std::shared_ptr<async::StopSource> stop;
    base::SteadyTime started{};
    bool executing = false;  // false: waits for its turn
    bool done = false;       // report is final
};

class Runner {
  public:
    // Called on the reactor when a run has ended.
    using Finished = std::function<void(const model::RunReport&)>;
    Runner(run::Services& services, Finished finished);

    // Queues a run that the catalog has recorded as running.
    std::shared_ptr<ActiveRun> add(run::Request request, model::RunReport report);

    [[nodiscard]] std::shared_ptr<ActiveRun> find(const std::string& run) const;
    [[nodiscard]] bool is_running(const std::string& job) const;
    [[nodiscard]] const std::map<std::string, std::shared_ptr<ActiveRun>>& active() const noexcept { return active_; }
    [[nodiscard]] async::Event& changed() noexcept { return changed_; }
    // Until something changes, at most so long; throws the token's reason.
    asio::awaitable<void> wait_changed(std::chrono::milliseconds at_most, async::StopToken stop);

    // More may run at once than before: those that wait are looked at again.
    void limits_changed() { start_waiting(); }
    // Ends a run; also one that still waits for its turn.
    void cancel(const std::shared_ptr<ActiveRun>& run, base::Error reason);
    // Ends every run and waits for all of them. No run starts afterwards.
    asio::awaitable<void> shut_down(base::Error reason);

  private:
    void start(const std::shared_ptr<ActiveRun>& run);
    void start_if_possible(const std::shared_ptr<ActiveRun>& run);
    void start_waiting();
    [[nodiscard]] bool may_start(const ActiveRun& run) const;
    asio::awaitable<void> perform(std::shared_ptr<ActiveRun> run);
    void record_broken(ActiveRun& run, const base::Error& error);
    void ended(const std::shared_ptr<ActiveRun>& run);

    run::Services& services_;
    Finished finished_;
    async::TaskGroup tasks_;
    async::Event changed_;
    std::map<std::string, std::shared_ptr<ActiveRun>> active_;  // by run id: in the order they were asked for
    std::vector<std::shared_ptr<ActiveRun>> executing_;         // few of them, however many wait
    bool closing_ = false;
};

}  // namespace pgbakd::service
