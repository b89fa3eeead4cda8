#include <fmt/format.h>

#include <array>

#include "base/cause.hpp"
#include "base/text.hpp"
#include "target/rclone_program.hpp"

namespace pgbakd::target {
namespace {

using base::Cause;
using base::ErrorCode;
using base::Persistence;

constexpr std::string_view allow = "allow rclone's account, or the daemon's user, to do that there";
constexpr std::string_view make_room = "free space on the remote, raise its quota, or shorten the retention";
constexpr std::string_view log_in =
    "log in again with `rclone config reconnect` and the configuration file of this target";

// The codes alone say little: nearly everything ends with 1. Sources: rclone's fs/fserrors, fs/config and backends, the
// errors of Go's net and os packages, and the HTTP status texts of RFC 9110. In lower case.
constexpr std::array rclone_causes{
    Cause{"didn't find section in config file", ErrorCode::invalid_configuration, Persistence::lasting,
          "is the remote's name spelled as in the configuration file of this target? see `rclone listremotes`"},
    Cause{"didn't find backend called", ErrorCode::invalid_configuration, Persistence::lasting,
          "this rclone does not know that type of remote: is it too old?"},
    Cause{"unknown flag", ErrorCode::unsupported, Persistence::lasting,
          "this rclone is too old: 1.60 or newer is needed"},
    Cause{"unknown command", ErrorCode::unsupported, Persistence::lasting,
          "this rclone is too old: 1.60 or newer is needed"},
    Cause{"decrypt configuration", ErrorCode::authentication_failed, Persistence::lasting,
          "the configuration file is encrypted: set RCLONE_CONFIG_PASS to its password"},
    Cause{"no password provided", ErrorCode::authentication_failed, Persistence::lasting,
          "the configuration file is encrypted: set RCLONE_CONFIG_PASS to its password"},
    Cause{"invalid_grant", ErrorCode::authentication_failed, Persistence::lasting, log_in},
    Cause{"empty token found", ErrorCode::authentication_failed, Persistence::lasting, log_in},
    Cause{"401 unauthorized", ErrorCode::authentication_failed, Persistence::lasting, log_in},
    Cause{"unable to authenticate", ErrorCode::authentication_failed, Persistence::lasting, log_in},
    Cause{"signaturedoesnotmatch", ErrorCode::authentication_failed, Persistence::lasting, log_in},
    Cause{"invalidaccesskeyid", ErrorCode::authentication_failed, Persistence::lasting, log_in},
    Cause{"no space left on device", ErrorCode::no_space, Persistence::lasting, make_room},
    Cause{"disk quota exceeded", ErrorCode::no_space, Persistence::lasting, make_room},
    Cause{"quotaexceeded", ErrorCode::no_space, Persistence::lasting, make_room},
    Cause{"507 insufficient storage", ErrorCode::no_space, Persistence::lasting, make_room},
    Cause{"ratelimitexceeded", ErrorCode::server_error, Persistence::passing, ""},
    Cause{"slowdown", ErrorCode::server_error, Persistence::passing, ""},
    Cause{"429 too many requests", ErrorCode::server_error, Persistence::passing, ""},
    Cause{"permission denied", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"operation not permitted", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"read-only file system", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"accessdenied", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"403 forbidden", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"insufficientpermissions", ErrorCode::permission_denied, Persistence::lasting, allow},
    // Google Drive's "…, insufficientFilePermissions" (rclone's issues 2917, 3449, 3998) and Google Cloud Storage's
    // "… does not have storage.objects.delete access to …, forbidden", which no other 403 of theirs is called: limits
    // of rate and quota have names of their own.
    Cause{"insufficientfilepermissions", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"does not have storage.", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{", forbidden", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"authorizationpermissionmismatch", ErrorCode::permission_denied, Persistence::lasting, allow},  // Azure's
    // Locks: of Google Cloud Storage and of Azure, as their references of error codes name them.
    Cause{"retentionpolicynotmet", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"objectunderactivehold", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"blobimmutableduetopolicy", ErrorCode::permission_denied, Persistence::lasting, allow},
    Cause{"x509:", ErrorCode::unreachable, Persistence::lasting, "the server's certificate is not trusted here"},
    Cause{"connection refused", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"connection reset", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"no such host", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"i/o timeout", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"tls handshake timeout", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"network is unreachable", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"no route to host", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"dial tcp", ErrorCode::unreachable, Persistence::passing, ""},
    Cause{"corrupted on transfer", ErrorCode::corrupt, Persistence::passing, ""},
    Cause{"sizes differ", ErrorCode::corrupt, Persistence::passing, ""},
};

Cause cause_of(const os::Child::Ending& ending, std::string_view words) {
    const auto text = base::to_lower(words);
    if (ending.signal == 0 && (ending.exit_code == 3 || ending.exit_code == 4))  // directory, file not found
        return {{}, ErrorCode::not_found, Persistence::lasting, ""};
    if (const auto* cause = base::find_cause(rclone_causes, text)) return *cause;
    if (ending.signal != 0) return {{}, ErrorCode::program_failed, Persistence::passing, ""};
    switch (ending.exit_code) {
        case 5: return {{}, ErrorCode::server_error, Persistence::passing, ""};     // "one that more retries might fix"
        case 6:                                                                     // "less serious errors"
        case 7:                                                                     // "one that more retries won't fix"
        case 8: return {{}, ErrorCode::program_failed, Persistence::lasting, ""};   // "limit set by --max-transfer"
        default: return {{}, ErrorCode::program_failed, Persistence::passing, ""};  // rclone itself would retry these
    }
}

}  // namespace

base::Error rclone_error(std::string_view what, const os::Child::Ending& ending,
                         const std::deque<std::string>& error_lines) {
    constexpr std::size_t lines_told = 3;
    std::vector<std::string> told;
    for (auto line = error_lines.rbegin(); line != error_lines.rend() && told.size() < lines_told; ++line)
        // Says again what the line after it says.
        if (line->find("Attempt 1/1 failed") == std::string::npos) told.insert(told.begin(), *line);
    const auto cause = cause_of(ending, base::join(std::vector(error_lines.begin(), error_lines.end()), "\n"));
    return {cause.code,
            fmt::format("{} failed: {}{}{}", what, ending.text(), told.empty() ? "" : ": ", base::join(told, "; ")),
            std::string(cause.hint), cause.persistence};
}

}  // namespace pgbakd::target
