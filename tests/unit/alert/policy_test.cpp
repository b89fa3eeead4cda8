#include "alert/policy.hpp"

#include "unit/alert/support.hpp"

using namespace pgbakd;
using namespace alerts;
using namespace std::chrono_literals;
using alert::Merging;
using alert::Step;
using alert::Waiting;
using model::AlertKind;
using Outcome = alert::Delivery::Outcome;
using Indices = std::vector<std::size_t>;

namespace {

const auto now = at("2026-01-12T16:00:00Z");

Waiting entry(model::Alert alert, std::chrono::seconds age = 60s) {
    return {std::move(alert), now - age, 0, {}};
}

Waiting tried(Waiting waiting, std::chrono::seconds until_next) {
    waiting.attempts = 1;
    waiting.next_attempt = now + until_next;
    return waiting;
}

// Failed so often, and due again so long after it was queued.
Waiting old(int attempts, std::chrono::seconds next_attempt, std::chrono::seconds age = 8 * 24h) {
    auto waiting = entry(failed(), age);
    waiting.attempts = attempts;
    waiting.next_attempt = waiting.created_at + next_attempt;
    return waiting;
}

Waiting of_run(AlertKind kind, const std::string& run, int attempts) {
    auto waiting = entry(failed());
    waiting.alert.kind = kind;
    waiting.alert.run = run;
    waiting.attempts = attempts;
    waiting.next_attempt = now;
    return waiting;
}

// As a failed run is told, and the success behind it.
model::Alert failure() {
    auto alert = failed();
    alert.finding = "run_failed";
    return alert;
}
model::Alert success_after_failure() {
    auto alert = failure();
    alert.kind = AlertKind::run_succeeded;
    return alert;
}

std::vector<Waiting> many(std::size_t count) {
    std::vector<Waiting> waiting;
    for (std::size_t i = 0; i < count; ++i) waiting.push_back(entry(failed("job" + std::to_string(i))));
    return waiting;
}

Indices up_to(std::size_t count) {
    Indices indices;
    for (std::size_t i = 0; i < count; ++i) indices.push_back(i);
    return indices;
}

model::ChannelSpec with_place(decltype(model::ChannelSpec::place) place) {
    model::ChannelSpec spec;
    spec.place = std::move(place);
    return spec;
}

}  // namespace

