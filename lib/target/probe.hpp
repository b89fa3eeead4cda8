// What `check --connect` asks of a target: whether each thing that pgbakd does there is allowed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/target.hpp"

namespace pgbakd::target {

// The last two only where a place has uploads in parts.
enum class ProbeStep { put, read, list, remove, parts, sweep };

struct ProbeResult {
    enum class Outcome { good, failed, not_tried };
    ProbeStep step = ProbeStep::put;
    Outcome outcome = Outcome::not_tried;
    std::optional<base::Error> error{};  // only if it failed
};

struct ProbeReport {
    std::vector<ProbeResult> results;  // in the order above: one for each step, and of parts one for each failure
    [[nodiscard]] bool good() const noexcept;
    // The first failure, as an Error of the whole: "target nas: writing is not possible: …"; nothing if all is good.
    [[nodiscard]] std::optional<base::Error> failure(std::string_view target) const;
};

// "writing", "reading", "listing", "deleting", "uploading in parts", "sweeping unfinished uploads".
[[nodiscard]] std::string_view probe_step_text(ProbeStep step) noexcept;

// Puts a small object under probe_prefix, reads it back, finds it in a list and removes it. A step that fails does not
// keep the others from being tried, as far as they can be. Where it may write, also what long uploads take. Also
// removes probes that were left there a day or more before `now`, and tries to remove its own whatever failed. Throws
// only the token's reason; everything else is in the report.
inline constexpr std::string_view probe_prefix = ".pgbakd-probe/";
asio::awaitable<ProbeReport> probe(Target& target, base::Timestamp now, async::StopToken stop);

// What time it is at the place, by an object put there for that and removed again; the epoch where a place does not
// tell when things came. Throws what the target does.
asio::awaitable<base::Timestamp> place_time(Target& target, async::StopToken stop);

}  // namespace pgbakd::target
