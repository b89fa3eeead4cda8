// Whether a target still has a set, asked of the target itself: before the local one goes, since what the catalog knows
// of a place may have been true some time ago.
#pragma once

#include <string>

#include "offsite/targets.hpp"
#include "repository/repository.hpp"

namespace pgbakd::offsite {

// Which of the artifacts that the manifest names is not there in its size, as "a.dump is not there"; empty: none.
// Errors: the target's.
asio::awaitable<std::string> what_is_lacking_there(target::Target& target, model::BackupSet manifest,
                                                   async::StopToken stop);

// Empty if the target has the same manifest, each artifact in its size, and no finding against the set; else what is
// wrong, as "its manifest is not there". Reads nothing else. Errors: the target's.
asio::awaitable<std::string> what_is_wrong_there(target::Target& target, async::Pool& pool, repository::StoredSet set,
                                                 async::StopToken stop);

}  // namespace pgbakd::offsite
