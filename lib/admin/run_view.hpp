// A run as the daemon or a report tells it (model::json_run), for people.
#pragma once

#include <string>
#include <string_view>

#include "admin/context.hpp"
#include "admin/output.hpp"
#include "admin/progress_bar.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {

[[nodiscard]] Style style_of_status(std::string_view status);

// 0 for SUCCESS and WARNING, 75 for a run that was skipped because another held the job, else 1.
[[nodiscard]] ExitCode exit_code_of_run(const boost::json::object& run);

// "shop-daily succeeded in 4.1 s: shop-daily/20260114_000000 (431 KiB)"
[[nodiscard]] std::string summary_of_run(const boost::json::object& run, bool colour);
// That, its files and its notes on `out`; what went wrong on `err`, with its hint.
void print_run(Context& context, const boost::json::object& run);

// An event "progress" as a line on the bar.
[[nodiscard]] ProgressState progress_of(const boost::json::object& progress);

}  // namespace pgbakd::admin
