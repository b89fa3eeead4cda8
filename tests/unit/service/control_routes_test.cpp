#include "service/control_routes.hpp"

#include <fmt/format.h>

#include "model/json.hpp"
#include "support/catch.hpp"

namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace model = pgbakd::model;
namespace service = pgbakd::service;

namespace {

class Scripted final : public service::Control {
  public:
    asio::awaitable<std::vector<service::Text>> status(async::StopToken stop) override {
        stop.check();
        std::vector<service::Text> pieces{std::make_shared<const std::string>("{\"daemon\":"),
                                          std::make_shared<const std::string>("\"here\"}")};
        co_return pieces;
    }
    asio::awaitable<std::string> reports(service::ReportQuery query) override {
        co_return fmt::format("{} {} {} {}", query.page, query.page_size, query.job.value_or("-"),
                              query.status ? model::outcome_text(*query.status) : "-");
    }
    asio::awaitable<std::string> latest_report(service::ReportQuery query) override {
        co_return fmt::format("{} {}", query.job.value_or("-"),
                              query.status ? model::outcome_text(*query.status) : "-");
    }
    asio::awaitable<model::RunReport> await_run(std::string, async::StopToken stop) override {
        stop.check();
        co_return report;
    }
    asio::awaitable<std::string> report_text(model::RunReport given) override {
        co_return model::compact(model::json_run(given));
    }
    asio::awaitable<service::HealthVerdict> health() override {
        service::HealthVerdict verdict_now{healthy, {{"healthy", healthy}}};
        co_return verdict_now;
    }
    asio::awaitable<std::string> metrics(async::StopToken stop) override {
        stop.check();
        co_return std::string("x 1\n");
    }
    asio::awaitable<std::string> start_run(std::string job) override {
        asked = job;
        if (job == "busy") throw base::Error(base::ErrorCode::conflict, "a run of busy goes on already", "wait");
        co_return "01ARYZ6S410000000000000000";
    }
    asio::awaitable<std::string> start_milestone(std::string job, std::string name) override {
        asked = job + " " + name;
        co_return "01ARYZ6S410000000000000000";
    }
    asio::awaitable<model::RunReport> find_run(std::string run) override {
        throw base::Error(base::ErrorCode::not_found, "there is no run " + run);
        co_return model::RunReport{};
    }
    asio::awaitable<model::RunReport> cancel_run(std::string, async::StopToken stop) override {
        stop.check();
        co_return model::RunReport{};
    }
    asio::awaitable<void> follow_run(std::string, service::EventWriter) override { co_return; }
    asio::awaitable<service::ReloadVerdict> reload() override { co_return verdict; }
    asio::awaitable<boost::json::object> test_alert(std::optional<std::string> /*channel*/) override {
        co_return boost::json::object{};
    }
    std::string asked;
    service::ReloadVerdict verdict;
    model::RunReport report;
    bool healthy = true;
};

// `target` as it stands in a request.
service::HttpAnswer ask(Scripted& control, std::string method, const std::string& target, std::string body = {},
                        async::StopToken stop = {}) {
    asio::io_context io;
    service::HttpAnswer answer;
    std::exception_ptr failure;
    service::HttpRequest request;
    service::read_target(target, request).value();
    request.method = std::move(method);
    request.body = std::move(body);
    request.stop = std::move(stop);
    asio::co_spawn(io, service::answer_request(control, std::move(request)),
                   [&](const std::exception_ptr& thrown, service::HttpAnswer given) {
                       failure = thrown;
                       answer = std::move(given);
                   });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return answer;
}

std::string header(const service::HttpAnswer& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers)
        if (key == name) return value;
    return {};
}

