#include "holdings/begin_set.hpp"

namespace pgbakd::holdings {

repository::Repository::Partial begin_set(const repository::Repository& repository, catalog::Catalog& catalog,
                                          const std::string& job, const std::string& set_name, Goes goes,
                                          base::Timestamp now) {
    auto elsewhere = catalog.noted_set_names(job);
    for (const auto& copy : catalog.copies(job)) elsewhere.push_back(copy.id.set);
    auto partial = repository.begin(job, set_name, elsewhere);
    if (goes == Goes::nowhere) return partial;
    try {
        catalog.note_set_name(partial.id, now);
    } catch (const base::Error&) {
        repository.discard(partial);
        throw;
    }
    return partial;
}

}  // namespace pgbakd::holdings
