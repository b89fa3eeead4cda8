// The routes of the API, over the operations the daemon offers.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "model/run.hpp"
#include "service/http_message.hpp"
#include "service/request_query.hpp"

namespace pgbakd::service {

struct ReloadVerdict {
    bool accepted = false;
    std::vector<std::string> changes;
    std::vector<config::Problem> problems;
};

// Whether all is well, and what tells it.
struct HealthVerdict {
    bool healthy = false;
    boost::json::object facts;
};

// What the routes ask for. `stop` is stopped when the client has gone: who waits for a disk that hangs must not hold
// one of the few connections for it, and waits no longer. Errors are thrown: not_found (404), conflict (409),
// invalid_argument (400), interrupted (503), anything else 500.
class Control {
  public:
    Control() = default;
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    virtual ~Control() = default;
    virtual asio::awaitable<std::vector<Text>> status(async::StopToken stop) = 0;  // JSON, in pieces
    virtual asio::awaitable<std::string> reports(ReportQuery query) = 0;           // JSON: a page of them
    virtual asio::awaitable<std::string> latest_report(ReportQuery query) = 0;
    virtual asio::awaitable<std::string> start_run(std::string job) = 0;  // the run's id
    virtual asio::awaitable<std::string> start_milestone(std::string job, std::string name) = 0;
    virtual asio::awaitable<model::RunReport> find_run(std::string run) = 0;
    // Returns when the run has ended; throws when `stop` is stopped, and then it goes on.
    virtual asio::awaitable<model::RunReport> await_run(std::string run, async::StopToken stop) = 0;
    virtual asio::awaitable<std::string> report_text(model::RunReport report) = 0;  // JSON
    virtual asio::awaitable<model::RunReport> cancel_run(std::string run, async::StopToken stop) = 0;
    // Progress about once a second until the run has ended, then its report.
    virtual asio::awaitable<void> follow_run(std::string run, EventWriter writer) = 0;
    virtual asio::awaitable<ReloadVerdict> reload() = 0;
    // What came of a test message to one channel, or to all.
    virtual asio::awaitable<boost::json::object> test_alert(std::optional<std::string> channel) = 0;
    virtual asio::awaitable<HealthVerdict> health() = 0;
    virtual asio::awaitable<std::string> metrics(async::StopToken stop) = 0;  // Prometheus text
};

[[nodiscard]] asio::awaitable<HttpAnswer> answer_request(Control& control, HttpRequest request);

// "GET /v1/runs/{run}", … of every route, in their order.
struct RouteName {
    std::string method, path;
};
[[nodiscard]] std::vector<RouteName> route_names();

// One server-sent event.
[[nodiscard]] std::string event_text(std::string_view name, const boost::json::object& data);

}  // namespace pgbakd::service
