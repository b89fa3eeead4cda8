// The one error type. A failure is a fact (message), what kind of fact (code), what a person can do about it (hint),
// and whether trying again could help (passing).
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace pgbakd::base {

// What kind of failure it is. The text form (`code_text`) is stable: it stands in reports and in API answers.
enum class ErrorCode {
    invalid_argument,       // a value given by the caller is wrong
    invalid_configuration,  // the configuration is wrong
    not_found,              // the named thing does not exist
    conflict,               // it exists already, or another holder has it
    permission_denied,      // a privilege is missing, here or on the server
    authentication_failed,  // wrong password, no entry in pg_hba.conf
    unreachable,            // no answer, connection refused or lost
    timed_out,              // a deadline passed
    cancelled,              // somebody asked to stop; not a failure of the work
    interrupted,            // the daemon stopped, or was found to have stopped, in the middle of it
    no_space,               // the disk is full or would be
    corrupt,                // data is not what it must be
    client_missing,         // a program that is needed is not installed
    program_failed,         // a child exited non-zero or by a signal
    unsupported,            // not possible with this server or format version
    io_failed,              // the operating system refused an operation
    server_error,           // the server reported an error
    internal,               // a foreign exception nobody expected
};

[[nodiscard]] std::string_view code_text(ErrorCode code) noexcept;

enum class Persistence { lasting, passing };

class Error : public std::exception {
  public:
    Error(ErrorCode code, std::string message, std::string hint = {}, Persistence persistence = Persistence::lasting);

    [[nodiscard]] ErrorCode code() const noexcept { return code_; }
    // A lower-case fact that names the thing; context added on the way up stands in front: "uploading x: …".
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    // What to do about it; may be empty.
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
    // Passing: the same operation may succeed later without anybody changing anything.
    [[nodiscard]] bool is_passing() const noexcept { return persistence_ == Persistence::passing; }

    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

    // The same error with "<activity>: " in front of its message.
    [[nodiscard]] Error during(std::string_view activity) const;

  private:
    ErrorCode code_;
    Persistence persistence_;
    std::string message_;
    std::string hint_;
};

// An Error from errno of a failed system call: ENOSPC and EDQUOT become no_space, EACCES and EPERM permission_denied,
// ENOENT not_found, the rest io_failed. `action` names what was tried and on what: "writing /a/b".
[[nodiscard]] Error error_from_errno(int error_number, std::string_view action);

// The exception as an Error: an Error as it is, std::bad_alloc and any other std::exception as `internal`.
[[nodiscard]] Error to_error(std::exception_ptr exception);

}  // namespace pgbakd::base
