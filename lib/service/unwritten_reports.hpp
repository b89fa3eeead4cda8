// Reports of runs that ended while the catalog could not be written: kept, and recorded as soon as that is possible.
#pragma once

#include <deque>
#include <optional>

#include "async/event.hpp"
#include "async/stop.hpp"
#include "model/run.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

class UnwrittenReports {
  public:
    explicit UnwrittenReports(Core& core) : core_(core), added_(core.io.get_executor()) {}

    void keep(const model::RunReport& report);
    [[nodiscard]] std::optional<model::RunReport> find(const base::RunId& run) const;
    [[nodiscard]] const std::deque<model::RunReport>& all() const noexcept { return reports_; }
    // Tries again at once, then every few seconds while there is something to write. Until stopped.
    asio::awaitable<void> write(async::StopToken stop);

  private:
    Core& core_;
    std::deque<model::RunReport> reports_;
    async::Event added_;
};

}  // namespace pgbakd::service
