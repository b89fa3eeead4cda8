#include "holdings/gaps.hpp"

#include <algorithm>

#include "holdings/identity.hpp"

namespace pgbakd::holdings {

void notice_gaps(const repository::Repository& repository, catalog::Catalog& catalog,
                 const std::vector<std::string>& jobs, base::Timestamp now) {
    if (identify(repository, catalog).whose == Whose::another) return;
    std::vector<model::BackupSet> newest;
    for (const auto& job : jobs) {
        auto ids = repository.ids(job);
        std::sort(ids.begin(), ids.end());
        // The newest one tells; but what a clock that was ahead has dated does only where there is nothing else.
        for (; !ids.empty(); ids.pop_back()) {
            auto set = repository.find(ids.back());
            if (!set.problem.empty()) continue;
            newest.push_back(std::move(set.manifest));
            if (newest.back().started_at <= now) break;
        }
    }
    catalog.notice_gaps(newest);
}

}  // namespace pgbakd::holdings
