// Days of random events against the promises: whatever is due, set, edited, paused, stopped and started again, no slot
// runs twice by schedule and none is lost without a word, and no day of a fixed job is doubled. The catalog is a model
// of the real one.
#include <cstdlib>
#include <random>

#include "support.hpp"

namespace pgbakd::scheduler::test {
namespace {

using std::chrono::seconds;

class World {
  public:
    explicit World(std::uint32_t seed) : random_(seed) {
        const std::vector<std::string_view> policies{"skip", "once", "once within 2h", "all"};
        for (int i = 0; i < 6; ++i)
            jobs_.push_back(job("j" + std::to_string(i), schedules_[pick(schedules_.size())],
                                {.catch_up = policies[pick(policies.size())],
                                 .overlap = pick(2) == 0 ? model::Overlap::skip : model::Overlap::queue,
                                 .offset = seconds(pick(2) == 0 ? 0 : pick(300)),
                                 .zone = pick(2) == 0 ? berlin() : calendar::Zone::utc()}));
        restart();
    }

    void step() {
        switch (pick(25)) {
            case 0: restart(); break;
            case 1: apply(planner_->load(jobs_, states(), now_)); break;
            case 2: set_clock(now_ + seconds(pick(100'000))); break;
            // Not by more than three hours in all: what comes then is another test.
            case 3: set_clock(std::max(now_ - seconds(pick(10'800)), highest_ - Planner::small_step)); break;
            case 4: now_ += seconds(pick(90)); break;  // nobody looks for a while
            case 5:
            case 6:
            case 7:
            case 8: finish_one(); break;
            case 9: edit(); break;
            case 10: pause_or_resume(); break;
            case 11: change_zone(); break;
            case 12: change_offset(); break;
            default: now_ = std::min(planner_->next_wake().value_or(now_ + seconds(600)), now_ + seconds(3600));
        }
        move_to(now_);
        apply(planner_->on_time(now_));
        CHECK(planner_->next_wake().value_or(base::Instant::max()) > now_);  // none: all are paused
    }

  private:
    void move_to(base::Instant now) {
        now_ = now;
        latest_ = std::max(latest_, now_);
        highest_ = std::max(highest_, now_);
    }
    // The local time that a fire is for, which need not exist where clocks go forward.
    static base::Instant time_of(const PlannedJob& job, base::Instant slot) {
        const base::Instant shown{job.zone->local(slot).time.time_since_epoch()};
        return job.schedule.latest(base::Instant::min(), shown, *calendar::Zone::utc()).value();
    }
    // Another schedule, or another zone.
    void edit() {
        auto& job = jobs_[pick(jobs_.size())];
        const auto catch_up = job.catch_up;
        job = test::job(job.name, schedules_[pick(schedules_.size())],
                        {.overlap = job.overlap,
                         .offset = job.offset,
                         .zone = job.zone->name() == "UTC" ? berlin() : calendar::Zone::utc()});
        job.catch_up = catch_up;
        dates_.erase(job.name);
        excused_.erase(job.name);
        let_go_.erase(job.name);
        apply(planner_->load(jobs_, states(), now_));
    }
    void change_offset() {
        auto& job = jobs_[pick(jobs_.size())];
        least_offsets_.emplace(job.name, job.offset);
        job.offset = seconds(pick(2) == 0 ? 0 : pick(2000));
        auto& least = least_offsets_.at(job.name);
        least = std::min(least, job.offset);
        apply(planner_->load(jobs_, states(), now_));
    }
    seconds least_offset(const std::string& name) const {
        const auto found = least_offsets_.find(name);
        return found == least_offsets_.end() ? spec(name).offset : found->second;
    }
    void pause_or_resume() {
        const auto& name = jobs_[pick(jobs_.size())].name;
        const bool was_paused = planner_->is_paused(name);
        apply(was_paused ? planner_->resume(name, now_) : planner_->pause(name, now_));
        CHECK(planner_->is_paused(name) != was_paused);
        if (was_paused) dates_.erase(name);  // starts with its next slot, whatever was done
    }
    // The same zone by other rules, told of by an event or by a reload.
    void change_zone() {
        auto& job = jobs_[pick(jobs_.size())];
        const std::vector<std::string> rules{"CET-1CEST,M3.5.0,M10.5.0/3", "XXX0", "XXX-1", "XXX-2"};
        const auto zone = zone_of(job.zone->name(), rules[pick(rules.size())]);
        // What the old rules had done by now is not done again at the same time by the new ones.
        const auto reached = std::max(latest_ - job.offset, states_[job.name].anchor);
        if (const auto last = job.schedule.latest(base::Instant::min(), reached, *job.zone)) {
            auto& excused = excused_[job.name];
            excused = std::max(excused, time_of(job, *last));
        }
        job.zone = zone;
        apply(pick(2) == 0 ? planner_->load(jobs_, states(), now_)
                           : planner_->on_zones_changed({{job.name, zone}}, now_));
    }
    void set_clock(base::Instant now) {
        move_to(now);
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
    // Begins anew: a job that is new, edited or resumed answers for nothing before.
    void begin(const catalog::JobState& state) {
        CHECK(state.anchor >= states_[state.job].anchor);
        states_[state.job] = state;
    }
    void record(const catalog::JobState& state) {
        auto& known = states_[state.job];
        INFO(state.job << " " << show(known.anchor) << " " << show(state.anchor));
        CHECK(state.anchor >= known.anchor);  // no step back is more than three hours here
        highest_ = std::max(highest_, state.anchor);
        CHECK(state.schedule == calendar::schedule_key(spec(state.job).schedule, *spec(state.job).zone));
        // Whatever it moved over was started, skipped, or missed and not to be caught up.
        const auto& planned = spec(state.job);
        auto slot = known.job.empty() ? std::nullopt : planned.schedule.next(known.anchor, *planned.zone);
        for (; slot && *slot <= state.anchor; slot = planned.schedule.next(*slot, *planned.zone)) {
            INFO("lost: " << show(*slot));
            const std::pair fire{state.job, *slot};
            CHECK((taken_.contains(fire) || skipped_.contains(fire) || *slot <= let_go_[state.job] ||
                   time_of(planned, *slot) <= excused_[state.job]));
        }
        known = state;
    }
    void apply(const std::vector<Action>& actions) {
        for (const auto& action : actions) {
            if (const auto* start = std::get_if<Start>(&action)) {
                INFO(std::visit(Describe{}, action) << " at " << show(now_));
                // Due by now, or due before its offset was another; or it came due, waited for a run to end, and the
                // clock was set back meanwhile.
                CHECK(start->slot + least_offset(start->job) <= latest_);
                // Catch-up of `all` and what waits run one at a time.
                CHECK(std::find(running_.begin(), running_.end(), start->job) == running_.end());
                CHECK_FALSE((start->catch_up && start->repeated));
                if (start->repeated)
                    CHECK(spec(start->job).schedule.is_periodic());
                else
                    CHECK(taken_.insert({start->job, start->slot}).second);
                if (spec(start->job).schedule.canonical() == schedules_.front())
                    CHECK(dates_[start->job].insert(date_of(*start)).second);
                running_.push_back(start->job);
                record(start->state);
            } else if (const auto* skip = std::get_if<Skip>(&action)) {
                INFO(std::visit(Describe{}, action) << " at " << show(now_));
                CHECK_FALSE(taken_.contains({skip->job, skip->slot}));
                skipped_.insert({skip->job, skip->slot});
                // What an edit drops is settled for the schedule that is gone.
                if (skip->reason == Skip::Reason::edited)
                    begin(skip->state);
                else
                    record(skip->state);
            } else if (const auto* anchor = std::get_if<Anchor>(&action)) {
                INFO(std::visit(Describe{}, action) << " at " << show(now_));
                if (anchor->why == "new time zone rules" || anchor->why == "paused")
                    record(anchor->state);
                else
                    begin(anchor->state);
                CHECK(anchor->why != "the clock was set back");
            } else if (const auto* missed = std::get_if<Missed>(&action)) {
                INFO(std::visit(Describe{}, action) << " at " << show(now_));
                CHECK(missed->count > 0);
                CHECK_FALSE(taken_.contains({missed->job, missed->latest}));
                auto& until = let_go_[missed->job];
                until = std::max(until, last_let_go(*missed));
            } else {
                CHECK(std::holds_alternative<Moved>(action));
            }
        }
    }
    // Of missed fires those that nothing more is said of: with `all`, all but the newest that it runs; else all but the
    // latest, for which with `once` a fire on time may do.
    base::Instant last_let_go(const Missed& missed) const {
        const auto& planned = spec(missed.job);
        if (planned.catch_up.policy == model::CatchUp::Policy::once) return missed.latest;
        const bool all = planned.catch_up.policy == model::CatchUp::Policy::all;
        auto slot = std::optional(missed.latest);
        for (std::size_t told = all ? Planner::most_caught_up : 1; slot && told > 0; --told)
            slot = planned.latest(base::Instant::min(), *slot - seconds(1), *planned.zone);
        return slot.value_or(base::Instant::min());
    }
    std::chrono::local_days date_of(const Start& start) const {
        return std::chrono::floor<std::chrono::days>(spec(start.job).zone->local(start.slot).time);
    }

    // The first has one fire a day.
    const std::vector<std::string> schedules_{"daily at 02:30", "hourly", "every 15 minutes",
                                              "weekdays at 01:00, 13:00", "every 6 hours"};
    std::mt19937 random_;
    base::Instant now_ = at("2026-03-20 00:00");
    base::Instant latest_ = now_;   // that the clock ever said
    base::Instant highest_ = now_;  // that it said, or that an anchor is at
    std::vector<PlannedJob> jobs_;
    std::map<std::string, catalog::JobState> states_;
    std::set<std::pair<std::string, base::Instant>> taken_, skipped_;
    std::map<std::string, seconds> least_offsets_;
    std::map<std::string, base::Instant> let_go_;  // missed fires up to here need no word of their own
    std::map<std::string, base::Instant> excused_;
    std::map<std::string, std::set<std::chrono::local_days>> dates_;
    std::vector<std::string> running_;
    std::unique_ptr<Planner> planner_;
};

TEST_CASE("random days: no slot is taken twice, no day doubled, anchors never go back, one run at a time") {
    const char* scale = std::getenv("PGBAKD_PROPERTY_SCALE");
    const auto seeds = std::uint32_t{60} * static_cast<std::uint32_t>(scale == nullptr ? 1 : std::atoi(scale));
    for (std::uint32_t seed = 0; seed < seeds; ++seed) {
        INFO("seed " << seed);
        World world(seed);
        for (int i = 0; i < 400; ++i) world.step();
    }
}

}  // namespace
}  // namespace pgbakd::scheduler::test