TEST_CASE("what is sent next") {
    struct Row {
        std::string what;
        std::vector<Waiting> waiting;
        base::Timestamp not_before;
        Step step;
    };
    const auto opened = finding(AlertKind::finding_opened);
    const auto closed = finding(AlertKind::finding_closed);
    const auto elsewhere = finding(AlertKind::finding_opened, "too_old", "local");
    auto one_late = many(10);
    one_late[3] = tried(one_late[3], 30s);
    auto one_old = many(10);
    one_old[0] = old(700, 7 * 24h);
    for (const auto& [what, waiting, not_before, step] : std::vector<Row>{
             {"nothing waits", {}, {}, {}},
             {"nothing waits, and the channel pauses", {}, now + 5s, {}},
             {"one", many(1), {}, {{}, {}, {0}, {}}},
             {"a few go one by one, the oldest first", many(9), {}, {{}, {}, {0}, {}}},
             {"ten are a digest", many(10), {}, {{}, {}, up_to(10), {}}},
             {"a thousand are several digests", many(1000), {}, {{}, {}, up_to(500), {}}},
             {"the channel pauses", many(10), now + 5s, {{}, {}, {}, now + 5s}},
             {"its pause is over", many(1), now, {{}, {}, {0}, {}}},
             {"one has failed: all wait for it", one_late, {}, {{}, {}, {}, now + 30s}},
             {"the longer of both", one_late, now + 60s, {{}, {}, {}, now + 60s}},
             {"its time has come", {tried(entry(failed()), 0s)}, {}, {{}, {}, {0}, {}}},
             {"no backoff goes so far: the clock was set back", {tried(entry(failed()), 61s)}, {}, {{}, {}, {0}, {}}},
             {"a backoff may go so far", {tried(entry(failed()), 60s)}, {}, {{}, {}, {}, now + 60s}},
             {"the longest backoff", {old(20, 8 * 24h + 1h, 8 * 24h)}, {}, {{0}, {}, {}, {}}},
             {"the longest backoff, of one that is young", {old(20, 2h, 1h)}, {}, {{}, {}, {}, now + 1h}},
             {"the clock was set back an hour more", {old(20, 2h + 1s, 1h)}, {}, {{}, {}, {0}, {}}},
             {"the clock was set back since it was queued", {entry(failed(), -48h)}, {}, {{}, {}, {0}, {}}},
             {"too old", {old(700, 7 * 24h)}, {}, {{0}, {}, {}, {}}},
             {"too old by a clock that was ahead then", {old(700, 300 * 24h, 1h)}, {}, {{}, {}, {0}, {}}},
             {"its next attempt comes before that", {old(700, 7 * 24h - 1s)}, {}, {{}, {}, {0}, {}}},
             {"it was never tried: the host was off, or its clock set forward", {old(0, 0s)}, {}, {{}, {}, {0}, {}}},
             {"it was hardly tried", {old(9, 7 * 24h)}, {}, {{}, {}, {0}, {}}},
             {"too old, and nine others", one_old, {}, {{0}, {}, {1}, {}}},
             {"too old also while the channel pauses",
              {old(700, 7 * 24h), entry(failed())},
              now + 5s,
              {{0}, {}, {}, now + 5s}},
             {"opened and closed stay in order", {entry(opened), entry(closed)}, {}, {{}, {}, {0}, {}}},
             {"of those alike the newest remains", {entry(opened), entry(opened)}, {}, {{}, {0}, {1}, {}}},
             {"what is over is another story than what came then",
              {entry(opened), entry(closed), entry(opened)},
              {},
              {{}, {}, {0}, {}}},
             {"of each story the newest",
              {entry(opened), entry(opened), entry(closed), entry(opened), entry(opened)},
              {},
              {{}, {0, 3}, {1}, {}}},
             {"the end of another thing is none of it",
              {entry(opened), entry(finding(AlertKind::finding_closed, "too_old", "local")), entry(opened)},
              {},
              {{}, {0}, {1}, {}}},
             {"a success between two failures is told, and so are they",
              {entry(failure()), entry(success_after_failure()), entry(failure())},
              {},
              {{}, {}, {0}, {}}},
             {"of failures in a row the newest", {entry(failure()), entry(failure())}, {}, {{}, {0}, {1}, {}}},
             {"another place is another finding", {entry(opened), entry(elsewhere)}, {}, {{}, {}, {0}, {}}},
             {"in the order in which they came, whatever the clock said",
              {entry(failed("b"), 10s), entry(failed("a"), 60s)},
              {},
              {{}, {}, {0}, {}}},
             {"runs are never alike", {entry(failed()), entry(failed())}, {}, {{}, {}, {0}, {}}},
             {"the newest of those alike waits as long as the one that failed",
              {tried(entry(opened), 30s), entry(opened)},
              {},
              {{}, {0}, {}, now + 30s}},
         }) {
        INFO(what);
        const auto found = alert::next_step(waiting, Merging::digests, now, {now - 1min, not_before});
        CHECK(found.expired == step.expired);
        CHECK(found.superseded == step.superseded);
        CHECK(found.send == step.send);
        CHECK((found.wake == step.wake));
    }
}

TEST_CASE("to a heartbeat goes the last state of each job, one after another") {
    std::vector<Waiting> waiting;
    for (const auto kind : {AlertKind::run_started, AlertKind::run_failed, AlertKind::run_started,
                            AlertKind::run_succeeded, AlertKind::run_started, AlertKind::run_succeeded}) {
        waiting.push_back(entry(failed()));
        waiting.back().alert.kind = kind;
    }
    waiting.push_back(entry(failed("other")));
    const auto step = alert::next_step(waiting, Merging::last_state, now);
    CHECK(step.superseded == Indices{0, 2, 3});
    CHECK(step.send == Indices{1});
    CHECK(alert::next_step(many(20), Merging::last_state, now).send == Indices{0});
    // However much it has heard.
    CHECK(alert::next_step(many(20), Merging::last_state, now, {}, {now, 6}).send == Indices{0});
    CHECK(alert::merging_of(with_place(model::HeartbeatPlace{})) == Merging::last_state);
    CHECK(alert::merging_of(with_place(model::MailPlace{})) == Merging::digests);
}

TEST_CASE("that a run began need not be told any more once it has ended, if it could not be told before") {
    const auto start = [](int attempts) { return of_run(AlertKind::run_started, "1", attempts); };
    const auto end = of_run(AlertKind::run_succeeded, "1", 0);
    const auto superseded = [](const std::vector<Waiting>& waiting) {
        return alert::next_step(waiting, Merging::last_state, now).superseded;
    };
    CHECK(superseded({start(1), end}) == Indices{0});
    CHECK(superseded({start(0), end}).empty());
    CHECK(superseded({start(1), of_run(AlertKind::run_succeeded, "2", 0)}).empty());
}

