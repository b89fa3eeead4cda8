// What a run says of its copies, in its report and to its observer.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "catalog/catalog.hpp"
#include "run/context.hpp"

namespace pgbakd::run {

// The target has the set, or is owed it, because of that failure if there was one.
void tell_copy(Context& context, const catalog::Copy& copy, const model::BackupSet& set,
               const std::optional<base::Error>& failure, std::chrono::milliseconds took);
// The target does not have the set, and there is nothing to send it from.
void tell_missing(Context& context, const std::string& target, const model::SetId& id, const base::Error& failure);

}  // namespace pgbakd::run
