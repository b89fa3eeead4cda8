#include "admin/failure.hpp"

namespace pgbakd::admin {

using base::ErrorCode;

ExitCode exit_code_of(const base::Error& error) noexcept {
    switch (error.code()) {
        case ErrorCode::invalid_argument: return ExitCode::usage;
        case ErrorCode::invalid_configuration: return ExitCode::configuration;
        case ErrorCode::not_found: return ExitCode::not_found;
        case ErrorCode::conflict:
        case ErrorCode::permission_denied:
        case ErrorCode::authentication_failed:
        case ErrorCode::unreachable:  // a server; the daemon's absence is a Failure of its own
        case ErrorCode::timed_out:
        case ErrorCode::cancelled:
        case ErrorCode::interrupted:
        case ErrorCode::no_space:
        case ErrorCode::corrupt:
        case ErrorCode::client_missing:
        case ErrorCode::program_failed:
        case ErrorCode::unsupported:
        case ErrorCode::io_failed:
        case ErrorCode::server_error:
        case ErrorCode::internal: break;
    }
    return ExitCode::failed;
}

ErrorCode error_code_of(std::string_view text) noexcept {
    for (auto number = 0; number <= static_cast<int>(ErrorCode::internal); ++number)
        if (const auto code = static_cast<ErrorCode>(number); base::code_text(code) == text) return code;
    return ErrorCode::internal;
}

}  // namespace pgbakd::admin
