// Commands of client programs that run in a container or on another host: what is run here, so that they run there with
// the arguments and the environment they were given, and end there when their connection does. Pure.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/job.hpp"
#include "os/process.hpp"

namespace pgbakd::source {

// How this host gets to where the programs run.
struct ClientWay {
    model::ClientSpec client;
    std::filesystem::path program;  // of this host: docker or ssh; empty: here
    std::chrono::milliseconds connect_timeout{};
};

// "container erp" or "host db1"; empty: here.
[[nodiscard]] std::string place_text(const model::ClientSpec& client);
// "in container erp", "on host db1"; empty: here.
[[nodiscard]] std::string located_text(const model::ClientSpec& client);

// `there` as it is run here. It needs a /bin/sh there, which runs a text of ours that is always the same: the
// arguments come to it as such, so that no shell reads them; on the way through ssh they are quoted as remote_word()
// has it. The environment is in no command line: docker takes the values from its own, for ssh they are lines on its
// standard input. What is not fed ends there by SIGTERM (SIGKILL after 5 s) as soon as its standard input does, which
// is when the connection is lost or either end is killed; a program that is fed sees that end itself. The
// `first_input` of one that is not is a line, and its whole input. Its exit code arrives; a signal as 128 + its number.
// `argv[0]` may be a name that PATH finds there. Errors: invalid_argument for a variable whose name is none of a
// shell's, or with a NUL byte.
[[nodiscard]] os::Command command_there(const ClientWay& way, os::Command there);

// ssh and its options, up to the destination. Nobody is asked anything, the host's key must be known, and a
// connection that is dead is noticed within a minute.
[[nodiscard]] std::vector<std::string> ssh_arguments(const ClientWay& way);

// One word for whichever shell the account there has: sh, bash, dash, ksh, zsh and fish take any bytes, csh and tcsh
// those without a line end.
[[nodiscard]] std::string remote_word(std::string_view text);

// The account's name in a destination of ssh; empty if it names none.
[[nodiscard]] std::string account_of(std::string_view destination);

}  // namespace pgbakd::source
