// `check --connect` for targets: a probe object is put, read, listed and removed in each.
#pragma once

#include "admin/connect_check.hpp"
#include "admin/remote.hpp"

namespace pgbakd::admin {

void check_targets(Context& context, const config::Config& config, const ResolveSecret& secrets,
                   const std::function<void(const Finding&)>& tell);

}  // namespace pgbakd::admin
