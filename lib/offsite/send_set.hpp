// A set that lies in the repository, sent to one target: what the target lacks of it, its manifest last.
#pragma once

#include <filesystem>

#include "model/backup_set.hpp"
#include "offsite/send_artifact.hpp"

namespace pgbakd::offsite {

// Sends what is missing, and its pin at last if it is pinned. Returns the least that is known of its artifacts. Errors:
// conflict if another set of that name is there; corrupt, with way.corrupt set if it is the one here that is; the
// target's.
asio::awaitable<Assured> send_set(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                  model::BackupSet set, Way& way, async::StopToken stop);

// Its artifacts alone.
asio::awaitable<void> send_artifacts(Means means, asio::any_io_executor executor, std::filesystem::path directory,
                                     model::BackupSet set, Way& way, async::StopToken stop);

// The end of a set whose artifacts the target has all got by send_artifact(), and that may be on no disk here: its
// sidecars, then its manifest. Returns and errors as send_set(); not_found if an artifact is not in `way`.
asio::awaitable<Assured> close_set(Means means, model::BackupSet set, Way& way, async::StopToken stop);

}  // namespace pgbakd::offsite
