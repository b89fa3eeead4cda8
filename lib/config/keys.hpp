// The table of keys, as one section for the whole file.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/section.hpp"

namespace pgbakd::config {

// What the table fills: the configuration before its parts are checked against each other.
struct Draft {
    Config config;  // without servers, targets, channels and jobs
    std::vector<Named<model::ServerSpec>> servers;
    std::vector<Named<model::TargetSpec>> targets;
    std::vector<Named<model::ChannelSpec>> channels;
    std::vector<Named<model::JobSpec>> jobs;
};

[[nodiscard]] const Section<Draft>& all_keys();

}  // namespace pgbakd::config
