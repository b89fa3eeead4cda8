// The configuration as a verb needs it: valid, or a failure that lists what is wrong.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/context.hpp"
#include "config/config.hpp"

namespace pgbakd::admin {

// Throws a Failure (configuration) with all problems.
[[nodiscard]] std::shared_ptr<const config::Config> load(Context& context);
// Null instead of a failure.
[[nodiscard]] std::shared_ptr<const config::Config> load_if_valid(Context& context);
// Throws not_found, with the nearest name as hint; it may be one of `others` too, which the verb also takes.
[[nodiscard]] std::shared_ptr<const model::JobSpec> find_job(const config::Config& config, const std::string& name,
                                                             std::vector<std::string> others = {});

// Where the daemon listens: --socket, else api.socket. A configuration with errors, or one that we may not read, must
// not keep anybody from the daemon, which runs with an earlier one: then api.socket is taken from what can be read of
// it, else the default.
[[nodiscard]] std::filesystem::path control_socket(Context& context);

// As root: becomes the user that the directory (or, before there is one, its parent) belongs to, for good, so that what
// is made there belongs to the daemon and what is read is read with its rights. Nothing if that is root.
void become_owner_of(const std::filesystem::path& directory);

}  // namespace pgbakd::admin
