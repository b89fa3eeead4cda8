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

constexpr milliseconds first_gap = std::chrono::seconds(2);
constexpr milliseconds longest_gap = std::chrono::minutes(1);
constexpr milliseconds silence = std::chrono::minutes(1);  // that takes back one step
constexpr int most_steps = 6;                              // with which the gaps have grown to the longest

milliseconds doubled(milliseconds first, int doublings, milliseconds longest) {
    return std::min(longest, milliseconds(first.count() << std::clamp(doublings, 0, most_doublings)));
}

// The most that may lie between a failure and the next attempt.
milliseconds longest_backoff(Delivery::Outcome outcome, int attempts) {
    const bool refused = outcome == Delivery::Outcome::refused;
    return doubled(refused ? first_pause_if_refused : first_pause, attempts - 1,
                   refused ? longest_pause_if_refused : longest_pause);
}

// Which kind of failure it was is not known any more.
bool is_believable(const Waiting& entry, base::Timestamp now) {
    if (entry.attempts == 0) return false;
    return entry.next_attempt - now <= longest_backoff(Delivery::Outcome::refused, entry.attempts);
}

bool is_given_up(const Waiting& entry) {
    return entry.attempts >= least_attempts && entry.next_attempt - entry.created_at >= longest_wait;
}

int steps_at(const Pace& pace, base::Timestamp now) {
    if (now < pace.last) return 0;  // the clock was set back
    const auto taken_back = (now - pace.last) / silence;
    return taken_back >= pace.steps ? 0 : pace.steps - static_cast<int>(taken_back);
}

// When the next message may go; what one message cannot hold has been gathered for long enough.
base::Timestamp next_message(const Pace& pace, std::size_t waiting, base::Timestamp now) {
    if (pace.steps == 0 || now < pace.last) return {};
    return pace.last + (waiting >= most_in_digest ? first_gap : doubled(first_gap, pace.steps - 1, longest_gap));
}

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

Pause by_clock(const Pause& pause, base::Timestamp now) noexcept {
    if (now >= pause.asked_at) return pause;
    return {now, now + std::min<milliseconds>(pause.until - pause.asked_at, longest_asked)};
}

Pace after_message(const Pace& pace, base::Timestamp now) noexcept {
    return {now, std::min(most_steps, steps_at(pace, now) + 1)};
}

Step next_step(const std::vector<Waiting>& waiting, Merging merging, base::Timestamp now, const Pause& asked,
               const Pace& pace) {
    Step step;
    std::vector<std::size_t> left;
    std::set<Likeness> seen;
    std::set<std::string> ended;  // runs
    auto gate = asked.until;
    // From the newest on, so that this one remains.
    for (auto i = waiting.size(); i-- > 0;) {
        const auto& entry = waiting[i];
        if (is_given_up(entry)) {
            step.expired.push_back(i);
            continue;
        }
        if (is_believable(entry, now)) gate = std::max(gate, entry.next_attempt);
        const bool is_start = entry.alert.kind == model::AlertKind::run_started;
        const auto like = likeness(entry.alert, merging);
        const bool is_over = is_start && entry.attempts > 0 && ended.contains(entry.alert.run);
        (is_over || (like && !seen.insert(*like).second) ? step.superseded : left).push_back(i);
        if (!is_start) ended.insert(entry.alert.run);
    }
    for (auto* indices : {&step.expired, &step.superseded, &left}) std::ranges::reverse(*indices);
    if (left.empty()) return step;
    const bool gathers = merging == Merging::digests;
    if (gathers) gate = std::max(gate, next_message(pace, left.size(), now));
    if (gate > now) {
        step.wake = gate;
        return step;
    }
    const bool together = gathers && (left.size() >= digest_from || steps_at(pace, now) > 0);
    left.resize(together ? std::min(left.size(), most_in_digest) : 1);
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

milliseconds backoff(Delivery::Outcome outcome, int attempts, std::uint64_t random) {
    const auto ceiling = static_cast<std::uint64_t>(longest_backoff(outcome, attempts).count());
    return milliseconds(static_cast<std::int64_t>(1 + random % ceiling));
}

}  // namespace pgbakd::alert
