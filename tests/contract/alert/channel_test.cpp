// What every channel keeps to, whatever the far side does.
#include "bench.hpp"

using namespace contract;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

std::size_t taken() {
    return Services::get().taken().size();
}

// Not enough for a service that does not end, and plenty for one that does.
constexpr auto impatient = 700ms;

asio::awaitable<void> stop_after(async::StopSource& source, std::chrono::milliseconds pause) {
    co_await async::sleep_for(pause, {});
    source.stop({ErrorCode::cancelled, "enough"});
}

}  // namespace

TEMPLATE_TEST_CASE("what is delivered is delivered once", "", CONTRACT_CHANNELS) {
    Bench bench(TestType::spec(Lead::right));
    CHECK(bench.deliver_to("ok").outcome == Outcome::delivered);
    CHECK(taken() == 1);
    CHECK(bench.deliver().outcome == Outcome::delivered);
    CHECK(taken() == 1);
}

TEMPLATE_TEST_CASE("a passing cause is tried again, and then delivered", "", CONTRACT_CHANNELS) {
    Bench bench(TestType::spec(Lead::right));
    for (const auto* const behaviour : {"throttled", "failing", "close", "reset"}) {
        INFO(behaviour);
        const auto failed = bench.deliver_to(behaviour);
        INFO((failed.error ? failed.error->message() : ""));
        CHECK(failed.outcome == Outcome::try_again);
        CHECK(failed.error->is_passing());
        CHECK(taken() == 0);
        CHECK(bench.deliver_to("ok").outcome == Outcome::delivered);
        CHECK(taken() == 1);
    }
}

TEMPLATE_TEST_CASE("a service that nobody runs is tried again", "", CONTRACT_CHANNELS) {
    const auto delivery = Bench(TestType::spec(Lead::nowhere)).deliver();
    CHECK(delivery.outcome == Outcome::try_again);
    CHECK(delivery.error->code() == ErrorCode::unreachable);
    CHECK(delivery.error->message().find(Services::get().port("closed")) != std::string::npos);
}

TEMPLATE_TEST_CASE("a service that takes its time is left within the patience", "", CONTRACT_CHANNELS) {
    for (const auto* const behaviour : {"silent", "trickle"}) {
        INFO(behaviour);
        Bench bench(TestType::spec(Lead::right), impatient);
        const auto delivery = bench.deliver_to(behaviour);
        CHECK(delivery.outcome == Outcome::try_again);
        CHECK(delivery.error->code() == ErrorCode::timed_out);
    }
}

TEMPLATE_TEST_CASE("an answer without end does no harm", "", CONTRACT_CHANNELS) {
    {
        Bench bench(TestType::spec(Lead::right), impatient);
        CHECK(bench.deliver_to("flood").outcome == Outcome::try_again);
    }
    // It has the message before it begins to talk.
    Bench bench(TestType::spec(Lead::right));
    CHECK(bench.deliver_to("oversized").outcome == Outcome::delivered);
    CHECK(taken() == 1);
}

TEMPLATE_TEST_CASE("a refusal needs somebody, and one of the message does not", "", CONTRACT_CHANNELS) {
    Bench bench(TestType::spec(Lead::right));
    const auto refused = bench.deliver_to("refusing");
    CHECK(refused.outcome == Outcome::refused);
    CHECK_FALSE(refused.error->is_passing());
    CHECK_FALSE(refused.error->hint().empty());
    CHECK(bench.deliver_to("rejecting").outcome == Outcome::rejected);
    CHECK(bench.deliver_to("garbage").outcome != Outcome::delivered);
    CHECK(taken() == 0);
    CHECK(bench.deliver_to("ok").outcome == Outcome::delivered);
}

TEMPLATE_TEST_CASE("a service whose certificate is not its own, or of nobody we trust, gets nothing", "",
                   CONTRACT_CHANNELS) {
    Services::get().behave("ok");
    const auto delivery = Bench(TestType::spec(Lead::untrusted)).deliver();
    CHECK(delivery.outcome == Outcome::refused);
    CHECK(delivery.error->code() == ErrorCode::authentication_failed);
    CHECK_FALSE(delivery.error->hint().empty());
    CHECK(taken() == 0);
}

TEMPLATE_TEST_CASE("a stop in the middle is told with its reason, and soon", "", CONTRACT_CHANNELS) {
    Services::get().behave("silent");
    Bench bench(TestType::spec(Lead::right), 1h);
    async::StopSource source;
    asio::co_spawn(bench.io(), stop_after(source, 300ms), [](const std::exception_ptr&) {});
    std::string told;
    try {
        (void)bench.deliver({alert_of(model::AlertKind::run_failed)}, source.token());
    } catch (const base::Error& error) {
        told = error.message();
    }
    CHECK(told == "enough");
    // And before it has begun.
    CHECK_THROWS_AS(bench.deliver({alert_of(model::AlertKind::run_failed)}, source.token()), base::Error);
    CHECK(bench.deliver_to("ok").outcome == Outcome::delivered);
}

TEMPLATE_TEST_CASE("a redirect is not followed", "", contract::Discord, contract::Webhook, contract::Heartbeat) {
    Bench bench(TestType::spec(Lead::right));
    const auto delivery = bench.deliver_to("redirect");
    CHECK(delivery.outcome == Outcome::refused);
    CHECK(delivery.error->hint().find("redirects are not followed") != std::string::npos);
}

TEMPLATE_TEST_CASE("the pause that a service asks for is told", "", contract::Discord, contract::Webhook,
                   contract::Heartbeat) {
    Bench bench(TestType::spec(Lead::right));
    CHECK(bench.deliver_to("throttled").pause == 7s);
    CHECK(bench.deliver_to("discord").pause == 3200ms);
    CHECK(bench.deliver_to("failing").pause == 0ms);
    // Also with a success, where nothing is left of the rate.
    CHECK(bench.deliver_to("ok").pause == 1500ms);
}
