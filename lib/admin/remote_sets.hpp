// What the verbs share that read sets from a target.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "admin/context.hpp"
#include "admin/progress_bar.hpp"
#include "async/asio.hpp"
#include "model/backup_set.hpp"
#include "target/target.hpp"

namespace pgbakd::admin {

// "job/latest" is the newest complete one there whose manifest can be read; which were passed over is remarked. Errors:
// not_found; those of the manifest, with the set's name.
asio::awaitable<model::BackupSet> find_remote_set(Context& context, target::Target& target, model::SetId id,
                                                  async::StopToken stop);

// Shows on the bar how many bytes have come of how many.
[[nodiscard]] std::function<void(std::uint64_t)> shown_bytes(ProgressBar& bar, std::string what, std::uint64_t total);

}  // namespace pgbakd::admin
