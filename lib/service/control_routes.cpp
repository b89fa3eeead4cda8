#include "service/control_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "base/units.hpp"
#include "model/json.hpp"

namespace pgbakd::service {
namespace {

// What a route's function is given: the names in its path, and the request.
struct Asked {
    std::vector<std::string> names;
    HttpRequest request;
};

// One route: its method, its path with the names of what varies in braces, its parameters, and what answers it.
struct Route {
    std::string_view method;
    std::vector<std::string_view> path;
    std::vector<std::string_view> parameters;
    asio::awaitable<HttpAnswer> (*answer)(Control& control, Asked asked);
};

const std::vector<Route>& routes();

asio::awaitable<HttpAnswer> list_routes(Control&, Asked) {
    boost::json::array list;
    for (const auto& [method, path] : route_names()) list.push_back({{"method", method}, {"path", path}});
    co_return json_answer(200, {{"version", PGBAKD_VERSION}, {"routes", std::move(list)}});
}

asio::awaitable<HttpAnswer> status(Control& control, Asked asked) {
    HttpAnswer answer;
    answer.body = co_await control.status(asked.request.stop);
    co_return answer;
}

asio::awaitable<HttpAnswer> list_reports(Control& control, Asked asked) {
    auto query = read_report_query(asked.request.query).value();
    auto body = co_await control.reports(std::move(query));
    co_return text_answer(200, std::move(body));
}

asio::awaitable<HttpAnswer> latest_report(Control& control, Asked asked) {
    auto query = read_report_query(asked.request.query).value();
    auto body = co_await control.latest_report(std::move(query));
    co_return text_answer(200, std::move(body));
}

// What became of a run, for a client that asked for it and waited; `text` is the whole report.
std::string conclusion(const model::RunReport& report, std::string_view text) {
    const bool good = report.outcome == model::Outcome::success || report.outcome == model::Outcome::warning;
    const auto is_there = [](const auto& target) { return target.status == "copied"; };
    const bool uploaded =
        !report.targets.empty() && std::all_of(report.targets.begin(), report.targets.end(), is_there);
    std::string message = report.error ? report.error->message : std::string(model::outcome_text(report.outcome));
    if (good) message = fmt::format("{} in {}", report.set, base::format_duration(report.duration()));
    auto front = model::compact({{"success", good}, {"message", model::json_text(message)}, {"uploaded", uploaded}});
    front.back() = ',';  // in place of the brace: the members of the report follow
    return front + std::string(text.substr(1));
}

asio::awaitable<HttpAnswer> started(Control& control, boost::json::object body, HttpRequest request) {
    const auto wait = read_wait(request.query).value();
    if (!wait) co_return json_answer(202, body);
    std::string run(body.at("run").as_string());
    const auto report = co_await control.await_run(std::move(run), request.stop);
    const auto text = co_await control.report_text(report);
    co_return text_answer(200, conclusion(report, text));
}

asio::awaitable<HttpAnswer> start_run(Control& control, Asked asked) {
    (void)read_wait(asked.request.query).value();
    const auto run = co_await control.start_run(asked.names.at(0));
    boost::json::object body{{"run", run}, {"job", asked.names.at(0)}};
    co_return co_await started(control, std::move(body), std::move(asked.request));
}

asio::awaitable<HttpAnswer> start_milestone(Control& control, Asked asked) {
    (void)read_wait(asked.request.query).value();
    const auto run = co_await control.start_milestone(asked.names.at(0), asked.names.at(1));
    boost::json::object body{{"run", run}, {"job", asked.names.at(0)}, {"milestone", asked.names.at(1)}};
    co_return co_await started(control, std::move(body), std::move(asked.request));
}

asio::awaitable<HttpAnswer> find_run(Control& control, Asked asked) {
    auto report = co_await control.find_run(asked.names.at(0));
    auto text = co_await control.report_text(std::move(report));
    co_return text_answer(200, std::move(text));
}

asio::awaitable<HttpAnswer> cancel_run(Control& control, Asked asked) {
    auto report = co_await control.cancel_run(asked.names.at(0), asked.request.stop);
    auto text = co_await control.report_text(std::move(report));
    co_return text_answer(200, std::move(text));
}

asio::awaitable<void> follow(Control& control, std::string run, EventWriter writer) {
    co_await control.follow_run(std::move(run), std::move(writer));
}

asio::awaitable<HttpAnswer> run_events(Control& control, Asked asked) {
    (void)co_await control.find_run(asked.names.at(0));
    HttpAnswer answer;
    answer.content_type = "text/event-stream";
    answer.events = [&control, run = asked.names.at(0)](EventWriter writer) {
        return follow(control, run, std::move(writer));
    };
    co_return answer;
}

asio::awaitable<HttpAnswer> test_alert(Control& control, Asked asked) {
    std::optional<std::string> channel;
    for (const auto& [name, value] : asked.request.query)
        if (name == "channel") channel = value;
    const auto body = co_await control.test_alert(std::move(channel));
    co_return json_answer(200, body);
}

asio::awaitable<HttpAnswer> reload(Control& control, Asked) {
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

asio::awaitable<HttpAnswer> health(Control& control, Asked) {
    const auto verdict = co_await control.health();
    co_return json_answer(verdict.healthy ? 200 : 503, verdict.facts);
}

asio::awaitable<HttpAnswer> metrics(Control& control, Asked asked) {
    auto text = co_await control.metrics(asked.request.stop);
    auto answer = text_answer(200, std::move(text));
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    co_return answer;
}

const std::vector<Route>& routes() {
    static const std::vector<Route> table{
        {"GET", {"v1"}, {}, list_routes},
        {"GET", {"v1", "status"}, {}, status},
        {"GET", {"v1", "backups"}, {"page", "page_size", "status", "job"}, list_reports},
        {"GET", {"v1", "backups", "latest"}, {"status", "job"}, latest_report},
        {"POST", {"v1", "jobs", "{job}", "runs"}, {"wait"}, start_run},
        {"POST", {"v1", "jobs", "{job}", "milestones", "{name}"}, {"wait"}, start_milestone},
        {"GET", {"v1", "runs", "{run}"}, {}, find_run},
        {"DELETE", {"v1", "runs", "{run}"}, {}, cancel_run},
        {"GET", {"v1", "runs", "{run}", "events"}, {}, run_events},
        {"POST", {"v1", "reload"}, {}, reload},
        {"POST", {"v1", "alerts", "test"}, {"channel"}, test_alert},
        {"GET", {"healthz"}, {}, health},
        {"GET", {"metrics"}, {}, metrics},
    };
    return table;
}

std::string path_text(const Route& route) {
    std::string text;
    for (const auto segment : route.path) text += fmt::format("/{}", segment);
    return text;
}

bool matches(const Route& route, const std::vector<std::string_view>& segments, std::vector<std::string>& names) {
    if (route.path.size() != segments.size()) return false;
    names.clear();
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (route.path[i].starts_with('{'))
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

HttpAnswer no_route(const std::string& path) {
    std::vector<std::string> all;
    for (const auto& [method, route] : route_names()) all.push_back(fmt::format("{} {}", method, route));
    return error_answer(404, {base::ErrorCode::not_found, fmt::format("there is no route {}", base::printable(path)),
                              fmt::format("routes: {}", base::join(all, ", "))});
}

// "GET, HEAD, DELETE, OPTIONS"
std::string allowed_methods(const std::vector<std::string_view>& methods) {
    std::vector<std::string> all;
    for (const auto method : methods) {
        if (std::find(all.begin(), all.end(), method) != all.end()) continue;
        all.emplace_back(method);
        if (method == "GET") all.emplace_back("HEAD");
    }
    all.emplace_back("OPTIONS");
    return base::join(all, ", ");
}

// The answer where no route's function is asked.
HttpAnswer answer_options(const std::string& allowed) {
    HttpAnswer answer;
    answer.status = 204;
    answer.headers.emplace_back("Allow", allowed);
    return answer;
}

HttpAnswer wrong_method(const std::string& method, const std::string& allowed) {
    auto answer = error_answer(
        405, {base::ErrorCode::invalid_argument, fmt::format("{} is not for this route", base::printable(method)),
              fmt::format("use {}", allowed)});
    answer.headers.emplace_back("Allow", allowed);
    return answer;
}

// What would be ignored is refused: a client that sends its wishes in a body learns that they stand in the query.
base::Status check_body(const HttpRequest& request) {
    const auto text = base::trim(request.body);
    if (text.empty() || text == "{}") return {};
    return base::Error(base::ErrorCode::invalid_argument, "this route takes no body",
                       "what can be said stands in the path and behind the \"?\"");
}

asio::awaitable<HttpAnswer> answer_by(Control& control, const Route& route, Asked asked) {
    std::exception_ptr failure;
    HttpAnswer answer;
    try {
        check_parameters(asked.request.query, route.parameters).value();
        check_body(asked.request).value();
        answer = co_await route.answer(control, std::move(asked));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const auto error = base::to_error(failure);
        answer = error_answer(status_of(error.code()), error);
    }
    co_return answer;
}

}  // namespace

std::vector<RouteName> route_names() {
    std::vector<RouteName> names;
    for (const auto& route : routes()) names.push_back({std::string(route.method), path_text(route)});
    return names;
}

asio::awaitable<HttpAnswer> answer_request(Control& control, HttpRequest request) {
    const std::string path = request.path;
    const bool head = request.method == "HEAD";
    const auto method = head ? std::string("GET") : request.method;
    const bool of_server = path == "*" && method == "OPTIONS";
    const auto segments = base::split(path.starts_with('/') ? std::string_view(path).substr(1) : path, '/');
    std::vector<std::string_view> methods;
    const Route* chosen = nullptr;
    Asked asked;
    for (const auto& route : routes()) {
        std::vector<std::string> found;
        if (!of_server && !(path.starts_with('/') && matches(route, segments, found))) continue;
        methods.push_back(route.method);
        if (route.method != method) continue;
        chosen = &route;
        asked.names = std::move(found);
    }
    HttpAnswer answer;
    if (methods.empty()) {
        answer = no_route(path);
    } else if (method == "OPTIONS") {
        answer = answer_options(allowed_methods(methods));
    } else if (chosen == nullptr) {
        answer = wrong_method(request.method, allowed_methods(methods));
    } else {
        asked.request = std::move(request);
        answer = co_await answer_by(control, *chosen, std::move(asked));
    }
    answer.head_only = head;
    co_return answer;
}

std::string event_text(std::string_view name, const boost::json::object& data) {
    return fmt::format("event: {}\ndata: {}\n\n", name, model::compact(data));
}

}  // namespace pgbakd::service
