#include "offsite/local_set.hpp"

#include <algorithm>

#include "holdings/corruption.hpp"

namespace pgbakd::offsite {

std::optional<repository::StoredSet> droppable(const repository::Repository& repository, catalog::Catalog& catalog,
                                               const model::JobSpec& job, const model::SetId& id) {
    if (job.keep_local != model::KeepLocal::until_copied || job.targets.empty()) return std::nullopt;
    const auto copies = catalog.copies_of(id);
    const auto has_it = [&copies](const std::string& target) {
        return std::any_of(copies.begin(), copies.end(), [&target](const auto& copy) {
            return copy.target == target && !copy.owed && copy.host.empty() &&
                   copy.verified != model::Verification::none;
        });
    };
    if (!std::all_of(job.targets.begin(), job.targets.end(), has_it)) return std::nullopt;
    // One that is owed to a target the job no longer has still needs the local set.
    if (std::any_of(copies.begin(), copies.end(), [](const auto& copy) { return copy.owed; })) return std::nullopt;
    std::optional<repository::StoredSet> set;
    try {
        set = repository.find(id);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::not_found) return std::nullopt;
        throw;
    }
    if (set->pinned || set->unreadable || holdings::found_corrupt(*set, catalog)) return std::nullopt;
    return set;
}

bool drop_if_copied(const repository::Repository& repository, catalog::Catalog& catalog, const model::JobSpec& job,
                    const model::SetId& id) {
    if (!droppable(repository, catalog, job, id)) return false;
    repository.remove(id);
    catalog.forget_set(id);
    return true;
}

}  // namespace pgbakd::offsite
