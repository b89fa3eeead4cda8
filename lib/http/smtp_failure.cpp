#include "http/smtp_failure.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "http/failure.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;
using enum base::Persistence;

constexpr std::string_view look_at_network =
    "check that the mail server runs, and the network between it and this host";
constexpr std::string_view check_password = "check user and password";

std::string shown(const SmtpEnding& ending) {
    return base::printable(base::clamp_utf8(base::trim(ending.reply_text), 300));
}

Error no_starttls(const SmtpEnding& ending) {
    return {ErrorCode::unsupported, ending.origin + ": the server does not offer STARTTLS",
            "mail is sent over TLS only: choose the server's port for submission, or smtps://"};
}

// What a server says about authentication is not shown: it may repeat what it was told.
Error not_authenticated(const SmtpEnding& ending) {
    if (ending.reply >= 400 && ending.reply < 500)
        return {ErrorCode::server_error,
                fmt::format("{}: the server cannot authenticate now ({})", ending.origin, ending.reply),
                {},
                passing};
    if (ending.reply >= 500)
        return {ErrorCode::authentication_failed,
                fmt::format("{}: the server refuses user or password ({})", ending.origin, ending.reply),
                std::string(check_password)};
    return {ErrorCode::unsupported, ending.origin + ": the server offers no way to authenticate that is known here",
            "choose the server's port for submission"};
}

std::string_view hint_for(const SmtpEnding& ending) {
    if (ending.reply == 530 || ending.reply == 550 || ending.reply == 553 || ending.reply == 554) {
        if (!ending.with_user) return "if the server wants authentication, give user and password";
        return ending.stage == "RCPT" ? "check the addresses in to"
                                      : "check that this user may send as the address in from";
    }
    return {};
}

std::string_view what_was_refused(std::string_view stage) {
    if (stage.empty()) return "the connection";
    if (stage == "MAIL") return "the sender";
    if (stage == "RCPT") return "every recipient";
    if (stage == "DATA" || stage == ".") return "the message";
    return stage;
}

// By the size that was announced with the sender (RFC 1870, 6.1), or by what the server says in the code of RFC 3463
// (3.3, 3.4). Where it names another cause, such as a mailbox that is full, it is that.
bool is_too_large(const SmtpEnding& ending) {
    const std::string_view text = ending.reply_text;
    const auto enhanced = text.size() > 4 ? text.substr(4, text.substr(4).find(' ')) : std::string_view();
    if (enhanced == "5.3.4" || enhanced == "5.2.3") return true;
    return ending.stage == "MAIL" && ending.reply == 552 && !enhanced.starts_with("5.");
}

Error refused(const SmtpEnding& ending) {
    const bool of_message = ending.stage == "." || (ending.reply >= 500 && is_too_large(ending));
    const auto message = fmt::format("{}: the server refuses {}: {}", ending.origin,
                                     of_message ? "the message" : what_was_refused(ending.stage), shown(ending));
    if (ending.reply < 500) return {ErrorCode::server_error, message, {}, passing};
    if (of_message) return {ErrorCode::conflict, message, std::string(hint_for(ending))};
    return {ErrorCode::server_error, message, std::string(hint_for(ending))};
}

Error timed_out(const SmtpEnding& ending) {
    return {ErrorCode::timed_out,
            ending.origin + (ending.connected ? ": no answer in time" : ": no connection in time"),
            std::string(look_at_network), passing};
}

}  // namespace

Error failure_from(const SmtpEnding& ending) {
    if (ending.stalled || ending.code == CURLE_OPERATION_TIMEDOUT) return timed_out(ending);
    switch (ending.code) {
        case CURLE_USE_SSL_FAILED:
            return ending.reply >= 400 && ending.reply < 500 ? refused(ending) : no_starttls(ending);
        case CURLE_LOGIN_DENIED: return not_authenticated(ending);
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return {ErrorCode::invalid_argument, ending.origin + ": not an smtps:// or smtp:// URL"};
        default: break;
    }
    // libcurl has no code of its own for a refusal.
    if (ending.stage == "AUTH" && ending.reply >= 400) return not_authenticated(ending);
    if (ending.reply >= 400) return refused(ending);
    if (ending.code == CURLE_WEIRD_SERVER_REPLY || ending.code == CURLE_REMOTE_ACCESS_DENIED)
        return {ErrorCode::server_error, ending.origin + ": the answer is not SMTP as it should be",
                "check that the port is the mail server's own"};
    return failure_from(Ending{.code = ending.code,
                               .origin = ending.origin,
                               .detail = ending.detail,
                               .system_error = ending.system_error,
                               .connected = ending.connected,
                               .received = 0,
                               .ca_file = ending.ca_file});
}

}  // namespace pgbakd::http
