// One run, from preflight to report.
#pragma once

#include "run/services.hpp"

namespace pgbakd::run {

// The report of a run that begins now: what the catalog records before execute() is called.
[[nodiscard]] model::RunReport begin_report(const Request& request, base::Timestamp now);

// Runs to the end and returns the report, which is by then in the catalog and in the reports directory. Never throws
// for a failure of the run itself, or of cleaning up behind it: that becomes a note of the report. `stop` ends it
// early: with ErrorCode::cancelled the run is CANCELLED, with `interrupted` INTERRUPTED; either way nothing is left
// behind. If it is stopped already, the run ends so without having been told as started. The caller has recorded
// `report` in the catalog as running.
asio::awaitable<model::RunReport> execute(Services& services, Request request, model::RunReport report,
                                          std::shared_ptr<Progress> progress, async::StopToken stop);

// Records a run that was not started, with the reason.
asio::awaitable<void> record_skipped(Services& services, model::RunReport report, calendar::ZonePtr zone,
                                     base::Error reason);

}  // namespace pgbakd::run
