#include "alert/policy.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

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

// What a clock ahead has noted, and is put right since, gives up nothing.
bool is_given_up(const Waiting& entry, base::Timestamp now) {
    return entry.attempts >= least_attempts && entry.next_attempt - entry.created_at >= longest_wait &&
           is_believable(entry, now);
}

int steps_at(const Pace& pace, base::Timestamp now) {
    if (now < pace.last) return 0;  // the clock was set back
    const auto taken_back = (now - pace.last) / silence;
    return taken_back >= pace.steps ? 0 : pace.steps - static_cast<int>(taken_back);
}

// When the next message may go; what one message cannot hold has been gathered for long enough.
base::Timestamp next_message(const Pace& pace, std::size_t waiting, base::Timestamp now, std::size_t limit) {
    if (pace.steps == 0 || now < pace.last) return {};
    return pace.last + (waiting >= limit ? first_gap : doubled(first_gap, pace.steps - 1, longest_gap));
}

// That something is over.
bool is_end(const model::Alert& alert) {
    return alert.kind == model::AlertKind::finding_closed || alert.kind == model::AlertKind::run_succeeded;
}

// Finds what is said by another alert that waits. They are taken from the newest on, so that this one remains.
class Sieve {
  public:
    explicit Sieve(Merging merging) : merging_(merging) {}

    // Whether it need not be told.
    [[nodiscard]] bool is_said(const Waiting& entry) {
        const auto& alert = entry.alert;
        const bool is_start = alert.kind == model::AlertKind::run_started;
        if (is_start && entry.attempts > 0 && ended_.contains(alert.run)) return true;
        if (!is_start) ended_.insert(alert.run);
        if (merging_ == Merging::last_state) return !states_.insert({alert.kind, alert.job}).second;
        if (alert.finding.empty()) return false;
        auto& told = told_[{alert.finding, alert.job, alert.place}];
        if (!is_end(alert)) return !told.insert({alert.kind, alert.set}).second;
        // What is older is over by that, and another story.
        told.clear();
        return false;
    }

  private:
    using Subject = std::tuple<std::string, std::string, std::string>;

    Merging merging_;
    std::set<std::pair<model::AlertKind, std::string>> states_;
    std::map<Subject, std::set<std::pair<model::AlertKind, std::string>>> told_;  // since it was last over
    std::set<std::string> ended_;                                                 // runs
};

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
               const Pace& pace, std::size_t limit) {
    Step step;
    std::vector<std::size_t> alive;
    auto gate = asked.until;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        const bool is_over = is_given_up(waiting[i], now);
        if (!is_over && is_believable(waiting[i], now)) gate = std::max(gate, waiting[i].next_attempt);
        (is_over ? step.expired : alive).push_back(i);
    }
    Sieve sieve(merging);
    std::for_each(alive.rbegin(), alive.rend(), [&](std::size_t i) {
        if (sieve.is_said(waiting[i])) step.superseded.push_back(i);
    });
    std::ranges::reverse(step.superseded);
    std::erase_if(alive, [&step](std::size_t i) { return std::ranges::binary_search(step.superseded, i); });
    if (alive.empty()) return step;
    const bool gathers = merging == Merging::digests;
    if (gathers) gate = std::max(gate, next_message(pace, alive.size(), now, limit));
    if (gate > now) {
        step.wake = gate;
        return step;
    }
    const bool together = gathers && (alive.size() >= digest_from || steps_at(pace, now) > 0);
    alive.resize(together ? std::min(alive.size(), limit) : 1);
    step.send = std::move(alive);
    return step;
}

std::size_t next_limit(std::size_t limit, Delivery::Outcome outcome, std::size_t sent) noexcept {
    if (outcome == Delivery::Outcome::rejected && sent > 1) return std::min(limit, sent / 2);
    if (outcome == Delivery::Outcome::delivered) return std::min(most_in_digest, 2 * limit);
    return limit;
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
