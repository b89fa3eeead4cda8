#include "source/client_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "source/connection.hpp"

namespace pgbakd::source {
namespace {

using model::ClientSpec;

// Reads variables, each as its name, the number of line ends in its value, and the value; "." ends them. `read` takes
// no byte beyond its line. Where the connection is lost before the end nothing is run.
constexpr std::string_view read_environment =
    R"(LC_ALL=C; n=$(printf "\n."); n=${n%.}; while IFS= read -r k && [ "$k" != . ]; do IFS= read -r c; )"
    R"(IFS= read -r v; while [ "$c" -gt 0 ]; do IFS= read -r l; v=$v$n$l; c=$((c-1)); done; export "$k=$v"; done; )"
    R"([ "$k" = . ] || exit 255; unset k c v l n; )";

// $p is the program, $w waits for the end of the input. Whatever is killed is waited for by its parent: in a container
// a PostgreSQL server may be the first process, takes an orphan that was killed for a backend that has crashed, and
// restarts. (`sleep` ends well, and knows no password.) The trap comes last, since a child that inherits one may lose
// its signal.
constexpr std::string_view start = R"(exec 3<&0 </dev/null; "$@" 3<&- & p=$!; )";
// With a line of the input as its own. By a printf of the shell's own, as a program's arguments can be seen; $! is the
// last of a pipeline.
constexpr std::string_view start_with_line =
    R"sh(IFS= read -r i || exit 255; [ "$(command -v printf)" = printf ] || )sh"
    R"({ echo "/bin/sh has no printf of its own: no password can be handed on" >&2; exit 1; }; exec 3<&0 </dev/null; )"
    R"(printf "%s\n" "$i" 3<&- | "$@" 3<&- & p=$!; unset i; )";
constexpr std::string_view guard =
    R"((while IFS= read -r l <&3; do :; done; kill -0 $$ && kill $p; env -i sleep 5; kill -0 $$ && kill -9 $p) )"
    R"(>/dev/null 2>&1 & w=$!; trap "kill $p" HUP INT TERM; exec 3<&-; wait $p; s=$?; )"
    R"(exec 2>/dev/null; kill -9 $w; wait; exit $s)";

// The text that /bin/sh runs there. Its first argument is the working directory if there is one, then the command.
std::string script_for(const os::Command& there) {
    std::string script(read_environment);
    if (!there.working_directory.empty()) script += R"(cd "$1" || exit 126; shift; )";
    if (there.nice > 0)
        script += fmt::format(R"(command -v nice >/dev/null 2>&1 && set -- nice -n {} "$@"; )", there.nice);
    if (there.feed_input) return script + R"(exec "$@")";
    script += there.first_input.empty() ? start : start_with_line;
    script += guard;
    return script;
}

std::vector<std::string> shell_arguments(const os::Command& there) {
    std::vector<std::string> words{"/bin/sh", "-c", script_for(there), "pgbakd"};
    if (!there.working_directory.empty()) words.push_back(there.working_directory.string());
    words.insert(words.end(), there.argv.begin(), there.argv.end());
    return words;
}

void check_variable(const os::Command::Variable& variable) {
    const auto fits = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '_'; };
    const auto& name = variable.name;
    if (name.empty() || base::is_digit(name.front()) || !std::all_of(name.begin(), name.end(), fits))
        throw base::Error(base::ErrorCode::invalid_argument,
                          fmt::format("\"{}\" is no name of an environment variable", base::printable(name)));
    if (variable.value.reveal().find('\0') != std::string_view::npos)
        throw base::Error(base::ErrorCode::invalid_argument,
                          fmt::format("the value of the environment variable {} holds a NUL byte", name));
}

// What read_environment reads. Of its exact size, so that no copy of a secret stays behind in freed memory.
base::Secret environment_lines(const std::vector<os::Command::Variable>& variables, std::string_view rest) {
    std::size_t size = 2 + rest.size();
    for (const auto& variable : variables) size += variable.name.size() + variable.value.reveal().size() + 24;
    std::string lines;
    lines.reserve(size);
    for (const auto& variable : variables) {
        const auto value = variable.value.reveal();
        lines += variable.name;
        lines += '\n';
        lines += std::to_string(std::count(value.begin(), value.end(), '\n'));
        lines += '\n';
        lines += value;
        lines += '\n';
    }
    lines += ".\n";
    lines += rest;
    return base::Secret(std::move(lines));
}

os::Command by_docker(const ClientWay& way, os::Command there) {
    os::Command here;
    here.argv = {way.program.string(), "exec", "-i"};
    for (const auto& variable : there.environment) {
        here.argv.emplace_back("-e");
        here.argv.push_back(variable.name);
    }
    here.argv.push_back(way.client.name);
    for (auto& word : shell_arguments(there)) here.argv.push_back(std::move(word));
    here.first_input = environment_lines({}, there.first_input.reveal());
    here.environment = std::move(there.environment);
    return here;
}

os::Command by_ssh(const ClientWay& way, const os::Command& there) {
    os::Command here;
    here.argv = ssh_arguments(way);
    here.argv.emplace_back("-oClearAllForwardings=yes");
    // A banner is no remark of a program.
    here.argv.emplace_back("-oLogLevel=ERROR");
    here.argv.emplace_back("--");
    here.argv.push_back(way.client.name);
    std::string line = "exec";
    for (const auto& word : shell_arguments(there)) line += " " + remote_word(word);
    here.argv.push_back(std::move(line));
    here.first_input = environment_lines(there.environment, there.first_input.reveal());
    // By it ssh itself is known as one of the run's programs.
    for (const auto& variable : there.environment)
        if (is_mark(variable)) here.environment.push_back(variable);
    return here;
}

bool needs_no_quotes(char c) {
    return base::is_letter(c) || base::is_digit(c) || std::string_view("_-./:,+").find(c) != std::string_view::npos;
}

}  // namespace

