// Sends the copies that runs left owed: at once when there is something to do, later by their pauses, in order for each
// target, across restarts.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"
#include "offsite/send_set.hpp"
#include "offsite/targets.hpp"
#include "service/core.hpp"
#include "service/local_sets.hpp"
#include "service/overview.hpp"

namespace pgbakd::service {

class CopySender {
  public:
    CopySender(Core& core, Overview& overview)
        : core_(core),
          overview_(overview),
          local_sets_(core, overview),
          changed_(core.io.get_executor()),
          tasks_(core.io.get_executor()) {}

    // Until stopped; what is on its way is left so that the next start goes on behind it.
    asio::awaitable<void> send(async::StopToken stop);
    // Removes local sets that every target has (LocalSets), what unfinished uploads left on the targets and nobody has
    // gone on with for a day, and half sets of the jobs that this host has or had and that no copy which is owed can go
    // on with: at the start, then once a day. Until
    // stopped.
    asio::awaitable<void> sweep(async::StopToken stop);
    // A run has ended, or the configuration changed.
    void wake() { changed_.notify(); }
    // Called with the job whose copies are no longer as they were.
    void on_copies(std::function<void(const std::string& job)> tell) { tell_copies_ = std::move(tell); }
    // The configuration was read again, maybe since a target was put right: what is owed is due at once. Never throws.
    asio::awaitable<void> hasten();

  private:
    using ClaimPtr = std::shared_ptr<offsite::Targets::Claim>;
    asio::awaitable<void> sweep_one(std::string name, async::StopToken stop);
    void tell_unswept(const std::string& name, const std::exception_ptr& failure);
    asio::awaitable<std::size_t> sweep_halves(std::string name, offsite::TargetPtr target, async::StopToken stop);
    asio::awaitable<void> wait(std::optional<base::Timestamp> until, async::StopToken stop);
    asio::awaitable<void> send_one(catalog::Copy copy, ClaimPtr claim, async::StopToken stop);
    asio::awaitable<void> attempt(catalog::Copy& copy, async::StopToken stop);
    asio::awaitable<std::optional<offsite::Assured>> send_set(catalog::Copy& copy, const repository::StoredSet& set,
                                                              async::StopToken stop);
    asio::awaitable<void> mark_corrupt(model::SetId id, std::string message);
    asio::awaitable<void> hold(catalog::Copy copy, base::Error error);
    asio::awaitable<void> failed(catalog::Copy copy, base::Error error);
    [[nodiscard]] std::string no_longer_wanted(const catalog::Copy& copy) const;
    asio::awaitable<void> strike(catalog::Copy copy, std::string why, async::StopToken stop);
    asio::awaitable<void> drop_local(model::SetId id, std::string has_it, async::StopToken stop);
    asio::awaitable<void> put(catalog::Copy copy);
    asio::awaitable<void> record(const catalog::Copy& copy, bool& outdated, bool& recording);
    void touch(const std::string& job);

    Core& core_;
    Overview& overview_;
    LocalSets local_sets_;
    async::Event changed_;
    async::TaskGroup tasks_;
    std::set<std::string> busy_;  // targets
    bool told_unreadable_ = false;
    std::function<void(const std::string&)> tell_copies_;
};

}  // namespace pgbakd::service
