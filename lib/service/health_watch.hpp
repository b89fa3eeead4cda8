// Looks whether all is well, by the schedule of `health`, after each run and when something else happens; puts what
// changed, and what people are to hear of it, into the catalog in one step.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"
#include "health/collect.hpp"
#include "health/reread.hpp"
#include "health/routes.hpp"
#include "service/core.hpp"
#include "service/health_work.hpp"
#include "service/target_rooms.hpp"

namespace pgbakd::service {

class HealthWatch {
  public:
    explicit HealthWatch(Core& core)
        : core_(core), rooms_(core), changed_(core.io.get_executor()), tasks_(core.io.get_executor()) {}

    // Until stopped. Runs that ended without anybody being told, as the daemon was killed, come first. What could not
    // be recorded is tried again.
    asio::awaitable<void> watch(async::StopToken stop);

    void started(const std::string& job, const std::string& run);
    void finished(const model::RunReport& report);
    void missed(const std::string& job, health::MissedFires fires);
    void reload_refused(health::RefusedReload refused);
    void reload_accepted();
    // What the job has on the targets is not as it was.
    void changed(const std::string& job);
    // Something else has changed: all is looked at soon.
    void look();

    // Findings may not be what they were.
    void on_findings(std::function<void()> tell) { tell_findings_ = std::move(tell); }
    // What is wrong, where it cannot be recorded; nothing: it can again.
    void on_unrecorded(std::function<void(std::optional<std::vector<model::Finding>>)> tell) {
        tell_unrecorded_ = std::move(tell);
    }
    // Alerts were queued.
    void on_alerts(std::function<void()> tell) { tell_alerts_ = std::move(tell); }

  private:
    struct Started {
        std::string job, run;
    };
    struct Looked;

    asio::awaitable<void> do_next();
    asio::awaitable<void> take_up_untold();
    asio::awaitable<void> drain();
    asio::awaitable<void> queue_starts();
    asio::awaitable<void> look_at(std::optional<std::string> job, std::shared_ptr<const model::RunReport> run);
    asio::awaitable<void> look_by_schedule(async::StopToken stop);
    asio::awaitable<void> show_unrecorded();
    asio::awaitable<void> read_again(async::StopToken stop);
    asio::awaitable<void> wait(async::StopToken stop);
    [[nodiscard]] bool has_work() const;
    void plan(async::StopToken stop);
    asio::awaitable<void> ask_for_rooms(async::StopToken stop);
    asio::awaitable<void> know_channels();
    void tell_journal(const health::Changes& changes);

    Core& core_;
    TargetRooms rooms_;
    async::Event changed_;
    async::TaskGroup tasks_;
    std::vector<Started> started_;
    std::deque<std::shared_ptr<const model::RunReport>> ended_;
    HealthWork work_;
    NewsPace news_;
    health::TriedSets tried_;
    std::optional<health::RefusedReload> refused_;
    bool taken_up_ = false;   // what ended before this start is among `ended_`
    bool everything_ = true;  // at the start
    bool anew_ = true;        // channels that lose what they are sent may have been mended: they are tried once
    bool reading_ = false;    // a set is being read again
    bool asking_ = false;     // targets are being asked for their room
    bool told_unrecorded_ = false;
    ConfigPtr planned_for_;
    ConfigPtr channels_known_for_;
    std::shared_ptr<const catalog::Catalog::ChannelsOfJobs> former_;  // of jobs that are gone
    HealthSchedule schedule_;
    std::optional<base::Timestamp> aging_;  // a set becomes too old then
    std::function<void()> tell_findings_;
    std::function<void()> tell_alerts_;
    std::function<void(std::optional<std::vector<model::Finding>>)> tell_unrecorded_;
};

}  // namespace pgbakd::service
