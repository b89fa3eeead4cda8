// The standard output of a client program as a stream.
#pragma once

#include <memory>
#include <string>

#include "async/child.hpp"
#include "model/job.hpp"
#include "source/stream.hpp"

namespace pgbakd::source {

// Starts the program. `what` names it in errors: "pg_dump of shop". `client`: where `command` has it run.
// `verbose`: see Remarks.
[[nodiscard]] std::unique_ptr<Stream> open_program_stream(asio::any_io_executor executor, const os::Command& command,
                                                          std::string what, model::ClientSpec client = {},
                                                          bool verbose = false);

// What a client program's end means: nothing if it was good, else an Error that carries its last lines and knows
// whether trying again could help.
void check_ending(const std::string& what, const async::Child& child, os::Child::Ending ending,
                  const model::ClientSpec& client = {});

}  // namespace pgbakd::source
