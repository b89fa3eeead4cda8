// Any bytes as one HTTP request, through the parser, the token's check, the query and the routes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/json.hpp"
#include "service/authorization.hpp"
#include "service/control_routes.hpp"

using namespace pgbakd;

namespace {

// Answers everything, and believes nobody.
class Everything final : public service::Control {
  public:
    asio::awaitable<std::vector<service::Text>> status(async::StopToken) override {
        std::vector<service::Text> pieces;
        co_return pieces;
    }
    asio::awaitable<std::string> reports(service::ReportQuery query) override {
        if (query.page < 1 || query.page > service::largest_page) std::abort();
        if (query.page_size < 1 || query.page_size > service::largest_page_size) std::abort();
        co_return std::string();
    }
    asio::awaitable<std::string> latest_report(service::ReportQuery) override { co_return std::string(); }
    asio::awaitable<std::string> start_run(std::string) override { co_return std::string("run"); }
    asio::awaitable<std::string> start_milestone(std::string, std::string) override { co_return std::string("run"); }
    asio::awaitable<model::RunReport> find_run(std::string) override { co_return model::RunReport{}; }
    asio::awaitable<model::RunReport> await_run(std::string, async::StopToken) override {
        co_return model::RunReport{};
    }
    asio::awaitable<std::string> report_text(model::RunReport report) override {
        co_return model::compact(model::json_run(report));
    }
    asio::awaitable<model::RunReport> cancel_run(std::string, async::StopToken) override {
        co_return model::RunReport{};
    }
    asio::awaitable<void> follow_run(std::string, service::EventWriter) override { co_return; }
    asio::awaitable<service::ReloadVerdict> reload() override { co_return service::ReloadVerdict{}; }
    asio::awaitable<boost::json::object> test_alert(std::optional<std::string> /*channel*/) override {
        co_return boost::json::object{};
    }
    asio::awaitable<service::HealthVerdict> health() override { co_return service::HealthVerdict{}; }
    asio::awaitable<std::string> metrics(async::StopToken) override { co_return std::string(); }
};

// What every answer must be: a status that HTTP has, a head of one line each, errors with their three members.
void check(const service::HttpAnswer& answer) {
    if (answer.status < 200 || answer.status > 599) std::abort();
    const auto head = service::head_text(answer, service::Framing::length, true);
    if (head.find("\r\n\r\n") != head.size() - 4) std::abort();
    if (answer.status < 400 || answer.status == 422 || answer.status == 503) return;
    const auto body = model::parse_json(answer.text(), std::size_t{1} << 20U);
    if (!body) std::abort();
    const auto& error = body->at("error").as_object();
    if (error.at("code").as_string().empty() || error.at("message").as_string().empty()) std::abort();
    (void)error.at("hint").as_string();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto understood = service::understand({reinterpret_cast<const char*>(data), size});
    service::TokenGuard guard(std::array<std::byte, 32>{});
    guard.set_token(base::Secret("0123456789abcdef"));
    (void)guard.admits(understood.authorization);
    if (understood.refusal) {
        check(*understood.refusal);
        return 0;
    }
    asio::io_context io;
    Everything control;
    service::HttpAnswer answer;
    asio::co_spawn(io, service::answer_request(control, std::move(understood.request)),
                   [&](const std::exception_ptr& thrown, service::HttpAnswer given) {
                       if (thrown) std::abort();
                       answer = std::move(given);
                   });
    io.run();
    check(answer);
    return 0;
}
