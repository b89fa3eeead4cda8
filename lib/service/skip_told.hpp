// How a fire that does not run is told: in the report of the run that did not come, and in the log.
#pragma once

#include <string>

#include "base/error.hpp"
#include "scheduler/actions.hpp"

namespace pgbakd::service {

struct SkipTold {
    std::string line;   // of the log, with the job's name in front
    base::Error error;  // of the report; a milestone is named in it, with the command that makes it by hand
};
// `when` is the fire's time as people read it.
[[nodiscard]] SkipTold tell_skip(const scheduler::Skip& skip, const std::string& when);

}  // namespace pgbakd::service
