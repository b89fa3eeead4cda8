// How much room the targets have, as they last told: the checks of health wait for none of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "async/stop.hpp"
#include "health/inputs.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

class TargetRooms {
  public:
    explicit TargetRooms(Core& core) : core_(core) {}

    // Asks all targets of the configuration, side by side, each for half a minute at most. What one told before that
    // does not answer now is not known any more, but for where it lies: why it does not is told when something is to be
    // sent there. Throws the reason of a stop.
    asio::awaitable<void> ask(async::StopToken stop);
    // All targets that the configuration has.
    [[nodiscard]] std::vector<health::TargetRoom> known() const;

  private:
    asio::awaitable<void> ask_one(std::string name, async::StopToken stop);

    Core& core_;
    ConfigPtr asked_for_;  // what answers_ are of
    std::map<std::string, health::TargetRoom> answers_;
};

}  // namespace pgbakd::service
