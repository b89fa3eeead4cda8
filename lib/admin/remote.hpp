// Targets as the tool sees them: without the daemon, on a reactor that lives as long as one question takes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "admin/context.hpp"
#include "admin/failure.hpp"
#include "async/pool.hpp"
#include "config/config.hpp"
#include "target/target.hpp"

namespace pgbakd::admin {

// What a question may use.
struct RemoteAccess {
    target::Target& target;
    async::Pool& pool;
};
using RemoteQuestion = std::function<asio::awaitable<void>(RemoteAccess access, async::StopToken stop)>;

using ResolveSecret = std::function<base::Secret(const model::SecretReference&)>;
// Reads the credentials of all targets now: before the tool becomes the repository's owner, who may not. What cannot be
// read is told when it is needed.
[[nodiscard]] ResolveSecret read_target_secrets(const Context& context, const config::Config& config);

// Opens the target and runs `ask` to its end; throws what it threw, with the target's name in front. Error: not_found
// for a name that is none. Interrupted by SIGINT, SIGTERM or SIGHUP: `ask` is stopped and the target closed before.
void ask_target(Context& context, const config::Config& config, const ResolveSecret& secrets, const std::string& name,
                const RemoteQuestion& ask);

// rescan --from: enters the target's sets into the catalog, and forgets those that are not there. Those of the host
// `adopt` are this one's from then on.
ExitCode rescan_target(Context& context, const config::Config& config, const std::string& from,
                       const std::optional<std::string>& adopt);

}  // namespace pgbakd::admin