std::string place_text(const ClientSpec& client) {
    switch (client.where) {
        case ClientSpec::Where::here: break;
        case ClientSpec::Where::docker: return "container " + client.name;
        case ClientSpec::Where::ssh: return "host " + client.name;
    }
    return {};
}

std::string located_text(const ClientSpec& client) {
    if (client.where == ClientSpec::Where::here) return {};
    return (client.where == ClientSpec::Where::docker ? "in " : "on ") + place_text(client);
}

os::Command command_there(const ClientWay& way, os::Command there) {
    if (way.client.where == ClientSpec::Where::here) return there;
    for (const auto& variable : there.environment) check_variable(variable);
    const int nice = there.nice;
    const bool capture_output = there.capture_output;
    const bool feed_input = there.feed_input;
    auto here = way.client.where == ClientSpec::Where::docker ? by_docker(way, std::move(there)) : by_ssh(way, there);
    here.nice = nice;
    here.capture_output = capture_output;
    here.feed_input = feed_input;
    return here;
}

std::vector<std::string> ssh_arguments(const ClientWay& way) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(way.connect_timeout).count();
    return {way.program.string(),
            "-T",
            "-x",
            "-a",
            "-oBatchMode=yes",
            fmt::format("-oConnectTimeout={}", std::max<std::int64_t>(1, seconds)),
            "-oServerAliveInterval=15",
            "-oServerAliveCountMax=3",
            "-oControlMaster=no",
            "-oControlPath=none",
            "-oPermitLocalCommand=no",
            "-oRemoteCommand=none"};
}

std::string remote_word(std::string_view text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), needs_no_quotes)) return std::string(text);
    std::string word = "'";
    for (const char c : text) {
        // Within quotes csh goes by "!" and fish by a backslash; behind a backslash all take them as they are.
        if (c == '\'' || c == '\\' || c == '!')
            word.append("'\\").append(1, c).append("'");
        else
            word += c;
    }
    return word + "'";
}

std::string account_of(std::string_view destination) {
    constexpr std::string_view scheme = "ssh://";
    if (destination.starts_with(scheme)) destination.remove_prefix(scheme.size());
    const auto at = destination.rfind('@');
    if (at == std::string_view::npos) return {};
    const auto account = destination.substr(0, at);
    return std::string(account.substr(0, account.find(';')));
}

}  // namespace pgbakd::source
