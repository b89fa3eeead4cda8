#include "http/sftp_failure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "base/text.hpp"
#include "base/units.hpp"
#include "http/known_hosts.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;
using enum base::Persistence;

constexpr std::string_view look_at_network =
    "check that the server runs sshd, and the network between it and this host";

bool contains(std::string_view text, std::string_view words) {
    return text.find(words) != std::string_view::npos;
}

std::string in_brackets(std::string_view detail) {
    if (detail.empty()) return {};
    return fmt::format(" ({})", base::to_lower(base::clamp_utf8(base::printable(base::trim(detail)), 300)));
}

// What follows these words in one of libcurl's notes.
std::string_view noted(const SftpEnding& ending, std::string_view words) {
    for (const auto& note : ending.notes)
        if (note.starts_with(words)) return base::trim(std::string_view(note).substr(words.size()));
    return {};
}

bool was_noted(const SftpEnding& ending, std::string_view words) {
    return std::ranges::any_of(ending.notes, [words](const std::string& note) { return note.starts_with(words); });
}

// How the files in /etc/ssh name a type of key.
std::string_view file_word(std::string_view type) {
    return type == "ssh-rsa" ? "rsa" : type.starts_with("ecdsa") ? "ecdsa" : "ed25519";
}

std::string own_name(const SftpOptions& options) {
    return known_name(options.host, options.port);
}

std::string keyscan(const SftpOptions& options) {
    const auto port = options.port == 22 ? std::string() : fmt::format(" -p {}", options.port);
    return fmt::format("ssh-keyscan{} {} >>{}", port, options.host, options.known_hosts.native());
}

Error host_key_refused(const SftpEnding& ending, const SftpOptions& options) {
    const auto origin = origin_of(options);
    if (!ending.verdict)
        return {ErrorCode::authentication_failed, fmt::format("{}: its host key could not be checked", origin), {}};
    const auto& verdict = *ending.verdict;
    const auto shown = fmt::format("{} {}", verdict.type, verdict.fingerprint);
    switch (verdict.kind) {
        case HostKeyVerdict::Kind::unknown:
            return {ErrorCode::authentication_failed,
                    fmt::format("{}: its host key is not known: {} is in no line of {} for {}", origin, shown,
                                options.known_hosts.native(), own_name(options)),
                    fmt::format("ask the server's administrator whether {} is its fingerprint (there: ssh-keygen -lf "
                                "/etc/ssh/ssh_host_{}_key.pub), and if so: {}",
                                verdict.fingerprint, file_word(verdict.type), keyscan(options))};
        case HostKeyVerdict::Kind::changed:
            return {ErrorCode::authentication_failed,
                    fmt::format("{}: its host key has changed: it shows {} where {} has {}", origin, shown,
                                options.known_hosts.native(), fmt::join(verdict.known, ", ")),
                    fmt::format("somebody may stand between; ask the server's administrator, and only if the new key "
                                "is right: ssh-keygen -f {} -R '{}'; {}",
                                options.known_hosts.native(), own_name(options), keyscan(options))};
        case HostKeyVerdict::Kind::revoked:
            return {ErrorCode::authentication_failed,
                    fmt::format("{}: its host key {} is marked @revoked in {}", origin, shown,
                                options.known_hosts.native()),
                    "ask the server's administrator for its present key"};
    }
    return {ErrorCode::internal, origin};
}

Error login_cut(const SftpOptions& options) {
    return {ErrorCode::unreachable, fmt::format("{}: the connection was closed during the login", origin_of(options)),
            fmt::format("look into the log of its sshd: whether it was restarted, or closes the connection to user {} "
                        "(MaxAuthTries, a locked account)",
                        options.user),
            passing};
}

