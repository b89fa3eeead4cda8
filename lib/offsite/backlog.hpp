// Which owed copies are sent now: pure, with the time passed in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace pgbakd::offsite {

struct NextSends {
    std::vector<catalog::Copy> now;        // one for each target at most: the oldest set whose turn it is
    std::optional<base::Timestamp> later;  // when to look again; nothing: only when something changes
};
// `busy`: targets to which one is being sent.
[[nodiscard]] NextSends next_sends(const std::vector<catalog::Copy>& owed, const std::set<std::string>& busy,
                                   base::Timestamp now);

// The copy of a set that a target does not have yet, due at once.
[[nodiscard]] catalog::Copy owed_copy(const std::string& target, const model::BackupSet& set, base::Timestamp now);
// That of a set that was found on a target, by its manifest. `host` is the name of this one.
[[nodiscard]] catalog::Copy found_copy(const std::string& target, const model::BackupSet& set, base::Timestamp now,
                                       const std::string& host);

// When a copy that failed for the `attempts`-th time is tried again: a minute, doubled each time up to an hour, less a
// random part of it.
[[nodiscard]] base::Timestamp retry_at(int attempts, base::Timestamp now, std::uint64_t random);

// What `failed` means for the others that are owed to its target: one that is away is not asked for each of them. Gives
// those whose next attempt moved.
[[nodiscard]] std::vector<catalog::Copy> postpone_with(const catalog::Copy& failed, const base::Error& cause,
                                                       const std::vector<catalog::Copy>& owed);

}  // namespace pgbakd::offsite
