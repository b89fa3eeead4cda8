// Local sets that `keep_local: false` does not keep: what the catalog knows of their copies may have been true some
// time ago, so that the targets are asked before the only set that there may be is removed.
#pragma once

#include <string>

#include "async/stop.hpp"
#include "service/core.hpp"
#include "service/overview.hpp"

namespace pgbakd::service {

class LocalSets {
  public:
    LocalSets(Core& core, Overview& overview) : core_(core), overview_(overview) {}

    // Removes the set if every target of its job has it; the one that has just got it, maybe nobody, is not asked.
    // False: one of them could not be asked. Never throws.
    asio::awaitable<bool> drop(model::SetId id, std::string has_it, async::StopToken stop);
    // Of all jobs: what a kill, or another configuration, has left. Never throws.
    asio::awaitable<void> drop_all(async::StopToken stop);

  private:
    asio::awaitable<std::string> ask(std::string name, repository::StoredSet set, async::StopToken stop);

    Core& core_;
    Overview& overview_;
};

}  // namespace pgbakd::service