Error login_denied(const SftpEnding& ending, const SftpOptions& options) {
    const auto refused = fmt::format("{}: the login was refused", origin_of(options));
    const auto methods = noted(ending, "SSH authentication methods available:");
    if (!methods.empty() && !contains(methods, "publickey"))
        return {ErrorCode::authentication_failed,
                fmt::format("{}: the server takes no keys for this user, only {}", origin_of(options), methods),
                "let its sshd have PubkeyAuthentication yes"};
    if (options.key_file.empty()) {
        if (ending.closed) return login_cut(options);
        if (!was_noted(ending, "Failure connecting to agent") && !was_noted(ending, "Failure requesting"))
            return {ErrorCode::authentication_failed, refused + ": no key of the agent was accepted",
                    fmt::format("ssh-add -l lists the agent's keys: one of them has to be in the authorized_keys of {}",
                                options.user)};
        return {ErrorCode::authentication_failed, refused + ": there is no ssh-agent to ask for a key",
                "set SSH_AUTH_SOCK for the daemon, or name a key_file"};
    }
    const auto reason = noted(ending, "SSH public key authentication failed:");
    if (contains(reason, "Wrong passphrase") || contains(reason, "extract public key") ||
        contains(reason, "private key file"))
        return {ErrorCode::invalid_configuration,
                fmt::format("{}: the private key cannot be read{}", options.key_file.native(), in_brackets(reason)),
                "is its passphrase right? keys of type ed25519 in OpenSSH's own format work"};
    // libcurl calls each end of a login a refusal.
    if (ending.closed || contains(reason, "Waiting for") || contains(reason, "Unable to send"))
        return login_cut(options);
    if (ending.key.type == "ssh-rsa" && knows_rsa_by_sha1_only(ending.library))
        return {ErrorCode::authentication_failed,
                fmt::format("{}: {} is an RSA key, which {} signs with SHA-1: servers since OpenSSH 8.8 refuse that",
                            refused, options.key_file.native(), ending.library),
                fmt::format("use a key of type ed25519: ssh-keygen -t ed25519 -N '' -f {}_ed25519",
                            options.key_file.native())};
    return {ErrorCode::authentication_failed,
            fmt::format("{}: {} is not accepted for user {}", refused, options.key_file.native(), options.user),
            fmt::format("put the line that `ssh-keygen -y -f {}` prints into the authorized_keys of {} there, and look "
                        "into the log of its sshd",
                        options.key_file.native(), options.user)};
}

Error no_session(const SftpEnding& ending, const SftpOptions& options) {
    const auto origin = origin_of(options);
    // Also the words for a connection that was lost just then; but one to a server that refuses stays open.
    if (contains(ending.detail, "Unable to request SFTP subsystem") && !ending.closed)
        return {ErrorCode::unsupported, fmt::format("{}: the server has no SFTP subsystem", origin),
                "let its sshd_config have: Subsystem sftp internal-sftp"};
    if (contains(ending.detail, "sftp session"))
        return {ErrorCode::unreachable,
                fmt::format("{}: the SFTP session ended as it began{}", origin, in_brackets(ending.detail)),
                "if it stays so, let its sshd_config have: Subsystem sftp internal-sftp, and look into its sshd's log",
                passing};
    if (contains(ending.detail, "exchange encryption keys") || contains(ending.detail, "key exchange"))
        return {
            ErrorCode::unreachable,
            fmt::format("{}: no way to encrypt that both sides know, or the connection was lost{}", origin,
                        in_brackets(ending.detail)),
            "compare the server's KexAlgorithms, Ciphers and HostKeyAlgorithms with what " + ending.library + " has",
            passing};
    return {ErrorCode::unreachable, fmt::format("{}: no SSH connection{}", origin, in_brackets(ending.detail)),
            "check that this port is sshd's, and that sshd lets this host in (MaxStartups, hosts.deny, fail2ban)",
            passing};
}

Error lost(const SftpEnding& ending, const SftpOptions& options, std::string_view what) {
    const auto reason = ending.system_error == 0
                            ? std::string()
                            : ": " + base::to_lower(std::generic_category().message(ending.system_error));
    return {ErrorCode::unreachable, fmt::format("{}: {}{}", origin_of(options), what, reason),
            std::string(look_at_network), passing};
}

