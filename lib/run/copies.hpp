// The copies of one run's set: each target of the job gets the artifacts while they are written, and the rest when the
// set is committed. What a target does not take is owed to it, and never fails the run. Except with `keep_local:
// never`: then the targets are all there is, what one of them does not take cannot be sent later, and one must take all
// of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/task_group.hpp"
#include "offsite/targets.hpp"
#include "run/context.hpp"
#include "run/feed.hpp"

namespace pgbakd::run {

class Copies {
  public:
    explicit Copies(Context& context);
    Copies(const Copies&) = delete;
    Copies& operator=(const Copies&) = delete;
    // finish() or abandon() is due before, if begin() was called.
    ~Copies();

    // For a set that is to be on targets alone: whether each of them can be reached. One that cannot is told; throws
    // the first failure if none can. Else they are asked beside the dump, which waits for none of them.
    asio::awaitable<void> reach(async::StopToken stop);
    // The set has its name: sending may begin.
    void begin(const model::SetId& id);
    // An artifact of the set is being made from now on. Null if there is nobody to send it to.
    [[nodiscard]] std::unique_ptr<Feed> follow(const std::filesystem::path& path);

    // All artifacts that were made so far are no more, and will be made anew: what targets have or lack of them is of
    // no account.
    asio::awaitable<void> begin_anew(async::StopToken stop);

    // For a set that is to be on targets alone: until each target has that artifact or has given it up. Throws the
    // first failure if none has it: it must be dumped anew.
    asio::awaitable<void> settled(std::string file, async::StopToken stop);

    // Notes all copies as owed: before the set is committed, so that no crash loses one.
    asio::awaitable<void> owe(const model::BackupSet& set);
    // Sends what is missing of the committed set, to all targets at once, and notes in the report what became of it.
    // A stop, whatever its reason, leaves the rest owed.
    asio::awaitable<void> finish(std::filesystem::path directory, const model::BackupSet& set, async::StopToken stop);
    // Instead of owe() and finish(), for a set that is on targets alone: each that got all of its artifacts gets the
    // rest, and from then on has the set. Throws the first failure if none has it.
    asio::awaitable<void> finish_there(const model::BackupSet& set, async::StopToken stop);
    // There will be no set, for that reason: ends what goes on, and removes what was sent; in a hurry where the daemon
    // stops. Never throws.
    asio::awaitable<void> abandon(base::Error reason);

    [[nodiscard]] bool empty() const noexcept { return destinations_.empty(); }
    // The targets that have all of the set.
    [[nodiscard]] std::vector<std::pair<std::string, offsite::TargetPtr>> complete() const;
    // What was found of the local set while it was sent: an artifact reads otherwise than it was written. Empty:
    // nothing.
    [[nodiscard]] std::string corrupt() const;

  private:
    struct Destination;
    enum class Phase { writing, committed, abandoned };

    asio::awaitable<void> reach_one(Destination& destination, async::StopToken stop);
    asio::awaitable<void> serve(Destination& destination);
    asio::awaitable<void> stream(Destination& destination);
    asio::awaitable<void> send_committed(Destination& destination);
    asio::awaitable<void> send_once(Destination& destination);
    asio::awaitable<void> remove_sent(Destination& destination);
    asio::awaitable<void> conclude(Destination& destination);
    void keep_way(Destination& destination);
    asio::awaitable<void> record(Destination& destination);
    [[nodiscard]] catalog::Copy copy_of(const Destination& destination) const;
    [[nodiscard]] bool usable(Destination& destination, const std::string& file) const;
    [[nodiscard]] bool has_all(const Destination& destination) const;
    [[nodiscard]] base::Error why_missing(const Destination& destination) const;
    [[nodiscard]] base::Error first_failure() const;
    void tell_unreachable(const Destination& destination);
    void wake();

    Context& context_;
    std::vector<std::unique_ptr<Destination>> destinations_;
    async::StopSource stop_;
    async::TaskGroup tasks_;
    Phase phase_ = Phase::writing;
    bool only_there_;       // keep_local: never
    bool owed_ = false;     // in the catalog
    model::BackupSet set_;  // from owe() on
    std::filesystem::path directory_;
};

}  // namespace pgbakd::run
