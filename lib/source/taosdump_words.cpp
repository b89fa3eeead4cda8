#include "source/taosdump_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/cause.hpp"
#include "base/text.hpp"

namespace pgbakd::source {
namespace {

using base::Cause;
using base::Error;
using base::ErrorCode;
using base::Persistence;

constexpr std::size_t errors_named = 5;
constexpr std::size_t warnings_kept = 20;
constexpr std::size_t longest_errors = 64 << 10;

// Without "\033[31m" and the like, whose first byte has become "?".
std::string without_colours(std::string_view line) {
    std::string text;
    while (!line.empty()) {
        const bool escape = (line.front() == '?' || line.front() == '\033') && line.substr(1).starts_with('[');
        const auto end = escape ? line.find_first_not_of("0123456789;", 2) : std::string_view::npos;
        if (end != std::string_view::npos && line[end] == 'm') {
            line.remove_prefix(end + 1);
        } else {
            text += line.front();
            line.remove_prefix(1);
        }
    }
    return std::string(base::trim(text));
}

std::string masked(std::string text, const base::Secret& secret) {
    if (secret.empty()) return text;
    for (auto at = text.find(secret.reveal()); at != std::string::npos; at = text.find(secret.reveal(), at + 3))
        text.replace(at, secret.reveal().size(), "***");
    return text;
}

// The number that the text begins with.
std::optional<std::uint64_t> leading_number(std::string_view text) {
    text = base::trim(text);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end == text.data()) return std::nullopt;
    return number;
}

bool cut(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

// TDengine's source/util/src/terror.c.
constexpr std::array taos_causes{
    Cause{"Authentication failure", ErrorCode::authentication_failed, Persistence::lasting,
          "check user and password of this server in the configuration"},
    Cause{"Invalid user", ErrorCode::authentication_failed, Persistence::lasting,
          "check user and password of this server in the configuration"},
    Cause{"User is disabled", ErrorCode::authentication_failed, Persistence::lasting,
          "check user and password of this server in the configuration"},
    Cause{"No space left on device", ErrorCode::no_space, Persistence::lasting,
          "free space on that file system, or shorten the retention"},
    Cause{"Disk quota exceeded", ErrorCode::no_space, Persistence::lasting, "raise the quota of the daemon's user"},
    Cause{"Permission denied", ErrorCode::permission_denied, Persistence::lasting,
          "grant the user what it cannot read: grant read on DATABASE.* to USER"},
    Cause{"Insufficient privilege", ErrorCode::permission_denied, Persistence::lasting,
          "grant the user what it cannot read: grant read on DATABASE.* to USER"},
    Cause{"Version not compatible", ErrorCode::unsupported, Persistence::lasting,
          "install TDengine's client programs of the server's version"},
    Cause{"Unable to resolve FQDN", ErrorCode::unreachable, Persistence::lasting,
          "TDengine's clients must be able to resolve the server's fqdn: see /etc/hosts"},
    Cause{"Database not exist", ErrorCode::not_found, Persistence::lasting, "the database was dropped or renamed"},
    Cause{"Unable to establish connection", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"Conn is broken", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"Failed to connect to server", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"failed to connect to server", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"0 database(s) valid to dump", ErrorCode::not_found, Persistence::lasting,
          "the database was dropped or renamed"},
    Cause{"Found data file(s) exists", ErrorCode::conflict, Persistence::lasting, ""},
};

bool is_own_database(std::string_view name) {
    return name == "information_schema" || name == "performance_schema";
}

}  // namespace

void TaosdumpMessages::take(const std::string& line) {
    const auto text = masked(without_colours(line), password_);
    // setConsoleEcho() has no terminal to quieten.
    if (text.empty() || text.starts_with("Cannot get the attribution of the terminal")) return;
    last_lines_.push_back(text);
    if (last_lines_.size() > errors_named) last_lines_.erase(last_lines_.begin());
    std::string_view rest(text);
    if (cut(rest, "ERROR:")) return take_error(std::string(base::trim(rest)));
    if (cut(rest, "WARN:")) {
        if (warnings_.size() < warnings_kept)
            warnings_.emplace_back(base::trim(rest));
        else
            ++more_warnings_;
        return;
    }
    if (!cut(rest, "OK:")) return;
    rest = base::trim(rest);
    // "Retry 2 to connect host:6030 successfully!": so many attempts had failed before it.
    if (auto retry = rest; cut(retry, "Retry ")) {
        const auto attempts = leading_number(retry).value_or(0);
        if (retry.find(" to connect ") != std::string_view::npos) connections_.made_good += attempts;
        if (retry.find(" to execute taosQuery ") != std::string_view::npos) queries_.made_good += attempts;
    } else if (rest.ends_with(" row(s) dumped out!")) {
        rows_ = leading_number(rest);
    }
}

void TaosdumpMessages::take_error(const std::string& text) {
    if (text.starts_with("Failed to connect to server"))
        ++connections_.failed;
    else if (text.starts_with("Failed to execute taosQuery,"))
        ++queries_.failed;
    else
        ++other_errors_;
    // "0 row(s) dumped out!" is the end of every failure, and no cause.
    const bool says_nothing = text.ends_with(" row(s) dumped out!") && !first_errors_.empty();
    if (first_errors_.size() < errors_named && !says_nothing) first_errors_.push_back(text);
    if (errors_.size() < longest_errors) errors_ += text + "\n";
}

bool TaosdumpMessages::failed() const noexcept {
    return other_errors_ > 0 || connections_.failed > connections_.made_good || queries_.failed > queries_.made_good;
}

std::string TaosdumpMessages::words() const {
    return base::join(first_errors_.empty() ? last_lines_ : first_errors_, "; ");
}

std::vector<std::string> TaosdumpMessages::remarks() const {
    auto lines = warnings_;
    if (more_warnings_ > 0) lines.push_back(fmt::format("and {} more warnings", more_warnings_));
    if (const auto attempts = connections_.failed + queries_.failed; attempts > 0)
        lines.push_back(fmt::format("{} failed, and a later one did not: {}", base::counted(attempts, "attempt"),
                                    first_errors_.front()));
    return lines;
}

Error taosdump_failure(const std::string& what, const std::string& ending, bool was_killed,
                       const TaosdumpMessages& messages) {
    const auto words = messages.words();
    const auto message = fmt::format("{} failed: {}{}{}", what, ending, words.empty() ? "" : ": ", words);
    const auto* cause = base::find_cause(taos_causes, messages.errors().empty() ? words : messages.errors());
    if (cause != nullptr) return {cause->code, message, std::string(cause->hint), cause->persistence};
    // A program that was killed from outside may live next time.
    return {ErrorCode::program_failed, message, {}, was_killed ? Persistence::passing : Persistence::lasting};
}

base::Result<std::uint64_t> parse_taosdump_result(std::string_view text, const std::string& database) {
    const auto wrong = [](const std::string& fact) {
        return Error(ErrorCode::program_failed, "its result file " + fact, {}, Persistence::passing);
    };
    std::vector<std::string> databases;
    std::optional<std::uint64_t> count;
    std::optional<std::uint64_t> rows;
    bool totals = false;
    bool ended = false;
    for (auto line : base::split(text, '\n')) {
        line = base::trim(line);
        if (cut(line, "#### database:")) {
            databases.emplace_back(base::trim(line));
        } else if (line.find(" TOTAL STATISTICS ") != std::string_view::npos) {
            totals = true;
        } else if (cut(line, "# total database count:")) {
            count = leading_number(line);
        } else if (cut(line, "# total row count:")) {
            rows = leading_number(line);
        } else if (line.starts_with("end time:")) {
            ended = totals;
        } else if (line.starts_with("# ") && !line.starts_with("# SHOW VARIABLES") &&
                   line.find(" failed") != std::string_view::npos) {
            return wrong("tells of a failure: " + base::clamp_utf8(base::printable(line), 300));
        }
    }
    if (!totals || !ended || !count || !rows) return wrong("is not whole");
    if (databases != std::vector{database} || *count != 1) {
        const auto named = base::printable(base::clamp_utf8(base::join(databases, ", "), 300));
        return wrong(fmt::format("is not of \"{}\" alone: {}{}{}", database, base::counted(*count, "database"),
                                 named.empty() ? "" : ", ", named));
    }
    return *rows;
}

std::string taosdump_version(std::string_view output) {
    for (auto line : base::split(output, '\n')) {
        line = base::trim(line);
        if (line.starts_with("taosdump version")) return base::clamp_utf8(base::printable(line), 100);
    }
    return {};
}

std::string taos_question() {
    // \G: one value to a line, never cut to a width.
    return R"(select server_version()\G; show databases\G;)";
}

base::Result<TaosAnswer> parse_taos_answer(std::string_view output, const std::string& ending,
                                           std::string_view errors) {
    TaosAnswer answer;
    std::size_t names = 0;
    std::optional<std::uint64_t> counted;  // by the last answer that came to its end
    std::string last;
    for (auto line : base::split(output, '\n')) {
        line = base::trim(line);
        if (!line.empty()) last = base::clamp_utf8(base::printable(line), 300);
        if (cut(line, "server_version(): ")) {
            answer.server_version = base::clamp_utf8(base::printable(base::trim(line)), 100);
        } else if (cut(line, "Query OK, ")) {
            counted = leading_number(line);
        } else if (line.starts_with("failed to connect to server")) {
            break;
        } else if (cut(line, "name: ")) {
            ++names;
            counted.reset();
            if (!is_own_database(line)) answer.databases.emplace_back(line);
        }
    }
    const auto said = errors.empty() ? last : base::clamp_utf8(base::printable(errors), 300);
    // With databases of its own it has at least two; what it counted is what it has printed.
    if (names > 0 && counted == names) return answer;
    const auto message = fmt::format("asking with taos failed: {}: {}", ending, said);
    const auto* cause = base::find_cause(taos_causes, fmt::format("{} {}", last, said));
    if (cause != nullptr) return Error(cause->code, message, std::string(cause->hint), cause->persistence);
    return Error(ErrorCode::server_error, message);
}

base::Status check_taos_password(const base::Secret& password) {
    constexpr std::size_t longest = 255;
    const auto text = password.reveal();
    const bool blank = std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7f;
    });
    if (blank)
        return Error(ErrorCode::invalid_configuration, "the password has a blank or a control character in it",
                     "taosdump reads a password as one word: give the user another one");
    if (text.size() > longest)
        return Error(ErrorCode::invalid_configuration, fmt::format("the password is longer than {} bytes", longest),
                     "taosdump reads no more: give the user another one");
    return {};
}

bool fits_taos_shell(const base::Secret& password) {
    return password.reveal().size() <= 128;
}

bool needs_quotes(std::string_view database) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || base::is_digit(c) || c == '_'; };
    return database.empty() || base::is_digit(database.front()) || !std::all_of(database.begin(), database.end(), fits);
}

}  // namespace pgbakd::source
