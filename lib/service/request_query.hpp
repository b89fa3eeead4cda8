// What stands behind the "?" of a request, checked: everything wrong is told at once, with what is allowed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/run.hpp"
#include "service/http_message.hpp"

namespace pgbakd::service {

inline constexpr int largest_page = 1'000'000;
inline constexpr int largest_page_size = 200;

struct ReportQuery {
    std::optional<std::string> job;
    std::optional<model::Outcome> status;
    int page = 1;
    int page_size = 10;
};

// Parameters that the route does not have, and those given twice. Error: invalid_argument.
[[nodiscard]] base::Status check_parameters(const Query& query, std::span<const std::string_view> known);
// page, page_size, job, status; an empty job or status is as good as none. Error: invalid_argument.
[[nodiscard]] base::Result<ReportQuery> read_report_query(const Query& query);
// wait. Error: invalid_argument.
[[nodiscard]] base::Result<bool> read_wait(const Query& query);

}  // namespace pgbakd::service