// Of the path, by the words that libcurl has for the status codes of the protocol.
Error refused_by_server(const SftpEnding& ending, const SftpOptions& options) {
    const auto what = fmt::format("{}: {}", origin_of(options), ending.action);
    const auto is = [&ending](CURLcode code, std::string_view words) {
        return ending.code == code || contains(ending.detail, words);
    };
    if (contains(ending.detail, "Connection to SFTP server lost") || contains(ending.detail, "Not connected"))
        return lost(ending, options, "the connection was lost");
    if (is(CURLE_REMOTE_FILE_NOT_FOUND, "No such file or directory"))
        return {ErrorCode::not_found, what + ": no such file or directory", "check the path of the target"};
    if (is(CURLE_REMOTE_ACCESS_DENIED, "Permission denied") || contains(ending.detail, "write protected"))
        return {ErrorCode::permission_denied, what + ": permission denied",
                fmt::format("let user {} read and write the target's path there, and all below it", options.user)};
    if (is(CURLE_REMOTE_DISK_FULL, "Disk full") || contains(ending.detail, "quota exceeded"))
        return {ErrorCode::no_space, what + ": the disk is full, or the quota used up",
                "make room on the server, or let less be kept there"};
    if (is(CURLE_REMOTE_FILE_EXISTS, "File already exists")) return {ErrorCode::conflict, what + ": it exists already"};
    const bool told = is_answer(ending);
    return {
        ErrorCode::server_error,
        what + (told ? ": the server refused it without a reason" : ": the server failed, or the connection was lost"),
        fmt::format("look into the server's log, and whether user {} has used up a quota there", options.user),
        passing};
}

}  // namespace

bool knows_rsa_by_sha1_only(std::string_view library) {
    for (const std::string_view old : {"libssh2/1.8", "libssh2/1.9", "libssh2/1.10"})
        if (library.starts_with(old)) return true;
    return false;
}

Error only_rsa_is_known(const SftpOptions& options, std::string_view library) {
    return {ErrorCode::unsupported,
            fmt::format("{}: {} has only its RSA key, which {} cannot check: servers since OpenSSH 8.8 do not use it "
                        "with SHA-1",
                        origin_of(options), options.known_hosts.native(), library),
            fmt::format("add its key of another type: ssh-keyscan -t ed25519,ecdsa -p {} {} >>{}, and compare its "
                        "fingerprint with the server's own",
                        options.port, options.host, options.known_hosts.native())};
}

bool is_refusal(const Error& error) {
    switch (error.code()) {
        case ErrorCode::not_found:
        case ErrorCode::permission_denied:
        case ErrorCode::no_space:
        case ErrorCode::conflict: return true;
        default: return false;
    }
}

Error connection_lost(const SftpOptions& options, std::string_view action) {
    return {ErrorCode::unreachable, fmt::format("{}: {}: the connection was lost", origin_of(options), action),
            std::string(look_at_network), passing};
}

bool is_answer(const SftpEnding& ending) {
    if (contains(ending.detail, "SFTP server")) return false;  // that it is gone
    return ending.code == CURLE_QUOTE_ERROR || contains(ending.detail, "Operation failed");
}

Error failure_from(const SftpEnding& ending, const SftpOptions& options) {
    const auto origin = origin_of(options);
    if (ending.stalled && !ending.authenticated)
        return {ErrorCode::timed_out, origin + ": no connection in time", std::string(look_at_network), passing};
    if (ending.stalled)
        return {ErrorCode::timed_out,
                fmt::format("{}: {}: no answer for {}", origin, ending.action,
                            base::format_duration(options.stall_timeout)),
                std::string(look_at_network), passing};
    switch (ending.code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return {ErrorCode::unreachable, origin + ": the host's name cannot be resolved",
                    "check the name, and this host's DNS", passing};
        case CURLE_COULDNT_CONNECT: return lost(ending, options, "no connection");
        case CURLE_OPERATION_TIMEDOUT:
            return {ErrorCode::timed_out,
                    origin + (ending.authenticated ? ": no answer in time" : ": no connection in time"),
                    std::string(look_at_network), passing};
        case CURLE_PEER_FAILED_VERIFICATION: return host_key_refused(ending, options);
        case CURLE_LOGIN_DENIED: return login_denied(ending, options);
        case CURLE_FAILED_INIT: return no_session(ending, options);
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING: return lost(ending, options, ending.action + ": the connection was lost");
        case CURLE_URL_MALFORMAT:
            return {ErrorCode::invalid_configuration, origin + ": not a name of a host", "check host and port"};
        case CURLE_UNSUPPORTED_PROTOCOL:
            return {ErrorCode::unsupported, "this libcurl has no SFTP", "install Debian's libcurl4"};
        case CURLE_OUT_OF_MEMORY: return {ErrorCode::internal, "out of memory in libcurl", {}, passing};
        default:
            if (ending.authenticated) return refused_by_server(ending, options);
            return lost(ending, options, "no SSH connection" + in_brackets(ending.detail));
    }
}

}  // namespace pgbakd::http
