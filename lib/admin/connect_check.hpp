// What a run relies on beyond the configuration, asked without running one: directories, servers, privileges, programs,
// space.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "admin/context.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"

namespace pgbakd::admin {

struct Finding {
    std::string subject;  // "repository", "job shop-daily"
    bool ok = true;
    std::string message;
    std::string hint;
};

// Passwords by server, of those that are a credential: what systemd handed to this process or, for root, to the
// service that runs.
using Credentials = std::map<std::string, base::Result<base::Secret>>;
// To be asked before become_owner_of(), which gives up the right to read them.
[[nodiscard]] Credentials read_credentials(const Surroundings& around, const config::Config& config);

// Tells each finding as it is made. Never throws for what it finds.
void check_connections(Context& context, const config::Config& config, const Credentials& credentials,
                       const std::function<void(const Finding&)>& tell);

}  // namespace pgbakd::admin
