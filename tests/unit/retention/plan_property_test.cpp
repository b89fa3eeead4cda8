// What must hold for any sets and any policy, tried on many made by a seeded generator.
#include <random>

#include "retention/plan.hpp"
#include "support/common.hpp"

using namespace pgbakd;
using retention::Candidate;
using retention::Decision;

namespace {

class Maker {
  public:
    explicit Maker(std::uint32_t seed) : random_(seed) {}

    int between(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }
    bool one_in(int number) { return between(1, number) == 1; }

    Candidate candidate(base::Timestamp started_at) {
        Candidate result;
        result.started_at = started_at;
        result.id = {"job", "set-" + std::to_string(next_++)};
        result.complete = !one_in(5);
        result.corrupt = one_in(6);
        if (one_in(6)) result.verified = model::Verification::hashed;
        if (one_in(10)) result.verified = model::Verification::proven;
        result.pinned = one_in(15);
        result.milestone = one_in(20);
        if (one_in(20)) result.held_by = {"a drill"};
        return result;
    }

    std::vector<Candidate> candidates(base::Timestamp now) {
        std::vector<Candidate> result;
        const int count = between(0, 60);
        // Seconds, hours or days apart, some at the same second, some in the same millisecond, a few in the future.
        const int spread = one_in(3) ? 50 : one_in(2) ? 200'000 : 60'000'000;
        for (int i = 0; i < count; ++i)
            result.push_back(candidate(now - std::chrono::seconds(between(one_in(10) ? -spread / 10 : 0, spread)) -
                                       std::chrono::milliseconds(one_in(2) ? between(0, 999) : 0)));
        return result;
    }

    model::RetentionPolicy policy() {
        model::RetentionPolicy result;
        const auto maybe = [this](int most) { return one_in(3) ? std::optional<int>(between(0, most)) : std::nullopt; };
        result.last = maybe(10);
        result.days = maybe(40);
        result.weeks = maybe(8);
        result.daily = maybe(10);
        result.weekly = maybe(10);
        result.monthly = maybe(12);
        result.yearly = maybe(3);
        result.at_least = between(0, 4);
        return result;
    }

  private:
    std::mt19937 random_;
    int next_ = 0;
};

std::map<std::string, bool> by_set(const std::vector<Decision>& decisions) {
    std::map<std::string, bool> result;
    for (const auto& decision : decisions) result[decision.id.set] = decision.keep;
    return result;
}

bool counts(const Candidate& candidate, base::Timestamp now) {
    return retention::is_good(candidate) && candidate.started_at <= now;
}

}  // namespace

TEST_CASE("what holds for any sets and any policy") {
    const base::Timestamp now{std::chrono::seconds(1'770'000'000)};
    const auto zone = calendar::Zone::utc();
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        Maker make(seed);
        const auto sets = make.candidates(now);
        const auto policy = make.policy();
        const auto decisions = retention::plan(sets, policy, now, *zone);
        const auto kept = by_set(decisions);
        INFO("seed " << seed);

        // One decision for each set, each with its reason.
        REQUIRE(decisions.size() == sets.size());
        REQUIRE(kept.size() == sets.size());
        for (const auto& decision : decisions) REQUIRE_FALSE(decision.reason.empty());

        // The newest good sets stay, and as many as at_least.
        std::vector<Candidate> good;
        for (const auto& set : sets)
            if (counts(set, now)) good.push_back(set);
        std::sort(good.begin(), good.end(), [](const auto& a, const auto& b) {
            return std::pair(a.started_at, model::name_order(a.id)) > std::pair(b.started_at, model::name_order(b.id));
        });
        for (std::size_t i = 0; i < good.size() && i < static_cast<std::size_t>(std::max(1, policy.at_least)); ++i)
            REQUIRE(kept.at(good[i].id.set));

        // What is exempt stays; the order of the sets does not matter.
        for (const auto& set : sets)
            if (set.pinned || set.milestone || !set.held_by.empty() || set.started_at > now)
                REQUIRE(kept.at(set.id.set));
        auto reversed = sets;
        std::reverse(reversed.begin(), reversed.end());
        REQUIRE(by_set(retention::plan(reversed, policy, now, *zone)) == kept);

        // Nothing is deleted without a newer good set that stays.
        for (const auto& set : sets)
            if (!kept.at(set.id.set))
                REQUIRE(std::any_of(good.begin(), good.end(), [&](const auto& other) {
                    return kept.at(other.id.set) && std::pair(other.started_at, model::name_order(other.id)) >
                                                        std::pair(set.started_at, model::name_order(set.id));
                }));

        // A further bad set, newer or older, changes no decision about any other.
        auto more = sets;
        auto bad = make.candidate(now - std::chrono::seconds(make.between(0, 1000)));
        bad.corrupt = true;
        more.push_back(bad);
        auto with_bad = by_set(retention::plan(more, policy, now, *zone));
        with_bad.erase(bad.id.set);
        REQUIRE(with_bad == kept);

        // Once carried out, there is nothing more to do.
        std::vector<Candidate> rest;
        for (const auto& set : sets)
            if (kept.at(set.id.set)) rest.push_back(set);
        for (const auto& decision : retention::plan(rest, policy, now, *zone)) REQUIRE(decision.keep);
    }
}
