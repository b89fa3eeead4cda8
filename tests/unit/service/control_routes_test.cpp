#include "service/control_routes.hpp"

#include "model/json.hpp"
#include "support/catch.hpp"

namespace asio = pgbakd::asio;
namespace base = pgbakd::base;
namespace model = pgbakd::model;
namespace service = pgbakd::service;

namespace {

class Scripted final : public service::Control {
  public:
    asio::awaitable<boost::json::object> status() override { co_return boost::json::object{{"daemon", "here"}}; }
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
    asio::awaitable<model::RunReport> cancel_run(std::string) override { co_return model::RunReport{}; }
    asio::awaitable<void> follow_run(std::string, service::EventWriter) override { co_return; }
    asio::awaitable<service::ReloadVerdict> reload() override { co_return verdict; }
    std::string asked;
    service::ReloadVerdict verdict;
};

service::HttpAnswer ask(Scripted& control, std::string method, std::string path) {
    asio::io_context io;
    service::HttpAnswer answer;
    std::exception_ptr failure;
    asio::co_spawn(io, service::answer_request(control, {std::move(method), std::move(path), {}, {}}),
                   [&](const std::exception_ptr& thrown, service::HttpAnswer given) {
                       failure = thrown;
                       answer = std::move(given);
                   });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return answer;
}

}  // namespace

TEST_CASE("each route answers with its status, and an error with code, message and hint") {
    Scripted control;
    CHECK(ask(control, "GET", "/v1/status").status == 200);
    CHECK(ask(control, "POST", "/v1/jobs/shop daily/runs").status == 202);
    CHECK(control.asked == "shop daily");
    CHECK(ask(control, "POST", "/v1/jobs/releases/milestones/mvp").status == 202);
    CHECK(control.asked == "releases mvp");
    CHECK(ask(control, "GET", "/v1/jobs/releases/milestones/mvp").status == 405);
    const auto busy = ask(control, "POST", "/v1/jobs/busy/runs");
    CHECK(busy.status == 409);
    const auto error = model::parse_json(busy.body, 10'000).value().at("error").as_object();
    CHECK(error.at("code") == "conflict");
    CHECK(error.at("message") == "a run of busy goes on already");
    CHECK(error.at("hint") == "wait");
    CHECK(ask(control, "GET", "/v1/runs/x").status == 404);
    CHECK(ask(control, "GET", "/v1/runs/x/events").status == 404);
    CHECK(ask(control, "DELETE", "/v1/runs/x").status == 200);
}

TEST_CASE("what is no route is 404, and a wrong method 405 with those that fit") {
    Scripted control;
    for (const auto* path : {"", "/", "/v1", "/v1/", "/v1/jobs", "/v1/status/", "//v1/status", "/v1/runs/a/b/c"}) {
        CAPTURE(path);
        CHECK(ask(control, "GET", path).status == 404);
    }
    const auto wrong = ask(control, "PUT", "/v1/runs/x");
    CHECK(wrong.status == 405);
    CHECK(wrong.allow == "GET, DELETE");
}

TEST_CASE("a reload that is refused is 422 and lists every problem") {
    Scripted control;
    control.verdict.problems.push_back(
        {pgbakd::config::Problem::Severity::error, "/etc/pgbakd.yaml", 3, 5, "jobs.a", "is wrong", "mend it"});
    const auto refused = ask(control, "POST", "/v1/reload");
    CHECK(refused.status == 422);
    const auto body = model::parse_json(refused.body, 10'000).value();
    CHECK(body.at("accepted") == false);
    CHECK(body.at("problems").at(0).at("line") == 3);
    control.verdict = {true, {"job a added"}, {}};
    const auto accepted = ask(control, "POST", "/v1/reload");
    CHECK(accepted.status == 200);
    CHECK(model::parse_json(accepted.body, 10'000).value().at("changes").at(0) == "job a added");
}
