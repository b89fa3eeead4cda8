// Real servers of tests/support that are shared by all test processes of one ctest, or started for this process alone.
#pragma once

#include <map>
#include <string>

namespace contract {

// What `tests/support/<name>.py` tells of its server; "skipped" says why this machine cannot have it. Started when it
// is first asked for; it ends with ctest, or with this process.
[[nodiscard]] std::map<std::string, std::string> shared_server(const std::string& name);

}  // namespace contract