TEST_CASE("a pause that the channel asked for is as long as it asked, whatever becomes of the clock") {
    const alert::Pause asked{now, now + 10min};
    CHECK(alert::by_clock(asked, now) == asked);
    CHECK(alert::by_clock(asked, now + 1h) == asked);
    const auto back = alert::by_clock(asked, now - 5h);
    CHECK(back == alert::Pause{now - 5h, now - 5h + 10min});
    CHECK(alert::by_clock(back, now - 4h) == back);
    CHECK((alert::by_clock({now, now + 1000h}, now - 1h).until == now + 23h));
    CHECK(alert::by_clock({}, now) == alert::Pause{});
}

TEST_CASE("the first message goes at once, what comes soon after it is gathered, and silence is forgiven") {
    struct Row {
        std::string what;
        std::size_t waiting;
        alert::Pace pace;
        Step step;
    };
    for (const auto& [what, waiting, pace, step] : std::vector<Row>{
             {"the first", 1, {}, {{}, {}, {0}, {}}},
             {"the second, right after it", 1, {now, 1}, {{}, {}, {}, now + 2s}},
             {"the second, after its pause", 5, {now - 2s, 1}, {{}, {}, up_to(5), {}}},
             {"pauses grow", 5, {now - 31s, 5}, {{}, {}, {}, now + 1s}},
             {"to a minute", 5, {now - 59s, 6}, {{}, {}, {}, now + 1s}},
             {"after the longest", 30, {now - 60s, 6}, {{}, {}, up_to(30), {}}},
             {"more than one message holds waits no longer than that takes",
              600,
              {now - 2s, 6},
              {{}, {}, up_to(500), {}}},
             {"a few after a silence go one by one", 5, {now - 6min, 6}, {{}, {}, {0}, {}}},
             {"the clock was set back", 1, {now + 5h, 6}, {{}, {}, {0}, {}}},
         }) {
        INFO(what);
        CHECK(alert::next_step(many(waiting), Merging::digests, now, {}, pace) == step);
    }
    CHECK(alert::after_message({}, now) == alert::Pace{now, 1});
    CHECK(alert::after_message({now - 10s, 3}, now) == alert::Pace{now, 4});
    CHECK(alert::after_message({now - 2min, 3}, now) == alert::Pace{now, 2});
    CHECK(alert::after_message({now - 1h, 6}, now) == alert::Pace{now, 1});
    CHECK(alert::after_message({now - 1s, 6}, now) == alert::Pace{now, 6});
    CHECK(alert::after_message({now + 1h, 6}, now) == alert::Pace{now, 1});
}

TEST_CASE("what is rejected goes in halves, down to one alone, and grows again with what is taken") {
    struct Row {
        std::size_t limit;
        Outcome outcome;
        std::size_t sent;
        std::size_t next;
    };
    for (const auto& [limit, outcome, sent, next] : std::vector<Row>{
             {500, Outcome::rejected, 500, 250},
             {500, Outcome::rejected, 100, 50},
             {50, Outcome::rejected, 50, 25},
             {3, Outcome::rejected, 3, 1},
             {2, Outcome::rejected, 2, 1},
             {1, Outcome::rejected, 1, 1},
             {500, Outcome::rejected, 1, 500},  // it is that alert, not how many they were
             {1, Outcome::delivered, 1, 2},
             {250, Outcome::delivered, 250, 500},
             {300, Outcome::delivered, 1, 500},
             {50, Outcome::try_again, 50, 50},
             {50, Outcome::refused, 50, 50},
         }) {
        INFO(limit << " " << sent);
        CHECK(alert::next_limit(limit, outcome, sent) == next);
    }
    const auto step = [](std::size_t limit, const alert::Pace& pace) {
        return alert::next_step(many(30), Merging::digests, now, {}, pace, limit);
    };
    CHECK(step(7, {}).send == up_to(7));
    CHECK(step(1, {}).send == up_to(1));
    CHECK(step(100, {}).send == up_to(30));
    // What one message cannot hold does not wait for a minute.
    CHECK(step(7, {now - 2s, 6}).send == up_to(7));
    CHECK(step(100, {now - 2s, 6}).wake == now + 58s);
}

TEST_CASE("what was delivered or rejected is settled") {
    const auto settled = [](Outcome outcome) { return alert::is_settled({.outcome = outcome}); };
    CHECK(settled(Outcome::delivered));
    CHECK(settled(Outcome::rejected));
    CHECK_FALSE(settled(Outcome::try_again));
    CHECK_FALSE(settled(Outcome::refused));
}

