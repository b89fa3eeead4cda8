#include "alert/policy.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

namespace pgbakd::alert {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_pause = std::chrono::seconds(5);
constexpr milliseconds longest_pause = std::chrono::minutes(15);
constexpr milliseconds first_pause_if_refused = std::chrono::minutes(1);
constexpr milliseconds longest_pause_if_refused = std::chrono::hours(1);
constexpr int most_doublings = 30;

using Likeness = std::tuple<model::AlertKind, std::string, std::string, std::string, std::string>;

// What two alerts have in common of which one is enough; nothing for one that stands for itself.
std::optional<Likeness> likeness(const model::Alert& alert, Merging merging) {
    if (merging == Merging::last_state) return Likeness{alert.kind, {}, alert.job, {}, {}};
    if (alert.finding.empty()) return std::nullopt;
    return Likeness{alert.kind, alert.finding, alert.job, alert.place, alert.set};
}

}  // namespace

Merging merging_of(const model::ChannelSpec& channel) noexcept {
    return std::holds_alternative<model::HeartbeatPlace>(channel.place) ? Merging::last_state : Merging::digests;
}

Step next_step(const std::vector<Waiting>& waiting, Merging merging, base::Timestamp now, base::Timestamp not_before) {
    Step step;
    std::vector<std::size_t> left;
    std::set<Likeness> seen;
    auto gate = not_before;
    // From the newest on, so that this one remains.
    for (auto i = waiting.size(); i-- > 0;) {
        const auto& entry = waiting[i];
        if (now - entry.created_at >= longest_wait) {
            step.expired.push_back(i);
            continue;
        }
        gate = std::max(gate, entry.next_attempt);
        const auto like = likeness(entry.alert, merging);
        (like && !seen.insert(*like).second ? step.superseded : left).push_back(i);
    }
    for (auto* indices : {&step.expired, &step.superseded, &left}) std::ranges::reverse(*indices);
    if (left.empty()) return step;
    // Further away than anybody may ask for: the clock was set back.
    if (gate > now && gate - now <= longest_asked) {
        step.wake = gate;
        return step;
    }
    const auto together =
        merging == Merging::digests && left.size() >= digest_from ? std::min(left.size(), most_in_digest) : 1;
    left.resize(together);
    step.send = std::move(left);
    return step;
}

bool is_settled(const Delivery& delivery) noexcept {
    switch (delivery.outcome) {
        case Delivery::Outcome::delivered:
        case Delivery::Outcome::rejected: return true;
        case Delivery::Outcome::try_again:
        case Delivery::Outcome::refused: return false;
    }
    return false;
}

base::Timestamp next_attempt(const Delivery& delivery, int attempts, base::Timestamp now, std::uint64_t random) {
    const bool refused = delivery.outcome == Delivery::Outcome::refused;
    const auto first = refused ? first_pause_if_refused : first_pause;
    const auto longest = refused ? longest_pause_if_refused : longest_pause;
    const auto doublings = std::clamp(attempts - 1, 0, most_doublings);
    const auto ceiling = std::min<std::int64_t>(longest.count(), first.count() << doublings);
    const milliseconds pause(static_cast<std::int64_t>(1 + random % static_cast<std::uint64_t>(ceiling)));
    return now + std::max(pause, delivery.pause);
}

}  // namespace pgbakd::alert
