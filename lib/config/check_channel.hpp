// What must hold between the keys of a channel, and between a channel and the jobs.
#pragma once

#include <string>
#include <vector>

#include "config/keys.hpp"

namespace pgbakd::config {

// `jobs`: the sorted names of those defined; null where the section `jobs` could not be read.
void check_channel(Problems& problems, const std::vector<std::string>* jobs, const Named<model::ChannelSpec>& channel);

}  // namespace pgbakd::config
