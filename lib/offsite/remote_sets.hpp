// What a target holds of our sets, asked of the target itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/backup_set.hpp"
#include "repository/repository.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

struct RemoteSet {
    model::SetId id;
    bool exists = false;  // its manifest is there; else a copy on its way, or what was left of one
    bool pinned = false;
    bool corrupt = false;              // a check found it so, and left its finding there
    std::uint64_t bytes = 0;           // of all its objects
    std::uint64_t artifact_bytes = 0;  // of those that are neither its manifest nor a sidecar nor a mark
    base::Timestamp newest{};  // when the youngest of them came; by the set's name where the target does not tell
};

// What a set has no more objects of: a place that tells of more is wrong, and is not believed.
inline constexpr std::uint64_t most_in_a_set = 1'000'000;

// The sets of a job, or of all; by job and name, oldest first. Reads no manifest. Error: server_error of a list that
// does not end, and the target's.
asio::awaitable<std::vector<RemoteSet>> remote_sets(target::Target& target, std::optional<std::string> job,
                                                    async::StopToken stop);
// Halves to which nothing has come for a day, by this host's clock and by the place's, so that one that is wrong makes
// none of what is being sent: as old as that is only what is a day older than something else that is there.
[[nodiscard]] std::vector<model::SetId> stale_halves(const std::vector<RemoteSet>& sets, base::Timestamp now);
// The same; where nothing else there tells what time it is at the place, the place is asked.
asio::awaitable<std::vector<model::SetId>> find_stale_halves(target::Target& target, std::vector<RemoteSet> sets,
                                                             base::Timestamp now, async::StopToken stop);
// Errors: not_found, corrupt (no manifest, or that of another set).
asio::awaitable<model::BackupSet> remote_manifest(target::Target& target, model::SetId id, async::StopToken stop);

// Leaves a mark (pin_file, corrupt_file) with a set there, with that text, or takes it away. Errors: not_found for a
// set that is not there, the target's.
asio::awaitable<void> put_mark(target::Target& target, model::SetId id, std::string_view mark, std::string text,
                               async::StopToken stop);
asio::awaitable<void> remove_mark(target::Target& target, model::SetId id, std::string_view mark,
                                  async::StopToken stop);
// What the mark of a corrupt set says; nothing if there is none.
asio::awaitable<std::optional<repository::Corruption>> remote_corruption(target::Target& target, model::SetId id,
                                                                         async::StopToken stop);

// Removing a set takes two steps: with the manifest it is gone, since half a set is none, then what is left of it goes.
// Give what the target refuses: a lock, or no permission.
asio::awaitable<std::optional<target::Refusal>> remove_manifest(target::Target& target, model::SetId id,
                                                                async::StopToken stop);
asio::awaitable<std::optional<target::Refusal>> remove_remains(target::Target& target, model::SetId id,
                                                               async::StopToken stop);
// Removes a half, and says whether it did: not if it has become a set meanwhile, or the target refuses.
asio::awaitable<bool> remove_half(target::Target& target, model::SetId id, async::StopToken stop);

}  // namespace pgbakd::offsite
