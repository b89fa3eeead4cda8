#include "holdings/corruption.hpp"

#include <fmt/format.h>

#include <utility>

namespace pgbakd::holdings {
namespace {

template <class Step>
std::optional<base::Error> failure_of(Step step) {
    try {
        step();
    } catch (const base::Error& error) {
        return error;
    }
    return std::nullopt;
}

// Whether it was not marked before.
bool mark(const repository::Repository& repository, const catalog::SetState& state) {
    if (repository.find(state.id).corrupt) return false;
    repository.mark_corrupt(state.id, repository::Corruption{state.verified_at, state.message});
    return true;
}

}  // namespace

std::optional<std::string> found_corrupt(const repository::StoredSet& set, catalog::Catalog& catalog) {
    if (set.corrupt) return set.corrupt->message;
    for (auto& state : catalog.set_states())
        if (state.corrupt && state.id == set.manifest.id) return std::move(state.message);
    return std::nullopt;
}

void mark_corrupt(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id,
                  base::Timestamp now, const std::string& message) {
    const auto not_entered = failure_of([&] {
        catalog.put_set_state({id, model::Verification::none, now, true, message});
    });
    const auto unmarked = failure_of([&] { repository.mark_corrupt(id, repository::Corruption{now, message}); });
    if (not_entered && unmarked)
        throw base::Error(unmarked->code(), fmt::format("{}; {}", unmarked->message(), not_entered->message()),
                          unmarked->hint());
    if (unmarked) throw base::Error(*unmarked);
    if (not_entered) throw base::Error(*not_entered);
}

void note_with_set(const repository::Repository& repository, const repository::StoredSet& set, const Rechecked& found) {
    const bool is_good = found.fault.empty();
    if (is_good && !set.corrupt) return;
    std::optional<repository::Corruption> corruption;
    if (!is_good) corruption = {found.at, found.fault};
    repository.mark_corrupt(set.manifest.id, corruption);
}

void note_in_catalog(const std::filesystem::path& state_file, const model::SetId& id, const Rechecked& found) {
    const bool is_good = found.fault.empty();
    bool was_corrupt = false;
    if (const auto history = catalog::Catalog::open_for_reading(state_file))
        for (const auto& state : history->set_states()) was_corrupt = was_corrupt || (state.id == id && state.corrupt);
    if (is_good && !was_corrupt) return;
    catalog::Catalog::open(state_file, found.at)->put_set_state({id, found.level, found.at, !is_good, found.fault});
}

KeptFindings keep_findings(const repository::Repository& repository, catalog::Catalog& catalog) {
    KeptFindings kept;
    for (const auto& state : catalog.set_states()) {
        if (!state.corrupt) continue;
        try {
            if (mark(repository, state)) kept.marked.push_back(state.id);
        } catch (const base::Error& error) {
            if (error.code() == base::ErrorCode::not_found) continue;
            kept.failures.push_back(error.during(state.id.text() + ": the finding could not be left with the set"));
        }
    }
    return kept;
}

}  // namespace pgbakd::holdings
