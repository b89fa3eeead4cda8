#include "run/findings.hpp"

namespace pgbakd::run {
namespace {

// Whether it was not marked before.
bool mark(const repository::Repository& repository, const catalog::SetState& state) {
    if (repository.find(state.id).corrupt) return false;
    repository.mark_corrupt(state.id, repository::Corruption{state.verified_at, state.message});
    return true;
}

}  // namespace

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

}  // namespace pgbakd::run
