#include "health/reread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "holdings/corruption.hpp"

namespace pgbakd::health {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::hours often_enough{7 * 24};

std::string first_fault(const repository::Verdict& verdict) {
    for (const auto& artifact : verdict.artifacts)
        if (artifact.finding == verdict.finding()) return fmt::format("{} {}", artifact.file, artifact.message);
    return {};
}

std::optional<repository::StoredSet> find(const repository::Repository& repository, const model::SetId& id) {
    try {
        return repository.find(id);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
    }
    return std::nullopt;
}

}  // namespace

std::optional<model::SetId> next_to_read(const std::vector<Checked>& sets, base::Timestamp now) {
    const Checked* first = nullptr;
    for (const auto& set : sets) {
        // A check that lies in the future was noted by a clock that was wrong.
        if (set.checked_at <= now && now - set.checked_at < often_enough) continue;
        const auto turn = [](const Checked& one) { return std::tuple(one.tried_at, one.checked_at, one.id); };
        if (first == nullptr || turn(set) < turn(*first)) first = &set;
    }
    return first == nullptr ? std::nullopt : std::optional(first->id);
}

std::vector<Checked> sets_to_read(const repository::Repository& repository, catalog::Catalog& catalog) {
    std::map<model::SetId, catalog::SetState> states;
    for (auto& state : catalog.set_states()) states.emplace(state.id, state);
    std::vector<Checked> result;
    for (const auto& set : repository.sets()) {
        const auto known = states.find(set.manifest.id);
        if (set.corrupt || set.unreadable || (known != states.end() && known->second.corrupt)) continue;
        auto checked_at = set.manifest.finished_at;
        if (known != states.end()) checked_at = std::max(checked_at, known->second.verified_at);
        result.push_back({set.manifest.id, checked_at});
    }
    return result;
}

Reread reread(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id,
              base::Timestamp now, const repository::Progress& progress) {
    using Result = Reread::Result;
    const auto set = find(repository, id);
    if (!set) return {Result::gone, {}};
    const auto verdict = repository::verify(*set, progress);
    const auto message = first_fault(verdict);
    switch (verdict.finding()) {
        case repository::Finding::good:
            catalog.put_set_state({id, verdict.level, now, false, {}});
            return {Result::good, {}};
        case repository::Finding::unread: return {Result::unread, message};
        case repository::Finding::bad: break;
    }
    // What retention deleted meanwhile is not corrupt.
    if (!find(repository, id)) return {Result::gone, {}};
    holdings::mark_corrupt(repository, catalog, id, now, message);
    return {Result::corrupt, message};
}

}  // namespace pgbakd::health