TEST_CASE("the backoff grows to a limit and is random below it") {
    struct Row {
        Outcome outcome;
        int attempts;
        std::chrono::milliseconds most;
    };
    for (const auto& [outcome, attempts, most] : std::vector<Row>{
             {Outcome::try_again, 1, 5s},
             {Outcome::try_again, 2, 10s},
             {Outcome::try_again, 8, 640s},
             {Outcome::try_again, 9, 15min},
             {Outcome::try_again, 1'000'000, 15min},
             {Outcome::refused, 1, 1min},
             {Outcome::refused, 20, 1h},
             {Outcome::try_again, 0, 5s},
         }) {
        INFO(attempts);
        const auto ceiling = static_cast<std::uint64_t>(most.count());
        CHECK((alert::backoff(outcome, attempts, 0) == 1ms));
        CHECK((alert::backoff(outcome, attempts, ceiling - 1) == most));
        CHECK((alert::backoff(outcome, attempts, ceiling) == 1ms));
    }
}

namespace {

// A channel that is away for a while, and then takes everything; alerts that come meanwhile.
struct Simulation {
    std::vector<Waiting> outbox;
    std::vector<std::string> delivered;
    alert::Pace pace;
    std::size_t messages = 0;
    std::size_t failures = 0;
    base::Timestamp::duration longest{};  // from when one was queued until it was taken
    std::uint64_t random = 1;

    // So many alerts, one each `apart`.
    void run(base::Timestamp from, base::Timestamp back_at, base::Timestamp until, std::size_t alerts,
             std::chrono::milliseconds apart) {
        std::size_t made = 0;
        for (auto time = from; time < until; time += 100ms) {
            for (; made < alerts && time >= from + made * apart; ++made) {
                auto alert = failed();
                alert.id = std::to_string(made);
                outbox.push_back({alert, time, 0, {}});
            }
            attempt(time, time >= back_at);
        }
    }

    void attempt(base::Timestamp time, bool is_there) {
        const auto step = alert::next_step(outbox, Merging::digests, time, {}, pace);
        CHECK(step.expired.empty());
        if (step.send.empty()) return;
        random = random * 6364136223846793005U + 1442695040888963407U;
        if (!is_there) {
            ++failures;
            const auto next = time + alert::backoff(Outcome::try_again, outbox.front().attempts + 1, random >> 33U);
            for (auto& entry : outbox) {
                ++entry.attempts;
                entry.next_attempt = next;
            }
            return;
        }
        ++messages;
        pace = alert::after_message(pace, time);
        for (const auto i : step.send) {
            delivered.push_back(outbox[i].alert.id);
            longest = std::max(longest, time - outbox[i].created_at);
        }
        for (auto i = step.send.rbegin(); i != step.send.rend(); ++i)
            outbox.erase(outbox.begin() + static_cast<std::ptrdiff_t>(*i));
        for (auto& entry : outbox) entry.attempts = 0;
    }

    // Each once, in their order.
    void check_all(std::size_t alerts) const {
        CHECK(outbox.empty());
        CHECK(delivered.size() == alerts);
        CHECK(std::set(delivered.begin(), delivered.end()).size() == alerts);
        CHECK(std::ranges::is_sorted(delivered, {}, [](const std::string& id) { return std::stoi(id); }));
    }
};

}  // namespace

TEST_CASE("an outage of an hour loses no alert, repeats none, and does not flood the channel") {
    Simulation simulation;
    const auto begin = at("2026-01-12T16:00:00Z");
    simulation.run(begin, begin + 1h, begin + 2h, 1000, 3s);
    simulation.check_all(1000);
    CHECK(simulation.messages < 20);
    CHECK(simulation.failures < 60);
}

TEST_CASE("a thousand alerts in a hundred seconds are a few messages, and none waits for long") {
    Simulation simulation;
    const auto begin = at("2026-01-12T16:00:00Z");
    simulation.run(begin, begin, begin + 5min, 1000, 100ms);
    simulation.check_all(1000);
    CHECK(simulation.messages <= 8);
    CHECK((simulation.longest <= 1min));
}

TEST_CASE("alerts that go on and on are a message a minute") {
    Simulation simulation;
    const auto begin = at("2026-01-12T16:00:00Z");
    simulation.run(begin, begin, begin + 2h, 3600, 1s);
    simulation.check_all(3600);
    CHECK(simulation.messages < 70);
    CHECK((simulation.longest <= 1min));
}