std::string message(const service::HttpAnswer& answer) {
    return std::string(model::parse_json(answer.text(), 10'000).value().at("error").at("message").as_string());
}

std::string hint(const service::HttpAnswer& answer) {
    return std::string(model::parse_json(answer.text(), 10'000).value().at("error").at("hint").as_string());
}

}  // namespace

TEST_CASE("each route answers with its status, and an error with code, message and hint") {
    Scripted control;
    CHECK(ask(control, "GET", "/v1/status").status == 200);
    CHECK(ask(control, "POST", "/v1/jobs/shop%20daily/runs").status == 202);
    CHECK(control.asked == "shop daily");
    CHECK(ask(control, "POST", "/v1/jobs/releases/milestones/mvp").status == 202);
    CHECK(control.asked == "releases mvp");
    CHECK(ask(control, "GET", "/v1/jobs/releases/milestones/mvp").status == 405);
    const auto busy = ask(control, "POST", "/v1/jobs/busy/runs");
    CHECK(busy.status == 409);
    const auto error = model::parse_json(busy.text(), 10'000).value().at("error").as_object();
    CHECK(error.at("code") == "conflict");
    CHECK(error.at("message") == "a run of busy goes on already");
    CHECK(error.at("hint") == "wait");
    CHECK(ask(control, "GET", "/v1/runs/x").status == 404);
    CHECK(ask(control, "GET", "/v1/runs/x/events").status == 404);
    CHECK(ask(control, "DELETE", "/v1/runs/x").status == 200);
}

TEST_CASE("what is no route is 404, and a wrong method 405 with those that fit") {
    Scripted control;
    for (const auto* path : {"", "/", "*", "/v1/", "/v1/jobs", "/v1/status/", "//v1/status", "/v1/runs/a/b/c"}) {
        CAPTURE(path);
        CHECK(ask(control, "GET", path).status == 404);
    }
    const auto wrong = ask(control, "PUT", "/v1/runs/x");
    CHECK(wrong.status == 405);
    CHECK(header(wrong, "Allow") == "GET, HEAD, DELETE, OPTIONS");
    CHECK(hint(wrong) == "use GET, HEAD, DELETE, OPTIONS");
    CHECK(hint(ask(control, "GET", "/nowhere")).find("GET /v1/backups/latest") != std::string::npos);
}

TEST_CASE("a reload that is refused is 422 and lists every problem") {
    Scripted control;
    control.verdict.problems.push_back(
        {pgbakd::config::Problem::Severity::error, "/etc/pgbakd.yaml", 3, 5, "jobs.a", "is wrong", "mend it"});
    const auto refused = ask(control, "POST", "/v1/reload");
    CHECK(refused.status == 422);
    const auto body = model::parse_json(refused.text(), 10'000).value();
    CHECK(body.at("accepted") == false);
    CHECK(body.at("problems").at(0).at("line") == 3);
    control.verdict = {true, {"job a added"}, {}};
    const auto accepted = ask(control, "POST", "/v1/reload");
    CHECK(accepted.status == 200);
    CHECK(model::parse_json(accepted.text(), 10'000).value().at("changes").at(0) == "job a added");
}

TEST_CASE("HEAD answers as GET does, without the body; OPTIONS tells the methods") {
    Scripted control;
    const auto head = ask(control, "HEAD", "/v1/status");
    CHECK(head.status == 200);
    CHECK(head.head_only);
    CHECK(head.size() == ask(control, "GET", "/v1/status").size());
    CHECK(ask(control, "HEAD", "/v1/reload").status == 405);
    CHECK(ask(control, "HEAD", "/nowhere").head_only);
    const auto options = ask(control, "OPTIONS", "/v1/runs/x");
    CHECK(options.status == 204);
    CHECK(header(options, "Allow") == "GET, HEAD, DELETE, OPTIONS");
    CHECK(header(ask(control, "OPTIONS", "/v1/reload"), "Allow") == "POST, OPTIONS");
    CHECK(header(ask(control, "OPTIONS", "*"), "Allow") == "GET, HEAD, POST, DELETE, OPTIONS");
    CHECK(ask(control, "OPTIONS", "/nowhere").status == 404);
}

TEST_CASE("parameters reach the operations, and wrong ones are 400 that names them") {
    Scripted control;
    CHECK(ask(control, "GET", "/v1/backups").text() == "1 10 - -");
    CHECK(ask(control, "GET", "/v1/backups?page=3&page_size=200&status=FAILED&job=shop-daily").text() ==
          "3 200 shop-daily FAILED");
    CHECK(ask(control, "GET", "/v1/backups/latest?job=&status=SUCCESS").text() == "- SUCCESS");
    for (const auto* target :
         {"/v1/backups?page=0", "/v1/backups?page_size=201", "/v1/backups?status=FOO", "/v1/backups/latest?page=1",
          "/v1/status?verbose=1", "/v1/reload?x=1", "/v1/jobs/a/runs?wait=yes", "/metrics?match=1", "/healthz?deep"}) {
        CAPTURE(target);
        const auto answer = ask(
            control,
            std::string_view(target).find("/v1/jobs") == 0 || std::string_view(target).find("/v1/reload") == 0 ? "POST"
                                                                                                               : "GET",
            target);
        CHECK(answer.status == 400);
        CHECK_FALSE(message(answer).empty());
        CHECK_FALSE(hint(answer).empty());
    }
    CHECK(control.asked.empty());
    CHECK(ask(control, "POST", "/v1/jobs/a/runs", R"({"wait":true})").status == 400);
    CHECK(ask(control, "POST", "/v1/jobs/a/runs", " {} \n").status == 202);
}

TEST_CASE("whoever waits for a run is told what became of it") {
    Scripted control;
    control.report.run = base::RunId::parse("01ARYZ6S410000000000000000").value();
    control.report.job = "shop";
    control.report.outcome = model::Outcome::success;
    control.report.set = "shop/20260110_020000";
    control.report.started_at = base::Timestamp(std::chrono::seconds(1'768'003'200));
    control.report.finished_at = control.report.started_at + std::chrono::milliseconds(4100);
    control.report.targets = {{"r2", "copied", 10, "checksum", ""}};
    const auto told = [&control](std::string_view target) {
        const auto answer = ask(control, "POST", std::string(target));
        REQUIRE(answer.status == 200);
        return model::parse_json(answer.text(), 10'000).value().as_object();
    };
    auto body = told("/v1/jobs/shop/runs?wait=true");
    CHECK(body.at("success") == true);
    CHECK(body.at("uploaded") == true);
    CHECK(body.at("message") == "shop/20260110_020000 in 4.1 s");
    CHECK(body.at("status") == "SUCCESS");
    CHECK(body.at("job") == "shop");
    control.report.targets.push_back({"nas", "owed", 0, "", "away"});
    control.report.outcome = model::Outcome::warning;
    body = told("/v1/jobs/shop/milestones/mvp?wait=true");
    CHECK(body.at("success") == true);
    CHECK(body.at("uploaded") == false);
    control.report.outcome = model::Outcome::failed;
    control.report.error = {"unreachable", "the server does not answer", "start it"};
    control.report.targets.clear();
    body = told("/v1/jobs/shop/runs?wait=true");
    CHECK(body.at("success") == false);
    CHECK(body.at("uploaded") == false);
    CHECK(body.at("message") == "the server does not answer");
}

TEST_CASE("what a client waits for is waited for no longer when it has gone") {
    Scripted control;
    async::StopSource gone;
    gone.stop({base::ErrorCode::cancelled, "the client has gone"});
    for (const auto* route : {"GET /v1/status", "GET /metrics", "DELETE /v1/runs/01ARYZ6S410000000000000000",
                              "POST /v1/jobs/shop/runs?wait=true"}) {
        const std::string text(route);
        const auto space = text.find(' ');
        const auto answer = ask(control, text.substr(0, space), text.substr(space + 1), {}, gone.token());
        CHECK(answer.status == 500);
        CHECK(message(answer) == "the client has gone");
    }
}

TEST_CASE("health is told by the status, metrics as Prometheus wants them, and the routes by themselves") {
    Scripted control;
    CHECK(ask(control, "GET", "/healthz").status == 200);
    control.healthy = false;
    CHECK(ask(control, "GET", "/healthz").status == 503);
    CHECK(ask(control, "GET", "/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8");
    const auto listed = model::parse_json(ask(control, "GET", "/v1").text(), 10'000).value();
    CHECK(listed.at("routes").as_array().size() == service::route_names().size());
    CHECK(listed.at("routes").at(0).at("path") == "/v1");
}
