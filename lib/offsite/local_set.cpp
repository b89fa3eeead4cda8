#include "offsite/local_set.hpp"

#include <algorithm>

namespace pgbakd::offsite {

bool drop_if_copied(const repository::Repository& repository, catalog::Catalog& catalog, const model::JobSpec& job,
                    const model::SetId& id) {
    if (job.keep_local != model::KeepLocal::until_copied || job.targets.empty()) return false;
    const auto copies = catalog.copies_of(id);
    const auto has_it = [&copies](const std::string& target) {
        return std::any_of(copies.begin(), copies.end(), [&target](const auto& copy) {
            return copy.target == target && !copy.owed && copy.host.empty() &&
                   copy.verified != model::Verification::none;
        });
    };
    if (!std::all_of(job.targets.begin(), job.targets.end(), has_it)) return false;
    // One that is owed to a target the job no longer has still needs the local set.
    if (std::any_of(copies.begin(), copies.end(), [](const auto& copy) { return copy.owed; })) return false;
    try {
        if (repository.find(id).pinned) return false;
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::not_found) return false;
        throw;
    }
    repository.remove(id);
    catalog.forget_set(id);
    return true;
}

DroppedSets drop_all_copied(const repository::Repository& repository, catalog::Catalog& catalog,
                            const model::JobSpec& job) {
    DroppedSets dropped;
    if (job.keep_local != model::KeepLocal::until_copied) return dropped;
    for (const auto& id : repository.ids(job.name)) {
        try {
            if (drop_if_copied(repository, catalog, job, id)) dropped.sets.push_back(id);
        } catch (const base::Error& error) {
            dropped.failures.push_back(id.text() + ": " + error.message());
        }
    }
    return dropped;
}

}  // namespace pgbakd::offsite
