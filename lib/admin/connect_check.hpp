// What a run relies on beyond the configuration, asked without running one: directories, servers, privileges, programs,
// space.
#pragma once

#include <functional>
#include <string>

#include "admin/context.hpp"
#include "config/config.hpp"

namespace pgbakd::admin {

struct Finding {
    std::string subject;  // "repository", "job shop-daily"
    bool ok = true;
    std::string message;
    std::string hint;
};

// Tells each finding as it is made. Never throws for what it finds.
void check_connections(Context& context, const config::Config& config, const std::function<void(const Finding&)>& tell);

}  // namespace pgbakd::admin
