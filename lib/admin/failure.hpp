// How a verb ends: the exit codes that scripts rely on, and a failure that knows its own.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"

namespace pgbakd::admin {

enum class ExitCode {
    good = 0,
    failed = 1,         // the operation failed
    usage = 2,          // wrong arguments
    configuration = 3,  // wrong configuration
    verification = 4,   // a backup is not what it must be
    unreachable = 5,    // the daemon does not answer
    not_found = 6,      // no such job, set, run or file
    busy = 75,          // another run holds the job (EX_TEMPFAIL of sysexits.h: try again later)
};

// The exit code of an error that came up from below and says no more than what it is.
[[nodiscard]] ExitCode exit_code_of(const base::Error& error) noexcept;
// The code whose stable text that is; `internal` for texts of a newer daemon.
[[nodiscard]] base::ErrorCode error_code_of(std::string_view text) noexcept;

class Failure : public std::exception {
  public:
    Failure(ExitCode exit, base::Error error, std::vector<config::Problem> problems = {})
        // NOLINTNEXTLINE(bugprone-throw-keyword-missing): a member that is an exception too
        : exit_(exit), error_(std::move(error)), problems_(std::move(problems)) {}

    [[nodiscard]] ExitCode exit() const noexcept { return exit_; }
    [[nodiscard]] const base::Error& error() const noexcept { return error_; }
    // What is wrong with a configuration, when that is the failure.
    [[nodiscard]] const std::vector<config::Problem>& problems() const noexcept { return problems_; }
    [[nodiscard]] const char* what() const noexcept override { return error_.what(); }

  private:
    ExitCode exit_;
    base::Error error_;
    std::vector<config::Problem> problems_;
};

[[nodiscard]] inline Failure usage_error(std::string message, std::string hint = {}) {
    return {ExitCode::usage, {base::ErrorCode::invalid_argument, std::move(message), std::move(hint)}};
}

}  // namespace pgbakd::admin
