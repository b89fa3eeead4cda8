// Which tables' rows a dump will hold when options choose among them. Their patterns, and what belongs to what, are
// pg_dump's alone to interpret; so it is asked: the table of contents of a custom archive stands before its data.
#pragma once

#include <string>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "model/job.hpp"
#include "os/process.hpp"
#include "postgres/snapshot.hpp"

namespace pgbakd::source {

// `command` is a pg_dump that writes a custom archive to its standard output, and runs where `client` says; it is ended
// after its table of contents.
// Nothing is kept but their OIDs. Throws what makes the dump itself fail, with `what` in front.
asio::awaitable<std::vector<postgres::TableId>> tables_with_data(asio::any_io_executor executor, os::Command command,
                                                                 std::string what, model::ClientSpec client,
                                                                 async::StopToken stop);

}  // namespace pgbakd::source
