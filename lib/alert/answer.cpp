#include "alert/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "model/json.hpp"

namespace pgbakd::alert {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;
using Outcome = Delivery::Outcome;

constexpr std::size_t most_of_body = 64UL * 1024;

milliseconds bounded(double seconds) {
    if (!(seconds > 0)) return milliseconds(0);
    const milliseconds longest = longest_asked;
    // Up, for a moment too early is asked for nothing.
    return milliseconds(
        static_cast<std::int64_t>(std::min(std::ceil(seconds * 1000), static_cast<double>(longest.count()))));
}

std::optional<double> number(std::string_view text) {
    text = base::trim(text);
    double value = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (failure != std::errc() || stopped != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

milliseconds retry_after(const http::Response& response, base::Timestamp now) {
    const auto text = response.header("retry-after");
    if (!text) return milliseconds(0);
    if (const auto seconds = number(*text)) return bounded(*seconds);
    const auto date = parse_http_date(*text);
    if (!date) return milliseconds(0);
    // By the server's own clock, where it tells that.
    const auto its_now = parse_http_date(response.header("date").value_or("")).value_or(now);
    return bounded(std::chrono::duration<double>(*date - its_now).count());
}

milliseconds rate_limit(const http::Response& response) {
    if (base::trim(response.header("x-ratelimit-remaining").value_or("")) != "0" && response.status != 429)
        return milliseconds(0);
    return bounded(number(response.header("x-ratelimit-reset-after").value_or("")).value_or(0));
}

milliseconds told_in_body(const http::Response& response) {
    if (response.status != 429 || response.body.size() > most_of_body) return milliseconds(0);
    const auto value = model::parse_json(response.body, most_of_body);
    const auto* const object = value ? value->if_object() : nullptr;
    const auto* const member = object == nullptr ? nullptr : object->if_contains("retry_after");
    return member != nullptr && member->is_number() ? bounded(member->to_number<double>()) : milliseconds(0);
}

Outcome outcome_of(int status) {
    if (status >= 200 && status < 300) return Outcome::delivered;
    if (status == 408 || status == 425 || status == 429 || status >= 500) return Outcome::try_again;
    if (status == 400 || status == 413 || status == 422) return Outcome::rejected;
    return Outcome::refused;
}

Error error_of(const http::Response& response, const std::string& origin, std::string_view hint) {
    const auto status = response.status;
    const auto message = [&](std::string_view fact) { return fmt::format("{}: {} (status {})", origin, fact, status); };
    if (status >= 300 && status < 400)
        return {ErrorCode::invalid_configuration, message("it wants to be asked elsewhere"),
                "give the URL that it redirects to; redirects are not followed"};
    switch (status) {
        case 401: return {ErrorCode::authentication_failed, message("it does not know us"), std::string(hint)};
        case 403: return {ErrorCode::permission_denied, message("it refuses us"), std::string(hint)};
        case 404:
        case 410: return {ErrorCode::not_found, message("there is nothing at this URL"), std::string(hint)};
        case 400:
        case 422: return {ErrorCode::server_error, message("it does not take this message")};
        case 413: return {ErrorCode::server_error, message("the message is too large for it")};
        case 408: return {ErrorCode::timed_out, message("it waited too long for us"), {}, base::Persistence::passing};
        case 425:
        case 429: return {ErrorCode::server_error, message("it wants a pause"), {}, base::Persistence::passing};
        default: break;
    }
    if (status >= 500)
        return {ErrorCode::server_error, message("it failed"), "look into the service's own log",
                base::Persistence::passing};
    return {ErrorCode::server_error, message("it refuses the request"), "check the URL"};
}

template <class T>
std::optional<T> digits(std::string_view text) {
    T value{};
    const auto* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, value);
    if (text.empty() || failure != std::errc() || stopped != end || value < 0) return std::nullopt;
    return value;
}

}  // namespace

std::optional<base::Timestamp> parse_http_date(std::string_view text) {
    using namespace std::chrono;
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    text = base::trim(text);
    if (text.size() != 29 || !text.ends_with(" GMT") || text[3] != ',' || text[19] != ':' || text[22] != ':')
        return std::nullopt;
    const auto* const month_found = std::ranges::find(months, text.substr(8, 3));
    const auto day_number = digits<int>(text.substr(5, 2));
    const auto year_number = digits<int>(text.substr(12, 4));
    const auto hour = digits<int>(text.substr(17, 2));
    const auto minute = digits<int>(text.substr(20, 2));
    const auto second = digits<int>(text.substr(23, 2));
    if (month_found == months.end() || !day_number || !year_number || !hour || !minute || !second) return std::nullopt;
    const auto month_number = static_cast<unsigned>(month_found - months.begin()) + 1;
    const year_month_day date{year(*year_number), month(month_number), day(static_cast<unsigned>(*day_number))};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return base::Timestamp(sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second);
}

Delivery judge(const http::Response& response, const std::string& origin, std::string_view hint_when_refused,
               base::Timestamp now) {
    Delivery delivery;
    delivery.outcome = outcome_of(response.status);
    delivery.pause = std::max({retry_after(response, now), rate_limit(response), told_in_body(response)});
    if (delivery.outcome != Outcome::delivered) delivery.error = error_of(response, origin, hint_when_refused);
    return delivery;
}

Delivery judge(const Error& error) {
    Delivery delivery;
    delivery.outcome = error.is_passing() ? Outcome::try_again : Outcome::refused;
    delivery.error = error;
    return delivery;
}

}  // namespace pgbakd::alert
