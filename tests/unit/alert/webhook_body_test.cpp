#include "alert/webhook_body.hpp"

#include "unit/alert/support.hpp"

using namespace pgbakd;
using namespace alerts;

TEST_CASE("one alert is its own JSON, several are a digest") {
    const auto one = failed("one");
    const auto two = failed("two");
    CHECK(alert::webhook_body({one}) == model::to_json(one));
    CHECK(alert::webhook_body({one, two}) ==
          R"({"format":"pgbakd-digest/1","alerts":[)" + model::to_json(one) + "," + model::to_json(two) + "]}");
}

TEST_CASE("a digest of the longest alerts holds all of them, shortened") {
    auto alert = failed();
    alert.message = std::string(100'000, '\x01');
    alert.hint = alert.message;
    const auto body = alert::webhook_body(std::vector(500, alert));
    CHECK(body.size() <= alert::most_webhook_bytes);
    const auto value = model::parse_json(body, alert::most_webhook_bytes).value();
    CHECK(value.as_object().at("alerts").as_array().size() == 500);
}

TEST_CASE("the signature is an HMAC over the body") {
    // RFC 4231, test case 2.
    CHECK(alert::webhook_signature(base::Secret("Jefe"), "what do ya want for nothing?") ==
          "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
