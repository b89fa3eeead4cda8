#include "service/control_routes.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.hpp"
#include "model/json.hpp"

namespace pgbakd::service {
namespace {

using Segments = std::vector<std::string>;

// One route: its method, its path with "*" for a name, and what answers it.
struct Route {
    std::string_view method;
    std::vector<std::string_view> path;
    asio::awaitable<HttpAnswer> (*answer)(Control& control, Segments names);
};

asio::awaitable<HttpAnswer> status(Control& control, Segments) {
    const auto body = co_await control.status();
    co_return json_answer(200, body);
}

asio::awaitable<HttpAnswer> start_run(Control& control, Segments names) {
    const auto run = co_await control.start_run(names.at(0));
    co_return json_answer(202, {{"run", run}, {"job", names.at(0)}});
}

asio::awaitable<HttpAnswer> start_milestone(Control& control, Segments names) {
    const auto run = co_await control.start_milestone(names.at(0), names.at(1));
    co_return json_answer(202, {{"run", run}, {"job", names.at(0)}, {"milestone", names.at(1)}});
}

asio::awaitable<HttpAnswer> find_run(Control& control, Segments names) {
    const auto report = co_await control.find_run(names.at(0));
    co_return json_answer(200, model::json_run(report));
}

asio::awaitable<HttpAnswer> cancel_run(Control& control, Segments names) {
    const auto report = co_await control.cancel_run(names.at(0));
    co_return json_answer(200, model::json_run(report));
}

asio::awaitable<void> follow(Control& control, std::string run, EventWriter writer) {
    co_await control.follow_run(std::move(run), std::move(writer));
}

asio::awaitable<HttpAnswer> run_events(Control& control, Segments names) {
    (void)co_await control.find_run(names.at(0));
    HttpAnswer answer;
    answer.events = [&control, run = names.at(0)](EventWriter writer) {
        return follow(control, run, std::move(writer));
    };
    co_return answer;
}

asio::awaitable<HttpAnswer> reload(Control& control, Segments) {
    const auto verdict = co_await control.reload();
    boost::json::array problems;
    for (const auto& problem : verdict.problems)
        problems.push_back({{"severity", problem.severity == config::Problem::Severity::error ? "error" : "warning"},
                            {"file", problem.file},
                            {"line", problem.line},
                            {"column", problem.column},
                            {"path", problem.path},
                            {"message", problem.message},
                            {"hint", problem.hint}});
    boost::json::object body{{"accepted", verdict.accepted}, {"problems", std::move(problems)}};
    if (verdict.accepted) {
        boost::json::array lines;
        for (const auto& change : verdict.changes) lines.push_back(boost::json::string(change));
        body["changes"] = std::move(lines);
        co_return json_answer(200, body);
    }
    body["error"] = {{"code", base::code_text(base::ErrorCode::invalid_configuration)},
                     {"message", "the configuration was not reloaded: the old one stays in force"},
                     {"hint", "mend the problems it has, then reload again"}};
    co_return json_answer(422, body);
}

const std::vector<Route>& routes() {
    static const std::vector<Route> table{
        {"GET", {"v1", "status"}, status},
        {"POST", {"v1", "jobs", "*", "runs"}, start_run},
        {"POST", {"v1", "jobs", "*", "milestones", "*"}, start_milestone},
        {"GET", {"v1", "runs", "*"}, find_run},
        {"DELETE", {"v1", "runs", "*"}, cancel_run},
        {"GET", {"v1", "runs", "*", "events"}, run_events},
        {"POST", {"v1", "reload"}, reload},
    };
    return table;
}

bool matches(const Route& route, const std::vector<std::string_view>& segments, Segments& names) {
    if (route.path.size() != segments.size()) return false;
    names.clear();
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (route.path[i] == "*")
            names.emplace_back(segments[i]);
        else if (route.path[i] != segments[i])
            return false;
    }
    return true;
}

int status_of(base::ErrorCode code) {
    switch (code) {
        case base::ErrorCode::not_found: return 404;
        case base::ErrorCode::conflict: return 409;
        case base::ErrorCode::invalid_argument: return 400;
        case base::ErrorCode::interrupted: return 503;
        default: return 500;
    }
}

}  // namespace

asio::awaitable<HttpAnswer> answer_request(Control& control, HttpRequest request) {
    const std::string_view path = request.path;
    const auto segments = base::split(path.starts_with('/') ? path.substr(1) : path, '/');
    std::string allowed;
    Segments names;
    const Route* chosen = nullptr;
    for (const auto& route : routes()) {
        Segments found;
        if (!matches(route, segments, found)) continue;
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method;
        if (route.method != request.method) continue;
        chosen = &route;
        names = std::move(found);
    }
    if (chosen == nullptr && allowed.empty())
        co_return error_answer(
            404, {base::ErrorCode::not_found, fmt::format("there is no route {}", base::printable(request.path)), {}});
    if (chosen == nullptr) {
        auto answer = error_answer(405, {base::ErrorCode::invalid_argument,
                                         fmt::format("{} is not for this route", base::printable(request.method)),
                                         fmt::format("use {}", allowed)});
        answer.allow = allowed;
        co_return answer;
    }
    std::exception_ptr failure;
    HttpAnswer answer;
    try {
        answer = co_await chosen->answer(control, std::move(names));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const auto error = base::to_error(failure);
        answer = error_answer(status_of(error.code()), error);
    }
    co_return answer;
}

std::string event_text(std::string_view name, const boost::json::object& data) {
    return fmt::format("event: {}\ndata: {}\n\n", name, model::compact(data));
}

}  // namespace pgbakd::service
