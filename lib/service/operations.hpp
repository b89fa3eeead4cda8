// What the control socket offers, carried out on the daemon's parts.
#pragma once

#include <string>

#include "async/stop.hpp"
#include "service/alert_sender.hpp"
#include "service/control_routes.hpp"
#include "service/core.hpp"
#include "service/dispatcher.hpp"
#include "service/overview.hpp"
#include "service/reloader.hpp"
#include "service/report_pages.hpp"
#include "service/status_report.hpp"
#include "service/status_text.hpp"
#include "service/unwritten_reports.hpp"

namespace pgbakd::service {

class Operations final : public Control {
  public:
    // `stop` ends the requests that wait for something.
    Operations(Core& core, DaemonFacts& facts, Dispatcher& dispatcher, UnwrittenReports& unwritten, Reloader& reloader,
               Overview& overview, AlertSender& alerts, async::StopToken stop)
        : core_(core),
          facts_(facts),
          dispatcher_(dispatcher),
          unwritten_(unwritten),
          reloader_(reloader),
          overview_(overview),
          alerts_(alerts),
          status_text_(core),
          stop_(std::move(stop)) {}

    // Keeps what is told ready, until stopped.
    asio::awaitable<void> keep_ready(async::StopToken stop) { return status_text_.keep(std::move(stop)); }

    asio::awaitable<std::vector<Text>> status(async::StopToken stop) override;
    asio::awaitable<std::string> reports(ReportQuery query) override;
    asio::awaitable<std::string> latest_report(ReportQuery query) override;
    asio::awaitable<std::string> start_run(std::string job) override;
    asio::awaitable<std::string> start_milestone(std::string job, std::string name) override;
    asio::awaitable<model::RunReport> find_run(std::string run) override;
    asio::awaitable<model::RunReport> await_run(std::string run, async::StopToken stop) override;
    asio::awaitable<std::string> report_text(model::RunReport report) override;
    asio::awaitable<model::RunReport> cancel_run(std::string run, async::StopToken stop) override;
    asio::awaitable<void> follow_run(std::string run, EventWriter writer) override;
    asio::awaitable<ReloadVerdict> reload() override;
    asio::awaitable<boost::json::object> test_alert(std::optional<std::string> channel) override;
    asio::awaitable<HealthVerdict> health() override;
    asio::awaitable<std::string> metrics(async::StopToken stop) override;

  private:
    // By run id: those that go on, as far as they have come, and those whose end could not be recorded yet.
    [[nodiscard]] LaterReports later_reports() const;

    Core& core_;
    DaemonFacts& facts_;
    Dispatcher& dispatcher_;
    UnwrittenReports& unwritten_;
    Reloader& reloader_;
    Overview& overview_;
    AlertSender& alerts_;
    StatusText status_text_;
    async::StopToken stop_;
};

}  // namespace pgbakd::service
