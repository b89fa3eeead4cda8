// Reports of runs, page by page: of what the catalog knows, and of runs that are further than it knows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "model/run.hpp"
#include "service/request_query.hpp"

namespace pgbakd::service {

// By the run's id: those that go on, and those whose end could not be recorded yet. The catalog may still have one as
// RUNNING that has ended, or not have it at all: each counts as what it is here, wherever it is asked for.
using LaterReports = std::map<std::string, model::RunReport>;

struct ReportPage {
    std::uint64_t total = 0;  // on all pages
    std::vector<model::RunReport> reports;
};

// The newest first. Blocks.
[[nodiscard]] ReportPage page_of(catalog::Catalog& catalog, const ReportQuery& query, const LaterReports& later);

// The newest, whatever the page. What a clock ahead of `now` has dated counts where there is nothing else. Blocks.
[[nodiscard]] std::optional<model::RunReport> latest_of(catalog::Catalog& catalog, const ReportQuery& query,
                                                        const LaterReports& later, base::Timestamp now);

}  // namespace pgbakd::service
