// The routes of the control API, over the operations the daemon offers.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "model/run.hpp"
#include "service/control_server.hpp"

namespace pgbakd::service {

struct ReloadVerdict {
    bool accepted = false;
    std::vector<std::string> changes;
    std::vector<config::Problem> problems;
};

// What the routes ask for. Errors are thrown: not_found (404), conflict (409), invalid_argument (400), anything else
// 500.
class Control {
  public:
    Control() = default;
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    virtual ~Control() = default;
    virtual asio::awaitable<boost::json::object> status() = 0;
    virtual asio::awaitable<std::string> start_run(std::string job) = 0;  // the run's id
    virtual asio::awaitable<std::string> start_milestone(std::string job, std::string name) = 0;
    virtual asio::awaitable<model::RunReport> find_run(std::string run) = 0;
    // Returns when the run has ended.
    virtual asio::awaitable<model::RunReport> cancel_run(std::string run) = 0;
    // Progress about once a second until the run has ended, then its report.
    virtual asio::awaitable<void> follow_run(std::string run, EventWriter writer) = 0;
    virtual asio::awaitable<ReloadVerdict> reload() = 0;
};

[[nodiscard]] asio::awaitable<HttpAnswer> answer_request(Control& control, HttpRequest request);

// One server-sent event.
[[nodiscard]] std::string event_text(std::string_view name, const boost::json::object& data);

}  // namespace pgbakd::service
