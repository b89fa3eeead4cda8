#include "config/channel_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config/domain_types.hpp"
#include "config/text_check.hpp"

namespace pgbakd::config {
namespace {

using base::Result;

// What SMTP takes without quotes (RFC 5321, 4.1.2), so that nothing in it can end a command or a header.
Result<std::string> parse_address(std::string_view text) {
    const auto fault = wrong(fmt::format("must be a mail address (got \"{}\")", excerpt(text)),
                             "as in dba@example.com, without a name");
    const auto at = text.find('@');
    if (at == std::string_view::npos || text.size() > 254) return fault;
    const auto local = text.substr(0, at);
    const auto domain = text.substr(at + 1);
    constexpr std::string_view odd = "!#$%&'*+-/=?^_`{|}~.";
    const auto fits_local = [odd](char c) {
        return base::is_letter(c) || base::is_digit(c) || odd.find(c) != std::string_view::npos;
    };
    const auto fits_domain = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '.'; };
    const auto has_dots_apart = [](std::string_view part) {
        return !part.starts_with('.') && !part.ends_with('.') && part.find("..") == std::string_view::npos;
    };
    if (local.empty() || local.size() > 64 || !std::all_of(local.begin(), local.end(), fits_local) ||
        !has_dots_apart(local))
        return fault;
    if (domain.empty() || !std::all_of(domain.begin(), domain.end(), fits_domain) || !has_dots_apart(domain))
        return fault;
    return std::string(text);
}

// RFC 9110, 5.6.2.
bool is_header_name(std::string_view name) {
    constexpr std::string_view odd = "!#$%&'*+-.^_`|~";
    return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [odd](char c) {
        return base::is_letter(c) || base::is_digit(c) || odd.find(c) != std::string_view::npos;
    });
}

constexpr std::array own_headers{"host",       "content-length",    "content-type", "transfer-encoding",
                                 "connection", "x-pgbakd-signature"};
constexpr std::size_t most_headers = 50;

using Headers = std::vector<std::pair<std::string, model::SecretReference>>;

void read_header(Problems& problems, const Node& entry, Headers& headers) {
    if (entry.refused) return;
    if (!is_header_name(entry.key))
        return problems.error_at_key(entry, "is no name of an HTTP header", "as in headers: {X-Team: data}");
    const auto name = base::to_lower(entry.key);
    if (std::find(own_headers.begin(), own_headers.end(), name) != own_headers.end())
        return problems.error_at_key(entry, "this header is pgbakd's own to set", "remove it");
    for (const auto& [other, value] : headers)
        if (base::to_lower(other) == name)
            return problems.error_at_key(entry, fmt::format("is the same header as \"{}\"", other), "remove one");
    model::SecretReference value;
    secret().read(problems, entry, value);
    if (entry.refused) return;
    if (value.kind == model::SecretReference::Kind::literal && has_control_characters(value.literal.reveal()))
        return problems.error(entry, "has control characters", "write it on one line, without tabs and escapes");
    headers.emplace_back(entry.key, std::move(value));
}

}  // namespace

Type<model::Severity> severity() {
    return choice<model::Severity>({{"info", model::Severity::info},
                                    {"warning", model::Severity::warning},
                                    {"critical", model::Severity::critical}});
}

Type<std::string> mail_address() {
    return text_form<std::string>("a mail address", parse_address, [](const std::string& value) { return value; });
}

Type<std::vector<std::string>> mail_addresses() {
    auto type = set_of(mail_address(), "a list of mail addresses");
    type.read = [read = type.read](Problems& problems, const Node& node, std::vector<std::string>& addresses) {
        constexpr std::size_t most = 100;
        read(problems, node, addresses);
        if (node.kind != Node::Kind::list) return;
        if (node.children.empty())
            problems.error(node, "an empty list: nobody gets the mail", "as in to: [dba@example.com]");
        if (node.children.size() > most)
            problems.error(node, fmt::format("more than {} addresses (got {})", most, node.children.size()),
                           "send to a mailing list");
    };
    return type;
}

Type<Headers> headers() {
    const std::string words = "a mapping of HTTP headers to their values";
    auto read = [words](Problems& problems, const Node& node, Headers& value) {
        if (node.kind != Node::Kind::map) return wrong_type(problems, node, words, "as in headers: {X-Team: data}");
        if (node.children.size() > most_headers)
            return problems.error(node,
                                  fmt::format("more than {} headers (got {})", most_headers, node.children.size()));
        for (const auto& entry : node.children) read_header(problems, entry, value);
    };
    auto write = [print = secret().write](const Headers& value) {
        std::vector<std::string> entries;
        entries.reserve(value.size());
        for (const auto& [name, content] : value) entries.push_back(yaml_scalar(name) + ": " + print(content));
        return entries.empty() ? std::string() : "{" + base::join(entries, ", ") + "}";
    };
    return {words, std::move(read), std::move(write)};
}

Type<std::vector<std::string>> names_of_channels() {
    return set_of(text("the name of a channel", 63), "a list of names of channels");
}

Type<int> percentage(int minimum, int maximum) {
    auto words = fmt::format("a percentage from {}% to {}%", minimum, maximum);
    auto parse = [minimum, maximum, words](std::string_view text) -> Result<int> {
        int number = 0;
        const auto digits = text.substr(0, text.find('%'));
        const auto* end = digits.data() + digits.size();
        const auto [stop, failure] = std::from_chars(digits.data(), end, number);
        const bool is_form =
            digits.size() + 1 == text.size() && stop == end && failure == std::errc{} && base::is_digit(text.front());
        if (!is_form || number < minimum || number > maximum)
            return wrong(fmt::format("must be {} (got {})", words, excerpt(text)));
        return number;
    };
    const auto print = [](const int& value) { return fmt::format("{}%", value); };
    auto type = text_form<int>(words, parse, print);
    type.write = print;  // a "%" needs quotes at the beginning only
    return type;
}

}  // namespace pgbakd::config
