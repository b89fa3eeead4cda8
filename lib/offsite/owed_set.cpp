#include "offsite/owed_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "holdings/corruption.hpp"
#include "holdings/identity.hpp"
#include "os/file.hpp"

namespace pgbakd::offsite {
namespace {

using base::Error;
using base::ErrorCode;

OwedSet missing(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id) {
    const auto& root = repository.directory();
    const auto directory = root / id.job / id.set;
    if (os::file_status(directory))
        return {{},
                Error(ErrorCode::not_found, fmt::format("{} holds no manifest", directory.native()),
                      "where the set is not to be had back, remove that directory")};
    const auto identity = holdings::identify(repository, catalog, id.job);
    if (identity.whose == holdings::Whose::ours) return {};
    if (identity.whose == holdings::Whose::another)
        return {{}, Error(ErrorCode::not_found, "the set is not there, and " + identity.what, identity.hint)};
    // Sets that came later may be those of an empty mount point. Names are times, in the zones of their jobs.
    const auto ids = repository.ids();
    const bool in_use = std::any_of(ids.begin(), ids.end(), [&id](const auto& other) { return other.set <= id.set; });
    if (in_use) return {};
    return {{},
            Error(ErrorCode::not_found,
                  fmt::format("the repository {} holds no set{}", root.native(),
                              ids.empty() ? " at all" : " that is as old as this one"),
                  fmt::format("is its file system mounted (findmnt --target {})? to give this copy up, take the target "
                              "out of the job, reload, and put it back",
                              root.native()))};
}

OwedSet look(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id) {
    auto set = repository.find(id);
    if (const auto found = holdings::found_corrupt(set, catalog)) return {{}, held_as_corrupt(id, *found)};
    if (!set.problem.empty())
        return {{},
                Error(set.unreadable ? ErrorCode::io_failed : ErrorCode::corrupt, set.problem,
                      fmt::format("pgbakctl verify {}", id.text()))};
    return {std::move(set), {}};
}

// By what is known of it, whether it can be looked at now or not.
bool is_corrupt(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id) {
    const auto known = catalog.corrupt_sets(id.job);
    if (std::any_of(known.begin(), known.end(), [&id](const auto& state) { return state.id == id; })) return true;
    try {
        return repository.find(id).corrupt.has_value();
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

Error held_as_corrupt(const model::SetId& id, const std::string& found) {
    return {ErrorCode::corrupt, "the local set was found corrupt, and is not sent: " + found,
            fmt::format("pgbakctl verify {}", id.text())};
}

OwedSet find_owed_set(const repository::Repository& repository, catalog::Catalog& catalog, const model::SetId& id) {
    try {
        try {
            return look(repository, catalog, id);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::not_found) throw;
        }
        return missing(repository, catalog, id);
    } catch (const Error& error) {
        return {{}, error};
    }
}

bool is_half_of_use(const repository::Repository& repository, catalog::Catalog& catalog, const std::string& target,
                    const model::SetId& id) {
    const auto copies = catalog.copies_of(id);
    const bool resumed = std::any_of(copies.begin(), copies.end(), [&target](const auto& copy) {
        return copy.target == target && copy.owed && copy.begun;
    });
    return resumed && !is_corrupt(repository, catalog, id);
}

}  // namespace pgbakd::offsite
