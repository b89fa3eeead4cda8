// Days of random events against the promises: whatever is due, set, stopped and started again, no slot runs twice by
// schedule and none is lost without a word. The catalog is a model of the real one.
#include <random>

#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

using std::chrono::seconds;

class World {
  public:
    explicit World(std::uint32_t seed) : random_(seed) {
        const std::vector<std::string> schedules{"daily at 02:30", "hourly", "every 15 minutes",
                                                 "weekdays at 01:00, 13:00", "every 6 hours"};
        const std::vector<std::string_view> policies{"skip", "once", "once within 2h", "all"};
        for (int i = 0; i < 6; ++i)
            jobs_.push_back(job("j" + std::to_string(i), schedules[pick(schedules.size())],
                                {.catch_up = policies[pick(policies.size())],
                                 .overlap = pick(2) == 0 ? model::Overlap::skip : model::Overlap::queue,
                                 .offset = seconds(pick(2) == 0 ? 0 : pick(300)),
                                 .zone = pick(2) == 0 ? berlin() : calendar::Zone::utc()}));
        restart();
    }

    void step() {
        switch (pick(20)) {
            case 0: restart(); break;
            case 1: apply(planner_->load(jobs_, states(), now_)); break;
            case 2: set_clock(now_ + seconds(pick(100'000))); break;
            // Not by more than three hours in all: what comes then is another test.
            case 3: set_clock(std::max(now_ - seconds(pick(10'800)), latest_ - Planner::small_step)); break;
            case 4: now_ += seconds(pick(90)); break;  // nobody looks for a while
            case 5:
            case 6:
            case 7:
            case 8: finish_one(); break;
            default: now_ = std::min(planner_->next_wake().value_or(now_ + seconds(600)), now_ + seconds(3600));
        }
        latest_ = std::max(latest_, now_);
        apply(planner_->on_time(now_));
        CHECK(planner_->next_wake() > now_);
    }

  private:
    void set_clock(base::Instant now) {
        now_ = now;
        latest_ = std::max(latest_, now_);
        apply(planner_->on_clock_step(now_));
    }
    std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }
    std::vector<catalog::JobState> states() const {
        std::vector<catalog::JobState> all;
        for (const auto& [name, state] : states_) all.push_back(state);
        return all;
    }
    const PlannedJob& spec(const std::string& name) const {
        return *std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& planned) { return planned.name == name; });
    }
    void restart() {
        planner_ = std::make_unique<Planner>(at("2026-01-01 00:00"));
        running_.clear();
        apply(planner_->load(jobs_, states(), now_));
    }
    void finish_one() {
        if (running_.empty()) return;
        const auto name = running_[pick(running_.size())];
        running_.erase(std::find(running_.begin(), running_.end(), name));
        apply(planner_->on_finished(name, now_));
    }
    void record(const catalog::JobState& state) {
        auto& known = states_[state.job];
        INFO(state.job << " " << show(known.anchor) << " " << show(state.anchor));
        CHECK(state.anchor >= known.anchor);  // no step back is more than three hours here
        CHECK(state.schedule == calendar::schedule_key(spec(state.job).schedule, *spec(state.job).zone));
        // Whatever it moved over was started, skipped or reported as missed.
        const auto& planned = spec(state.job);
        auto slot = known.job.empty() ? std::nullopt : planned.schedule.next(known.anchor, *planned.zone);
        for (; slot && *slot <= state.anchor; slot = planned.schedule.next(*slot, *planned.zone)) {
            INFO("lost: " << show(*slot));
            const std::pair fire{state.job, *slot};
            CHECK((taken_.contains(fire) || skipped_.contains(fire) || *slot <= missed_[state.job]));
        }
        known = state;
    }
    void apply(const std::vector<Action>& actions) {
        for (const auto& action : actions) {
            if (const auto* start = std::get_if<Start>(&action)) {
                INFO(std::visit(Describe{}, action) << " at " << show(now_));
                // Due by now; or it came due, waited for a run to end, and the clock was set back meanwhile.
                CHECK(start->slot + spec(start->job).offset <= latest_);
                // Catch-up of `all` and what waits run one at a time.
                CHECK(std::find(running_.begin(), running_.end(), start->job) == running_.end());
                if (start->repeated)
                    CHECK(spec(start->job).schedule.is_periodic());
                else
                    CHECK(taken_.insert({start->job, start->slot}).second);
                running_.push_back(start->job);
                record(start->state);
            } else if (const auto* skip = std::get_if<Skip>(&action)) {
                skipped_.insert({skip->job, skip->slot});
                record(skip->state);
            } else if (const auto* anchor = std::get_if<Anchor>(&action)) {
                CHECK(anchor->why == "new job");
                record(anchor->state);
            } else {
                const auto& missed = std::get<Missed>(action);
                CHECK(missed.count > 0);
                auto& until = missed_[missed.job];
                until = std::max(until, missed.latest);
            }
        }
    }
    std::mt19937 random_;
    base::Instant now_ = at("2026-03-20 00:00");
    base::Instant latest_ = now_;  // that the clock ever said
    std::vector<PlannedJob> jobs_;
    std::map<std::string, catalog::JobState> states_;
    std::set<std::pair<std::string, base::Instant>> taken_, skipped_;
    std::map<std::string, base::Instant> missed_;
    std::vector<std::string> running_;
    std::unique_ptr<Planner> planner_;
};

TEST_CASE("random days: no slot is taken twice, anchors never go back, one run at a time") {
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
        INFO("seed " << seed);
        World world(seed);
        for (int i = 0; i < 400; ++i) world.step();
    }
}

}  // namespace
}  // namespace pgbakd::scheduler::test
