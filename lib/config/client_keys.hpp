// The keys of a server's client: where its programs run.
#pragma once

#include <string>
#include <vector>

#include "config/section.hpp"
#include "model/job.hpp"

namespace pgbakd::config {

[[nodiscard]] const Section<model::ClientSpec>& client_keys();

// Values of `docker` and `ssh`.
[[nodiscard]] Type<model::ClientSpec> container();
[[nodiscard]] Type<model::ClientSpec> destination();

// What does not go with programs that run elsewhere.
void check_client(Problems& problems, const Named<model::ServerSpec>& server);

// At a key of a job's source: what it asks for would stay over there.
void refuse_elsewhere(Problems& problems, const Node& node, const model::ClientSpec& client);

}  // namespace pgbakd::config
