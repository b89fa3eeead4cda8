// The keys of `alerts`: a section for each type of channel.
#pragma once

#include <vector>

#include "config/section.hpp"
#include "model/channel.hpp"

namespace pgbakd::config {

[[nodiscard]] std::vector<Kind<model::ChannelSpec>> channel_kinds();

}  // namespace pgbakd::config
