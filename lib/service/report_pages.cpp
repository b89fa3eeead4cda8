#include "service/report_pages.hpp"

#include <algorithm>
#include <tuple>

namespace pgbakd::service {
namespace {

bool is_newer(const model::RunReport& one, const model::RunReport& other) {
    return std::tuple(one.started_at, one.run.text()) > std::tuple(other.started_at, other.run.text());
}

// Those that are asked for, the newest first.
std::vector<model::RunReport> asked_for(const ReportQuery& query, const LaterReports& later) {
    std::vector<model::RunReport> found;
    for (const auto& [id, report] : later)
        if ((!query.job || report.job == *query.job) && (!query.status || report.outcome == *query.status))
            found.push_back(report);
    std::sort(found.begin(), found.end(), is_newer);
    return found;
}

catalog::RunFilter filter_of(const ReportQuery& query, const LaterReports& later) {
    catalog::RunFilter filter{.job = query.job, .outcome = query.status};
    for (const auto& [id, report] : later) filter.without.push_back(id);
    return filter;
}

}  // namespace

ReportPage page_of(catalog::Catalog& catalog, const ReportQuery& query, const LaterReports& later) {
    auto filter = filter_of(query, later);
    auto merged = asked_for(query, later);
    ReportPage page;
    page.total = catalog.count_runs(filter) + merged.size();
    const auto before = (query.page - 1) * query.page_size;
    const auto few = static_cast<int>(std::min<std::size_t>(
        merged.size(), static_cast<std::size_t>(before) + static_cast<std::size_t>(query.page_size)));
    merged.resize(static_cast<std::size_t>(few));
    // So many of the catalog's stand before the page at least; those that do not may stand on it or behind.
    filter.offset = std::max(0, before - few);
    filter.limit = query.page_size + few;
    auto known = catalog.runs(filter);
    const auto middle =
        merged.insert(merged.end(), std::make_move_iterator(known.begin()), std::make_move_iterator(known.end()));
    std::inplace_merge(merged.begin(), middle, merged.end(), is_newer);
    const auto begin = std::min(merged.size(), static_cast<std::size_t>(before - filter.offset));
    const auto end = std::min(merged.size(), begin + static_cast<std::size_t>(query.page_size));
    for (auto i = begin; i < end; ++i) page.reports.push_back(std::move(merged[i]));
    return page;
}

std::optional<model::RunReport> latest_of(catalog::Catalog& catalog, const ReportQuery& query,
                                          const LaterReports& later, base::Timestamp now) {
    auto filter = filter_of(query, later);
    filter.limit = 1;
    filter.not_after = now;
    auto found = catalog.runs(filter);
    if (found.empty()) {
        filter.not_after.reset();
        found = catalog.runs(filter);
    }
    for (auto& report : asked_for(query, later)) found.push_back(std::move(report));
    const auto order = [now](const model::RunReport& report) {
        return std::tuple(report.started_at <= now, report.started_at, report.run.text());
    };
    const auto latest = std::ranges::max_element(found, {}, order);
    return latest == found.end() ? std::nullopt : std::optional(std::move(*latest));
}

}  // namespace pgbakd::service
