// The large part of `status`, as text that is made once and told to all who ask: jobs, findings, owed, places. After a
// change only what it concerns is made anew. Reactor thread only; the making is on the pool.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "service/http_message.hpp"
#include "service/overview.hpp"

namespace pgbakd::service {

class StatusText {
  public:
    explicit StatusText(Core& core) : core_(core), made_(core.io.get_executor()), wanted_(core.io.get_executor()) {}

    // Members of a JSON object and its end: `"jobs":[…],"findings":[…],"owed":[…],"owed_total":0,"places":[…]}`.
    // Of few jobs it is made from just these; of many it may be a moment old, so that nobody waits for a pool that has
    // runs to serve.
    asio::awaitable<Text> text(FactsPtr facts, ConcernsPtr concerns, async::StopToken stop);
    // Makes it anew behind those who ask, until stopped.
    asio::awaitable<void> keep(async::StopToken stop);

  private:
    // What it was made from; `wake` stands for all next fires: none of them moves without the soonest or the
    // configuration.
    struct Key {
        FactsPtr facts;
        ConcernsPtr concerns;
        ConfigPtr config;
        std::optional<base::Instant> wake;
        bool operator==(const Key&) const = default;
    };
    struct Entry {
        std::shared_ptr<const model::JobSpec> job;
        std::shared_ptr<const JobFacts> facts;
        std::optional<base::Instant> next;
        Text text;
    };
    struct Made {
        ConcernsPtr concerns;
        std::vector<Entry> entries;  // in the configuration's order
        Text text;
    };
    using Fires = std::unordered_map<std::string, base::Instant>;  // the next of each job
    [[nodiscard]] Key key(FactsPtr facts, ConcernsPtr concerns) const;
    asio::awaitable<void> remake(Key key);
    [[nodiscard]] static std::shared_ptr<const Made> make(const Key& key, const Fires& fires, const Made* before);

    Core& core_;
    Key key_;
    Key asked_;  // by the last one that was told what is a moment old
    std::shared_ptr<const Made> made_last_;
    std::shared_ptr<const Fires> fires_;
    base::SteadyTime made_at_{}, right_at_{};  // when it was made, and last known to be what is so
    bool making_ = false;
    async::Event made_, wanted_;
};

}  // namespace pgbakd::service
