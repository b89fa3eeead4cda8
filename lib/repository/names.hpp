// The names of files and directories below the repository's directory, in one place.
//
//   .daemon-lock            held by the daemon
//   .repository-id          which repository this is (identity.cpp); likewise in each job's directory
//   .<job>.lock             held by a run of the job, or by whoever sweeps it
//   .<job>.index            a copy of what the job's manifests say (index.hpp); may be deleted at any time
//   <job>/<set>/            a set; `pinned` and `corrupt` in it are marks (repository.hpp)
//   <job>/.<set>.partial/   a set that is being written
//   <job>/.<set>.removing/  a set that is being removed
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace pgbakd::repository {

// Not ".daemon.lock": that is the lock of a job called "daemon".
inline constexpr std::string_view daemon_lock_name = ".daemon-lock";
inline constexpr std::string_view identity_name = ".repository-id";
inline constexpr std::string_view pinned_name = "pinned";
inline constexpr std::string_view corrupt_name = "corrupt";
inline constexpr std::string_view sidecar_extension = ".sha256";

[[nodiscard]] std::string lock_name(std::string_view job);
[[nodiscard]] std::string index_name(std::string_view job);
[[nodiscard]] std::string partial_name(std::string_view set);
[[nodiscard]] std::string removing_name(std::string_view set);
// A name that partial_name or removing_name makes of a set's name.
[[nodiscard]] bool is_leftover(std::string_view name);
// The set's name in such a name.
[[nodiscard]] std::string_view set_of_leftover(std::string_view name);

// "<hex>  <file>\n", as sha256sum writes it.
[[nodiscard]] std::string sidecar_text(std::string_view sha256, std::string_view file);
// The hash in a sidecar's text; nothing if it is not one.
[[nodiscard]] std::optional<std::string> sidecar_hash(std::string_view text);
// Whether `sha256sum -c` in the directory of `file` would check that file, and it alone, by this sidecar; else what is
// wrong with it: "names another file: x".
[[nodiscard]] base::Status check_sidecar(std::string_view text, std::string_view sha256, std::string_view file);

// What the name of a set says of its start, taken as UTC. Only of a name that is_set_name() accepts.
[[nodiscard]] base::Instant time_in_name(std::string_view set);

}  // namespace pgbakd::repository
