#include "base/error.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace pgbakd::base {

std::string_view code_text(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument: return "invalid_argument";
        case ErrorCode::invalid_configuration: return "invalid_configuration";
        case ErrorCode::not_found: return "not_found";
        case ErrorCode::conflict: return "conflict";
        case ErrorCode::permission_denied: return "permission_denied";
        case ErrorCode::authentication_failed: return "authentication_failed";
        case ErrorCode::unreachable: return "unreachable";
        case ErrorCode::timed_out: return "timed_out";
        case ErrorCode::cancelled: return "cancelled";
        case ErrorCode::interrupted: return "interrupted";
        case ErrorCode::no_space: return "no_space";
        case ErrorCode::corrupt: return "corrupt";
        case ErrorCode::client_missing: return "client_missing";
        case ErrorCode::program_failed: return "program_failed";
        case ErrorCode::unsupported: return "unsupported";
        case ErrorCode::io_failed: return "io_failed";
        case ErrorCode::server_error: return "server_error";
        case ErrorCode::internal: return "internal";
    }
    return "internal";
}

Error::Error(ErrorCode code, std::string message, std::string hint, Persistence persistence)
    : code_(code), persistence_(persistence), message_(std::move(message)), hint_(std::move(hint)) {}

Error Error::during(std::string_view activity) const {
    Error result = *this;
    result.message_.insert(0, std::string(activity) + ": ");
    return result;
}

Error error_from_errno(int error_number, std::string_view action) {
    auto code = ErrorCode::io_failed;
    std::string hint;
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
            code = ErrorCode::no_space;
            hint = "free space on that file system, or shorten the retention";
            break;
        case EACCES:
        case EPERM:
        case EROFS: code = ErrorCode::permission_denied; break;
        case ENOENT: code = ErrorCode::not_found; break;
        default: break;
    }
    // generic_category().message is thread-safe where strerror is not.
    auto reason = std::generic_category().message(error_number);
    return {code, std::string(action) + ": " + reason, std::move(hint)};
}

Error to_error(std::exception_ptr exception) {
    try {
        std::rethrow_exception(std::move(exception));
    } catch (const Error& error) {
        return error;
    } catch (const std::exception& error) {
        return {ErrorCode::internal, error.what()};
    } catch (...) {
        return {ErrorCode::internal, "an exception of an unknown type"};
    }
}

}  // namespace pgbakd::base
