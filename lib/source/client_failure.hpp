// What went wrong on the way to a program in a container or on another host, from the words of docker and ssh. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/job.hpp"
#include "os/process.hpp"

namespace pgbakd::source {

// The error where docker or ssh could not run the program, or lost it; nothing where the program itself has ended so.
// `words` are the last lines on standard error. Sources of the words: moby's daemon/ and client/ (versions 20 to 28),
// OpenSSH's ssh.c, sshconnect*.c and clientloop.c (8.0 to 9.9), whose own exit code is 255.
[[nodiscard]] std::optional<base::Error> client_failure(const model::ClientSpec& client, std::string_view what,
                                                        const os::Child::Ending& ending, const std::string& words);

// The end of a program over there: a signal arrives from there as an exit code above 128.
[[nodiscard]] os::Child::Ending ending_there(const model::ClientSpec& client, const os::Child::Ending& ending);

}  // namespace pgbakd::source
