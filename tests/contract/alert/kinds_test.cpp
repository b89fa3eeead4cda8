// What each kind of channel says, as the service gets it.
#include "alert/discord_message.hpp"
#include "alert/webhook_body.hpp"
#include "bench.hpp"

using namespace contract;
using namespace std::chrono_literals;
using base::ErrorCode;
using model::AlertKind;

namespace {

std::string body_of(const std::string& request) {
    return request.substr(request.find("\r\n\r\n") + 4);
}

std::string first_line(const std::string& request) {
    return request.substr(0, request.find("\r\n"));
}

std::vector<model::Alert> several(std::size_t count) {
    std::vector<model::Alert> alerts;
    for (std::size_t i = 0; i < count; ++i)
        alerts.push_back(alert_of(AlertKind::run_failed, "job" + std::to_string(i)));
    return alerts;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

std::string the_one_taken() {
    const auto messages = Services::get().taken();
    REQUIRE(messages.size() == 1);
    return messages.front();
}

asio::awaitable<void> stop_after(async::StopSource& source, std::chrono::milliseconds pause) {
    co_await async::sleep_for(pause, {});
    source.stop({ErrorCode::cancelled, "enough"});
}

}  // namespace

TEST_CASE("Discord gets a message, and is asked to confirm that it has it") {
    Bench bench(Discord::spec(Lead::right));
    for (const std::size_t count : {1UL, 12UL}) {
        Services::get().behave("ok");
        CHECK(bench.deliver(several(count)).outcome == Outcome::delivered);
        const auto request = the_one_taken();
        CHECK(first_line(request) == "POST /api/webhooks/1/hidden-word?wait=true HTTP/1.1");
        CHECK(has(request, "\r\nContent-Type: application/json\r\n"));
        CHECK(body_of(request) == alert::discord_message(several(count)));
    }
}

TEST_CASE("a webhook gets JSON, its headers and a signature") {
    Bench bench(Webhook::spec(Lead::right));
    for (const std::size_t count : {1UL, 12UL}) {
        Services::get().behave("ok");
        CHECK(bench.deliver(several(count)).outcome == Outcome::delivered);
        const auto request = the_one_taken();
        CHECK(first_line(request) == "POST /hook?token=hidden-word HTTP/1.1");
        CHECK(has(request, "\r\nX-Team: data\r\n"));
        CHECK(has(request, "\r\nAuthorization: Bearer hidden-word\r\n"));
        const auto body = alert::webhook_body(several(count));
        CHECK(body_of(request) == body);
        CHECK(has(request, "\r\nX-Pgbakd-Signature: " + alert::webhook_signature(base::Secret(hidden), body) + "\r\n"));
    }
}

TEST_CASE("a heartbeat hears of starts, successes and failures with their cause, one after another") {
    auto spec = Heartbeat::spec(Lead::right);
    auto& place = std::get<model::HeartbeatPlace>(spec.place);
    place.url = secret(std::string(place.url.literal.reveal()) + "/?create=1");
    Bench bench(spec);
    Services::get().behave("ok");
    auto failed = alert_of(AlertKind::run_failed);
    failed.message = std::string(20'000, 'm');
    CHECK(bench
              .deliver({alert_of(AlertKind::run_started), failed, alert_of(AlertKind::run_started),
                        alert_of(AlertKind::run_succeeded)})
              .outcome == Outcome::delivered);
    const auto requests = Services::get().taken();
    REQUIRE(requests.size() == 4);
    CHECK(first_line(requests[0]) == "GET /hidden-word/start?create=1 HTTP/1.1");
    CHECK(first_line(requests[1]) == "POST /hidden-word/fail?create=1 HTTP/1.1");
    CHECK(body_of(requests[1]).size() == 10'000);
    CHECK(first_line(requests[3]) == "GET /hidden-word/?create=1 HTTP/1.1");

    const auto test = bench.deliver({alert_of(AlertKind::test)});
    CHECK(test.outcome == Outcome::rejected);
    CHECK(Services::get().taken().empty());
}

TEMPLATE_TEST_CASE("a mail arrives whole, at everybody, with a login", "", contract::Mail, contract::MailByStarttls) {
    Bench bench(TestType::spec(Lead::right));
    for (const std::size_t count : {1UL, 12UL}) {
        Services::get().behave("ok");
        CHECK(bench.deliver(several(count)).outcome == Outcome::delivered);
        const auto mail = the_one_taken();
        CHECK(mail.starts_with("MAIL FROM:<pgbakd@example.com>"));
        CHECK(has(mail, "\r\nRCPT TO:<dba@example.com>\r\nRCPT TO:<ops@example.com>\r\n"));
        CHECK(has(mail, "\r\nTo: dba@example.com,\r\n ops@example.com\r\n"));
        CHECK(has(mail, "pg_dump: gr=C3=B6=C3=9Fer\r\n.\r\n@everyone\r\n"));
        CHECK(mail.ends_with("time: 2026-01-12 16:00:01 UTC\r\n"));
    }
}

TEST_CASE("what a mail server refuses, and what it means") {
    struct Row {
        std::string behaviour, scheme;
        Outcome outcome;
        ErrorCode code;
        std::string message;
    };
    for (const auto& [behaviour, scheme, outcome, code, message] : std::vector<Row>{
             {"bad-password", "smtps", Outcome::refused, ErrorCode::authentication_failed,
              "the server refuses user or password (535)"},
             {"busy-auth", "smtp", Outcome::try_again, ErrorCode::server_error,
              "the server cannot authenticate now (454)"},
             {"no-auth", "smtps", Outcome::refused, ErrorCode::unsupported, "offers no way to authenticate"},
             {"no-starttls", "smtp", Outcome::refused, ErrorCode::unsupported, "does not offer STARTTLS"},
             {"throttled", "smtps", Outcome::try_again, ErrorCode::server_error,
              "the server refuses the sender: 450 4.7.1 later"},
             {"failing", "smtp", Outcome::try_again, ErrorCode::server_error,
              "the server refuses the sender: 421 4.3.0 closing"},
             {"refusing", "smtps", Outcome::refused, ErrorCode::server_error,
              "the server refuses every recipient: 550 5.1.1 no such user"},
             {"rejecting", "smtps", Outcome::rejected, ErrorCode::conflict,
              "the server refuses the message: 554 5.7.1 looks like spam"},
             {"close", "smtps", Outcome::try_again, ErrorCode::unreachable, "smtps://localhost:"},
         }) {
        INFO(behaviour);
        Bench bench(Mail::spec_at(Mail::url(scheme, Lead::right)));
        const auto delivery = bench.deliver_to(behaviour);
        REQUIRE(delivery.error);
        INFO(delivery.error->message());
        CHECK(delivery.outcome == outcome);
        CHECK(delivery.error->code() == code);
        CHECK(has(delivery.error->message(), message));
    }
}

TEST_CASE("one recipient who has left keeps nobody else from the mail, and is told") {
    Bench bench(Mail::spec(Lead::right));
    const auto delivery = bench.deliver_to("one-unknown");
    CHECK(delivery.outcome == Outcome::delivered);
    CHECK(delivery.remark == "the mail server refuses 1 recipient: dba@example.com: 550 5.1.1 no such user");
    CHECK(has(the_one_taken(), "\r\nRCPT TO:<ops@example.com>\r\n"));
}

TEST_CASE("a recipient whom the server takes the mail for only later is told, and is none that was refused") {
    Bench bench(Mail::spec(Lead::right));
    const auto delivery = bench.deliver_to("greylisting");
    CHECK(delivery.outcome == Outcome::delivered);
    CHECK(delivery.remark ==
          "the mail server wants to be asked later for 1 recipient: ops@example.com: 450 4.2.0 "
          "greylisted, come again");
    REQUIRE(delivery.deferred.size() == 1);
    CHECK(delivery.deferred[0] == alert::Delivery::Deferred{"ops@example.com", "450 4.2.0 greylisted, come again"});
    CHECK_FALSE(has(the_one_taken(), "ops@example.com>"));
    // Where it is nobody's turn yet, all of it is tried again.
    auto spec = Mail::spec(Lead::right);
    std::get<model::MailPlace>(spec.place).to = {"ops@example.com", "gone@example.com"};
    Bench alone(spec);
    CHECK(alone.deliver_to("greylisting").outcome == Outcome::try_again);
}

TEST_CASE("a mail that is too large by the size it announces is refused as a whole, and a shorter one is taken") {
    Services::get().behave("limited");
    Bench bench(Mail::spec(Lead::right));
    const auto delivery = bench.deliver(several(200));
    CHECK(delivery.outcome == Outcome::rejected);
    REQUIRE(delivery.error);
    CHECK(has(delivery.error->message(), "the server refuses the message: 552 5.3.4 Message size exceeds"));
    CHECK(bench.deliver(several(2)).outcome == Outcome::delivered);
}

TEMPLATE_TEST_CASE("who has said that it has the message has it, though no body comes behind that", "",
                   contract::Discord, contract::Webhook, contract::Heartbeat) {
    for (const auto* const behaviour : {"cut", "withheld"}) {
        INFO(behaviour);
        Bench bench(TestType::spec(Lead::right), 700ms);
        CHECK(bench.deliver_to(behaviour).outcome == Outcome::delivered);
        CHECK(Services::get().taken().size() == 1);
    }
}

TEST_CASE("a mail that was taken is delivered, however the server takes its leave") {
    for (const auto* const behaviour : {"no-bye", "hang-up"}) {
        INFO(behaviour);
        Bench bench(Mail::spec(Lead::right));
        CHECK(bench.deliver_to(behaviour).outcome == Outcome::delivered);
        CHECK(Services::get().taken().size() == 1);
    }
}

TEST_CASE("a mail server that does not answer a whole message is left, by time or by a stop") {
    {
        Bench bench(Mail::spec(Lead::right), 1500ms);
        const auto delivery = bench.deliver_to("late");
        CHECK(delivery.outcome == Outcome::try_again);
        CHECK(delivery.error->code() == ErrorCode::timed_out);
    }
    Services::get().behave("late");
    Bench bench(Mail::spec(Lead::right), 1h);
    async::StopSource source;
    asio::co_spawn(bench.io(), stop_after(source, 500ms), [](const std::exception_ptr&) {});
    CHECK_THROWS_AS(bench.deliver({alert_of(AlertKind::run_failed)}, source.token()), base::Error);
}

TEST_CASE("a reactor that ends in the middle of a mail leaves nothing behind, and waits for nobody") {
    Services::get().behave("silent");
    const base::SystemClock clock;
    const auto begin = std::chrono::steady_clock::now();
    {
        asio::io_context io;
        const alert::Surroundings around{
            .executor = io.get_executor(),
            .clock = clock,
            .secret = [](const model::SecretReference& reference) { return reference.literal; },
            .patience = 1h};
        const auto channel = alert::make_channel(Mail::spec(Lead::right), around);
        asio::co_spawn(io, channel->deliver(several(1), {}), [](const std::exception_ptr&, const alert::Delivery&) {});
        io.run_for(200ms);
        CHECK_FALSE(io.stopped());
    }
    CHECK(std::chrono::steady_clock::now() - begin < 1min);
}

TEST_CASE("a secret that is no URL is refused when the channel is made, and not shown") {
    for (const std::string text : {"", "hidden-word", "ftp://hidden-word/", "https://", "https://a b/hidden-word",
                                   "https://a/hidden-word\r\nX: y"}) {
        model::ChannelSpec spec;
        spec.name = "ops";
        spec.place = model::DiscordPlace{secret(text)};
        try {
            const Bench bench(spec);
            FAIL("it was made");
        } catch (const base::Error& error) {
            CHECK(error.code() == ErrorCode::invalid_configuration);
            CHECK(error.message() == "the URL of channel ops is not an https:// or http:// URL");
            CHECK_FALSE(has(error.hint(), hidden));
        }
    }
}
