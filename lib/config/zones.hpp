// Time zones by name, each asked for once.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace pgbakd::config {

class Zones {
  public:
    explicit Zones(const Host& host) : host_(host) {}

    [[nodiscard]] const base::Result<calendar::ZonePtr>& find(std::string_view name) {
        auto known = known_.find(name);
        if (known == known_.end()) known = known_.emplace(name, host_.find_zone(name)).first;
        return known->second;
    }

  private:
    const Host& host_;
    std::map<std::string, base::Result<calendar::ZonePtr>, std::less<>> known_;
};

}  // namespace pgbakd::config
