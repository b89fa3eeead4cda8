#include "alert/mail_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alert/facts.hpp"
#include "alert/text.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "codec/hmac.hpp"

namespace pgbakd::alert {
namespace {

using model::Alert;

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t longest_subject = 200;       // bytes; what follows nobody's list of mails shows
constexpr std::size_t longest_text = 16UL * 1024;  // bytes of a cause or a hint
constexpr std::size_t longest_in_digest = 1024;    // the same, where there are many
constexpr std::size_t longest_line = 76;
constexpr std::size_t around_word = 13;  // characters: " =?UTF-8?B?" and "?=" (RFC 2047, 2)

bool is_plain(std::string_view text) {
    const bool ascii = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
    // "=?" begins an encoded word.
    return ascii && text.size() <= 60 && text.find("=?") == std::string_view::npos;
}

std::string one_line(std::string_view text) {
    auto line = tidy(text);
    std::ranges::replace(line, '\n', ' ');
    return line;
}

std::string id_of(const Alert& alert) {
    std::string id;
    for (const char c : alert.id)
        if (base::is_letter(c) || base::is_digit(c)) id += c;
    return id.empty() ? "unknown" : id.substr(0, 64);
}

std::string message_id(const std::vector<Alert>& alerts, std::string_view from) {
    const auto at = from.rfind('@');
    const auto domain = at == std::string_view::npos ? std::string_view("localhost") : from.substr(at + 1);
    const auto more = alerts.size() == 1 ? std::string() : fmt::format(".{}", alerts.size());
    return fmt::format("<{}{}@{}>", id_of(alerts.back()), more, domain);
}

std::string subject(const std::vector<Alert>& alerts) {
    const auto title = alerts.size() == 1
                           ? fmt::format("{}: {}", severity_text(alerts.front().severity), title_of(alerts.front()))
                           : digest_title(alerts);
    const auto& host = alerts.front().host;
    return base::clamp_utf8(fmt::format("[pgbakd{}{}] {}", host.empty() ? "" : " ", one_line(host), one_line(title)),
                            longest_subject);
}

// What belongs together is indented under its name.
std::string indented(std::string_view text) {
    std::string result;
    for (const auto line : base::split(text, '\n')) result += fmt::format("{}  {}", result.empty() ? "" : "\n", line);
    return result;
}

std::string body_of(const Alert& alert, std::size_t limit) {
    auto text = one_line(title_of(alert)) + "\n\n";
    if (const auto cause = tidy(base::clamp_utf8(alert.message, limit)); !cause.empty()) text += cause + "\n\n";
    if (const auto hint = tidy(base::clamp_utf8(alert.hint, limit)); !hint.empty())
        text += "hint:\n" + indented(hint) + "\n\n";
    text += fmt::format("severity: {}\n", severity_text(alert.severity));
    for (const auto& fact : facts_of(alert)) text += fmt::format("{}: {}\n", fact.name, one_line(fact.value));
    if (const auto time = time_text(alert.at); !time.empty()) text += fmt::format("time: {}\n", time);
    return text;
}

std::string body_of(const std::vector<Alert>& alerts) {
    if (alerts.size() == 1) return body_of(alerts.front(), longest_text);
    auto text = one_line(digest_title(alerts)) + "\n";
    for (const auto i : by_severity(alerts))
        text += "\n----------------------------------------\n\n" + body_of(alerts[i], longest_in_digest);
    return text;
}

std::string address_header(std::string_view name, const std::vector<std::string>& addresses) {
    std::string header(name);
    header += ": ";
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (i > 0) header += fmt::format(",{} ", line_end);
        header += addresses[i];
    }
    return header.append(line_end);
}

}  // namespace

std::string mail_date(base::Timestamp time) {
    using namespace std::chrono;
    constexpr std::array days_of_week{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{floor<seconds>(time - day)};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", days_of_week.at(weekday(day).c_encoding()),
                       static_cast<unsigned>(date.day()), months.at(static_cast<unsigned>(date.month()) - 1),
                       static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

std::string mail_header(std::string_view name, std::string_view text) {
    const auto line = one_line(text);
    if (is_plain(line)) return fmt::format("{}: {}{}", name, line, line_end);
    std::string header = fmt::format("{}:", name);
    auto column = header.size();
    for (std::string_view rest = line; !rest.empty();) {
        // As many whole characters as fit, four characters of Base64 for three bytes.
        const auto room = (longest_line - column - around_word) / 4 * 3;
        std::size_t bytes = 0;
        while (bytes < rest.size()) {
            const auto next = base::utf8_length(rest.substr(bytes));
            if (bytes + next > room) break;
            bytes += next;
        }
        const auto word = codec::base64(std::as_bytes(std::span(rest.substr(0, bytes))));
        header += fmt::format("{} =?UTF-8?B?{}?=", column == 0 ? line_end : std::string_view(), word);
        rest.remove_prefix(bytes);
        column = 0;
    }
    return header.append(line_end);
}

std::string quoted_printable(std::string_view text) {
    std::string result;
    std::size_t column = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n') {
            result += line_end;
            column = 0;
            continue;
        }
        const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
        const bool is_blank = c == ' ' || c == '\t';
        const bool literal = is_blank ? !ends_line : c > 0x20 && c < 0x7f && c != '=';
        const auto piece =
            literal ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        // Room for the "=" of a soft line break, unless nothing follows on this line.
        if (column + piece.size() > longest_line - (ends_line ? 0 : 1)) {
            result.append("=").append(line_end);
            column = 0;
        }
        result += piece;
        column += piece.size();
    }
    if (column > 0) result += line_end;
    return result;
}

std::string mail_message(const std::vector<Alert>& alerts, const std::string& from, const std::vector<std::string>& to,
                         base::Timestamp now) {
    auto message = mail_header("Date", mail_date(now));
    message += address_header("From", {from});
    message += address_header("To", to);
    message += mail_header("Subject", subject(alerts));
    message += fmt::format("Message-ID: {}{}", message_id(alerts, from), line_end);
    // No answers of people who are away, please (RFC 3834).
    message += fmt::format("Auto-Submitted: auto-generated{}", line_end);
    if (severity_of(alerts) == model::Severity::critical) message += fmt::format("Importance: high{}", line_end);
    message += fmt::format("MIME-Version: 1.0{0}Content-Type: text/plain; charset=utf-8{0}", line_end);
    message += fmt::format("Content-Transfer-Encoding: quoted-printable{0}{0}", line_end);
    return message + quoted_printable(body_of(alerts));
}

}  // namespace pgbakd::alert
