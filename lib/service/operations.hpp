// What the control socket offers, carried out on the daemon's parts.
#pragma once

#include <string>

#include "async/stop.hpp"
#include "service/control_routes.hpp"
#include "service/core.hpp"
#include "service/dispatcher.hpp"
#include "service/reloader.hpp"
#include "service/status_report.hpp"
#include "service/unwritten_reports.hpp"

namespace pgbakd::service {

class Operations final : public Control {
  public:
    // `stop` ends the requests that wait for something.
    Operations(Core& core, DaemonFacts& facts, Dispatcher& dispatcher, UnwrittenReports& unwritten, Reloader& reloader,
               async::StopToken stop)
        : core_(core),
          facts_(facts),
          dispatcher_(dispatcher),
          unwritten_(unwritten),
          reloader_(reloader),
          stop_(std::move(stop)) {}

    asio::awaitable<boost::json::object> status() override;
    asio::awaitable<std::string> start_run(std::string job) override;
    asio::awaitable<std::string> start_milestone(std::string job, std::string name) override;
    asio::awaitable<model::RunReport> find_run(std::string run) override;
    asio::awaitable<model::RunReport> cancel_run(std::string run) override;
    asio::awaitable<void> follow_run(std::string run, EventWriter writer) override;
    asio::awaitable<ReloadVerdict> reload() override;

  private:
    Core& core_;
    DaemonFacts& facts_;
    Dispatcher& dispatcher_;
    UnwrittenReports& unwritten_;
    Reloader& reloader_;
    async::StopToken stop_;
};

}  // namespace pgbakd::service
