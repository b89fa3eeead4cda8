// What a reload changes, in words, and what it cannot change. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace pgbakd::service {

// "job x added", "job y removed", "job z changed"; "no changes" is an empty list.
[[nodiscard]] std::vector<std::string> changes(const config::Config& before, const config::Config& after);

// Keys that only a restart can change, as problems: the repository's and the reports' directories, the socket, the
// number of threads.
[[nodiscard]] std::vector<config::Problem> needs_restart(const config::Config& before, const config::Config& after,
                                                         const std::string& file);

}  // namespace pgbakd::service
