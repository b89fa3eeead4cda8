#include "alert/answer.hpp"

#include "unit/alert/support.hpp"

using namespace pgbakd;
using namespace alerts;
using namespace std::chrono_literals;
using Outcome = alert::Delivery::Outcome;

namespace {

const auto now = at("2026-01-12T16:00:00Z");

alert::Delivery judged(int status, std::vector<http::Header> headers = {}, std::string body = {}) {
    http::Response response;
    response.status = status;
    response.headers = std::move(headers);
    response.body = std::move(body);
    return alert::judge(response, "https://hook.example.com", "mend it", now);
}

}  // namespace

TEST_CASE("what a status means for an alert") {
    struct Row {
        int status;
        Outcome outcome;
        std::string message, hint;
    };
    for (const auto& [status, outcome, message, hint] : std::vector<Row>{
             {200, Outcome::delivered, "", ""},
             {204, Outcome::delivered, "", ""},
             {301, Outcome::refused, "it wants to be asked elsewhere (status 301)",
              "give the URL that it redirects to; redirects are not followed"},
             {308, Outcome::refused, "it wants to be asked elsewhere (status 308)",
              "give the URL that it redirects to; redirects are not followed"},
             {400, Outcome::rejected, "it does not take this message (status 400)", ""},
             {401, Outcome::refused, "it does not know us (status 401)", "mend it"},
             {403, Outcome::refused, "it refuses us (status 403)", "mend it"},
             {404, Outcome::refused, "there is nothing at this URL (status 404)", "mend it"},
             {405, Outcome::refused, "it refuses the request (status 405)", "check the URL"},
             {408, Outcome::try_again, "it waited too long for us (status 408)", ""},
             {410, Outcome::refused, "there is nothing at this URL (status 410)", "mend it"},
             {413, Outcome::rejected, "the message is too large for it (status 413)", ""},
             {422, Outcome::rejected, "it does not take this message (status 422)", ""},
             {425, Outcome::try_again, "it wants a pause (status 425)", ""},
             {429, Outcome::try_again, "it wants a pause (status 429)", ""},
             {500, Outcome::try_again, "it failed (status 500)", "look into the service's own log"},
             {503, Outcome::try_again, "it failed (status 503)", "look into the service's own log"},
             {599, Outcome::try_again, "it failed (status 599)", "look into the service's own log"},
         }) {
        INFO(status);
        const auto delivery = judged(status, {}, "secret words");
        CHECK(delivery.outcome == outcome);
        CHECK(delivery.error.has_value() == (outcome != Outcome::delivered));
        if (!delivery.error) continue;
        CHECK(delivery.error->message() == "https://hook.example.com: " + message);
        CHECK(delivery.error->hint() == hint);
        CHECK(delivery.error->is_passing() == (outcome == Outcome::try_again));
    }
}

TEST_CASE("how long a channel wants to be left alone") {
    struct Row {
        int status;
        std::vector<http::Header> headers;
        std::string body;
        std::chrono::milliseconds pause;
    };
    for (const auto& [status, headers, body, pause] : std::vector<Row>{
             {200, {}, "", 0ms},
             {429, {}, "", 0ms},
             {429, {{"retry-after", "7"}}, "", 7s},
             {503, {{"retry-after", "7"}}, "", 7s},
             {429, {{"retry-after", "0.25"}}, "", 250ms},
             {429, {{"retry-after", "Mon, 12 Jan 2026 16:01:00 GMT"}}, "", 60s},
             // By the clock of the server, which is an hour ahead.
             {429,
              {{"retry-after", "Mon, 12 Jan 2026 17:01:00 GMT"}, {"date", "Mon, 12 Jan 2026 17:00:00 GMT"}},
              "",
              60s},
             {429, {{"retry-after", "Mon, 12 Jan 2026 15:00:00 GMT"}}, "", 0ms},
             {429, {{"retry-after", "soon"}}, "", 0ms},
             {429, {{"retry-after", "-5"}}, "", 0ms},
             {429, {{"retry-after", "nan"}}, "", 0ms},
             {429, {{"retry-after", "1e99"}}, "", 0ms},
             {429, {{"retry-after", "99999999999999999999"}}, "", 24h},
             // Discord's.
             {429, {{"retry-after", "2"}, {"x-ratelimit-reset-after", "1.4705"}}, R"({"retry_after":3.2})", 3200ms},
             {429, {{"x-ratelimit-reset-after", "1.4705"}}, R"({"message":"You are being rate limited."})", 1471ms},
             {429, {}, R"({"retry_after":1e300})", 24h},
             {429, {}, R"({"retry_after":"1"})", 0ms},
             {429, {}, R"([1])", 0ms},
             {429, {}, "<html>", 0ms},
             {200, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset-after", "1.25"}}, "", 1250ms},
             {200, {{"x-ratelimit-remaining", "3"}, {"x-ratelimit-reset-after", "1.25"}}, "", 0ms},
             {200, {}, R"({"retry_after":3})", 0ms},
         }) {
        INFO(status << " " << body << " " << (headers.empty() ? "" : headers.front().value));
        CHECK(judged(status, headers, body).pause == pause);
    }
}

TEST_CASE("dates of HTTP") {
    CHECK(alert::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == at("1994-11-06T08:49:37Z"));
    for (const auto* const text :
         {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Noo 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"})
        CHECK_FALSE(alert::parse_http_date(text));
}

TEST_CASE("a passing error is tried again, another needs somebody") {
    const base::Error lost(base::ErrorCode::unreachable, "lost", {}, base::Persistence::passing);
    CHECK(alert::judge(lost).outcome == Outcome::try_again);
    CHECK(alert::judge(base::Error(base::ErrorCode::authentication_failed, "wrong")).outcome == Outcome::refused);
}
