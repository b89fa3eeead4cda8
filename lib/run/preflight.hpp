// What must hold before a run reads its first byte.
#pragma once

#include "run/services.hpp"
#include "source/source.hpp"

namespace pgbakd::run {

// How much a run may need on disk: 1.2 times the job's last set, or the source's own estimate where there is none.
[[nodiscard]] std::uint64_t space_needed(std::uint64_t last_set_bytes, std::uint64_t estimated_bytes) noexcept;
// no_space, with both figures, if `available` is less than what is needed and `min_free` together.
[[nodiscard]] base::Status check_space(const std::filesystem::path& directory, std::uint64_t available,
                                       std::uint64_t needed, std::uint64_t min_free);

// The databases that came and went since the last run, as notes ("database x is new").
[[nodiscard]] std::vector<std::string> database_changes(const std::vector<std::string>& before,
                                                        const std::vector<std::string>& now);

struct Ready {
    source::Prepared prepared;
    std::uint64_t last_set_bytes = 0;
    // What an artifact may come to, in bytes: none is much larger than the set it was in.
    [[nodiscard]] std::uint64_t largest_artifact() const noexcept {
        return last_set_bytes > 0 ? last_set_bytes : prepared.estimated_bytes;
    }
};
asio::awaitable<Ready> preflight(Services& services, source::Source& source, const model::JobSpec& job,
                                 async::StopToken stop);

}  // namespace pgbakd::run
