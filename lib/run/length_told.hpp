// A target whose uploads are told how long their artifact is as soon as it is complete: what is sent while it is
// written has a length, and thus an expected end, only from then on.
#pragma once

#include <memory>
#include <string>

#include "offsite/growing.hpp"
#include "target/target.hpp"

namespace pgbakd::run {

// All uploads to it are of that artifact.
[[nodiscard]] std::shared_ptr<target::Target> with_length_told(std::shared_ptr<target::Target> inner,
                                                               std::shared_ptr<const offsite::Growing> file);

}  // namespace pgbakd::run
