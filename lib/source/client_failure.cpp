#include "source/client_failure.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>

#include "os/user.hpp"
#include "source/client_command.hpp"

namespace pgbakd::source {
namespace {

using base::ErrorCode;
using enum base::Persistence;
using model::ClientSpec;

struct ClientCause {
    std::string_view words;  // of docker or ssh
    ErrorCode code;
    base::Persistence persistence;
    std::string_view fact;  // {name} is that of the container or host; empty: their own words
    std::string_view hint;  // {account} is the daemon's
};

constexpr std::array docker_causes{
    ClientCause{"No such container", ErrorCode::not_found, lasting, "there is no container {name}",
                "docker ps --all lists the containers; correct client.docker of the server"},
    ClientCause{"No such object", ErrorCode::not_found, lasting, "there is no container {name}",
                "docker ps --all lists the containers; correct client.docker of the server"},
    ClientCause{"is not running", ErrorCode::unreachable, passing, "container {name} is not running",
                "docker start {name}"},
    ClientCause{"is restarting", ErrorCode::unreachable, passing, "container {name} is restarting",
                "docker logs {name} tells why"},
    ClientCause{"is paused", ErrorCode::unreachable, passing, "container {name} is paused", "docker unpause {name}"},
    ClientCause{
        "permission denied while trying to connect to the", ErrorCode::permission_denied, lasting,
        "account {account} may not use docker's socket",
        "let the service: SupplementaryGroups=docker in a drop-in of the unit; who is in that group is as good as "
        "root on this host"},
    ClientCause{"Cannot connect to the Docker daemon", ErrorCode::unreachable, passing,
                "docker's daemon does not answer", "systemctl status docker"},
    ClientCause{"failed to connect to the docker API", ErrorCode::unreachable, passing,
                "docker's daemon does not answer", "systemctl status docker"},
    ClientCause{"error during connect", ErrorCode::unreachable, passing, "docker's daemon does not answer",
                "systemctl status docker"},
    ClientCause{"OCI runtime exec failed", ErrorCode::client_missing, lasting, "container {name} has no /bin/sh",
                "programs are run by a container's /bin/sh, which images for PostgreSQL have"},
};

constexpr std::string_view try_as_account =
    "try it as the daemon's account: sudo -u {account} ssh -o BatchMode=yes {name} true";

constexpr std::array ssh_causes{
    ClientCause{
        "REMOTE HOST IDENTIFICATION HAS CHANGED", ErrorCode::authentication_failed, lasting,
        "host {name} shows another key than the one that is known of it",
        "if it was set up anew, replace its line in known_hosts of account {account}; else somebody stands between"},
    ClientCause{
        "Host key verification failed", ErrorCode::authentication_failed, lasting,
        "the key of host {name} is not known",
        "put it into ~/.ssh/known_hosts of account {account}, or into /etc/ssh/ssh_known_hosts: ssh-keyscan prints "
        "it, and its fingerprint must be that which the host itself shows"},
    ClientCause{"Permission denied (", ErrorCode::authentication_failed, lasting,
                "host {name} does not let account {account} in",
                "that account needs a key without a passphrase in its ~/.ssh, and the host its public half in "
                "authorized_keys"},
    ClientCause{"Too many authentication failures", ErrorCode::authentication_failed, lasting,
                "host {name} does not let account {account} in",
                "name the key for this host: IdentityFile in ~/.ssh/config"},
    ClientCause{"Name or service not known", ErrorCode::unreachable, lasting, "there is no host {name}",
                "correct client.ssh of the server, or name the host in ~/.ssh/config of account {account}"},
    ClientCause{"Bad owner or permissions on", ErrorCode::invalid_configuration, lasting, "", try_as_account},
    ClientCause{"Bad configuration option", ErrorCode::invalid_configuration, lasting, "", try_as_account},
    ClientCause{"terminating, ", ErrorCode::invalid_configuration, lasting, "", try_as_account},
};

std::string fill(std::string_view text, const ClientSpec& client) {
    std::string filled(text);
    const auto replace = [&filled](std::string_view mark, const std::string& value) {
        for (auto at = filled.find(mark); at != std::string::npos; at = filled.find(mark, at + value.size()))
            filled.replace(at, mark.size(), value);
    };
    replace("{name}", client.name);
    replace("{account}", os::user_name());
    return filled;
}

base::Error error_of(const ClientCause& cause, const ClientSpec& client, std::string_view what,
                     const std::string& words) {
    const auto fact = cause.fact.empty() ? "ssh to " + client.name + " failed" : fill(cause.fact, client);
    return {cause.code, fmt::format("{} failed: {}{}", what, fact, words.empty() ? "" : " (" + words + ")"),
            fill(cause.hint, client), cause.persistence};
}

std::optional<base::Error> docker_failure(const ClientSpec& client, std::string_view what,
                                          const os::Child::Ending& ending, const std::string& words) {
    // Docker's own failures come from docker, which speaks first and last: 1 and 125 to 127.
    const bool may_be =
        ending.signal == 0 && (ending.exit_code == 1 || (ending.exit_code >= 125 && ending.exit_code <= 127));
    if (!may_be) return std::nullopt;
    for (const auto& cause : docker_causes)
        if (words.find(cause.words) != std::string::npos) return error_of(cause, client, what, words);
    if (words.find("Error response from daemon") == std::string::npos) return std::nullopt;
    return base::Error(ErrorCode::program_failed, fmt::format("{} failed: docker refuses: {}", what, words), {},
                       passing);
}

std::optional<base::Error> ssh_failure(const ClientSpec& client, std::string_view what, const os::Child::Ending& ending,
                                       const std::string& words) {
    constexpr int own = 255;
    if (ending.signal != 0 || ending.exit_code != own) return std::nullopt;
    for (const auto& cause : ssh_causes)
        if (words.find(cause.words) != std::string::npos) return error_of(cause, client, what, words);
    return base::Error(ErrorCode::unreachable,
                       fmt::format("{} failed: host {} cannot be reached, or the connection was lost{}", what,
                                   client.name, words.empty() ? "" : ": " + words),
                       fill(try_as_account, client), passing);
}

}  // namespace

std::optional<base::Error> client_failure(const ClientSpec& client, std::string_view what,
                                          const os::Child::Ending& ending, const std::string& words) {
    if (ending.good()) return std::nullopt;
    switch (client.where) {
        case ClientSpec::Where::here: return std::nullopt;
        case ClientSpec::Where::docker:
            if (auto failure = docker_failure(client, what, ending, words)) return failure;
            break;
        case ClientSpec::Where::ssh:
            if (auto failure = ssh_failure(client, what, ending, words)) return failure;
            break;
    }
    constexpr int cannot_execute = 126;
    constexpr int not_found = 127;
    if (ending.signal != 0 || (ending.exit_code != cannot_execute && ending.exit_code != not_found))
        return std::nullopt;
    return base::Error(ErrorCode::client_missing,
                       fmt::format("{} failed: the program cannot be run {}: {}", what, located_text(client), words),
                       "install it there, or correct client.bin of the server");
}

os::Child::Ending ending_there(const ClientSpec& client, const os::Child::Ending& ending) {
    constexpr int base_of_signals = 128;
    const bool by_signal = client.where != ClientSpec::Where::here && ending.signal == 0 &&
                           ending.exit_code > base_of_signals && ending.exit_code <= base_of_signals + SIGSYS;
    if (!by_signal) return ending;
    return {.exit_code = 0, .signal = ending.exit_code - base_of_signals};
}

}  // namespace pgbakd::source
