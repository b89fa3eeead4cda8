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
    one_old[0] = entry(failed(), 7 * 24h);
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
             {"the clock was set back", {tried(entry(failed()), 48h)}, {}, {{}, {}, {0}, {}}},
             {"too old", {entry(failed(), 7 * 24h)}, {}, {{0}, {}, {}, {}}},
             {"nearly too old", {entry(failed(), 7 * 24h - 1s)}, {}, {{}, {}, {0}, {}}},
             {"too old, and nine others", one_old, {}, {{0}, {}, {1}, {}}},
             {"too old also while the channel pauses",
              {entry(failed(), 8 * 24h), entry(failed())},
              now + 5s,
              {{0}, {}, {}, now + 5s}},
             {"opened and closed stay in order", {entry(opened), entry(closed)}, {}, {{}, {}, {0}, {}}},
             {"of those alike the newest remains",
              {entry(opened), entry(closed), entry(opened)},
              {},
              {{}, {0}, {1}, {}}},
             {"another place is another finding", {entry(opened), entry(elsewhere)}, {}, {{}, {}, {0}, {}}},
             {"runs are never alike", {entry(failed()), entry(failed())}, {}, {{}, {}, {0}, {}}},
             {"the newest of those alike waits as long as the one that failed",
              {tried(entry(opened), 30s), entry(opened)},
              {},
              {{}, {0}, {}, now + 30s}},
         }) {
        INFO(what);
        const auto found = alert::next_step(waiting, Merging::digests, now, not_before);
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
    CHECK(alert::merging_of(with_place(model::HeartbeatPlace{})) == Merging::last_state);
    CHECK(alert::merging_of(with_place(model::MailPlace{})) == Merging::digests);
}

TEST_CASE("what was delivered or rejected is settled") {
    const auto settled = [](Outcome outcome) { return alert::is_settled({.outcome = outcome}); };
    CHECK(settled(Outcome::delivered));
    CHECK(settled(Outcome::rejected));
    CHECK_FALSE(settled(Outcome::try_again));
    CHECK_FALSE(settled(Outcome::refused));
}

TEST_CASE("pauses grow to a limit, are random below it, and never shorter than the channel asks for") {
    struct Row {
        Outcome outcome;
        int attempts;
        std::chrono::milliseconds asked;
        std::chrono::milliseconds least, most;
    };
    for (const auto& [outcome, attempts, asked, least, most] : std::vector<Row>{
             {Outcome::try_again, 1, 0ms, 1ms, 5s},
             {Outcome::try_again, 2, 0ms, 1ms, 10s},
             {Outcome::try_again, 8, 0ms, 1ms, 640s},
             {Outcome::try_again, 9, 0ms, 1ms, 15min},
             {Outcome::try_again, 1'000'000, 0ms, 1ms, 15min},
             {Outcome::try_again, 1, 2s, 2s, 5s},
             {Outcome::try_again, 1, 1h, 1h, 1h},
             {Outcome::refused, 1, 0ms, 1ms, 1min},
             {Outcome::refused, 20, 0ms, 1ms, 1h},
             {Outcome::try_again, 0, 0ms, 1ms, 5s},
         }) {
        INFO(attempts);
        alert::Delivery delivery;
        delivery.outcome = outcome;
        delivery.pause = asked;
        CHECK((alert::next_attempt(delivery, attempts, now, 0) == now + least));
        const auto ceiling = static_cast<std::uint64_t>(most.count());
        CHECK((alert::next_attempt(delivery, attempts, now, ceiling - 1) == now + most));
        CHECK((alert::next_attempt(delivery, attempts, now, ceiling) == now + least));
    }
}

namespace {

// A channel that is away for a while, and then takes everything; alerts that come meanwhile.
struct Simulation {
    std::vector<Waiting> outbox;
    std::vector<std::string> delivered;
    std::size_t messages = 0;
    std::size_t failures = 0;
    std::uint64_t random = 1;

    void run(base::Timestamp from, base::Timestamp back_at, base::Timestamp until, std::size_t alerts) {
        std::size_t made = 0;
        for (auto time = from; time < until; time += 1s) {
            if (made < alerts && time >= from + made * 3s) {
                auto alert = failed();
                alert.id = std::to_string(made++);
                outbox.push_back({alert, time, 0, {}});
            }
            attempt(time, time >= back_at);
        }
    }

    void attempt(base::Timestamp time, bool is_there) {
        const auto step = alert::next_step(outbox, Merging::digests, time);
        CHECK(step.expired.empty());
        if (step.send.empty()) return;
        random = random * 6364136223846793005U + 1442695040888963407U;
        if (!is_there) {
            ++failures;
            alert::Delivery delivery;
            delivery.outcome = Outcome::try_again;
            for (const auto i : step.send)
                outbox[i].next_attempt = alert::next_attempt(delivery, ++outbox[i].attempts, time, random >> 33U);
            return;
        }
        ++messages;
        for (const auto i : step.send) delivered.push_back(outbox[i].alert.id);
        for (auto i = step.send.rbegin(); i != step.send.rend(); ++i)
            outbox.erase(outbox.begin() + static_cast<std::ptrdiff_t>(*i));
    }
};

}  // namespace

TEST_CASE("an outage of an hour loses no alert, repeats none, and does not flood the channel") {
    Simulation simulation;
    const auto begin = at("2026-01-12T16:00:00Z");
    simulation.run(begin, begin + 1h, begin + 2h, 1000);
    CHECK(simulation.outbox.empty());
    CHECK(simulation.delivered.size() == 1000);
    CHECK(std::set(simulation.delivered.begin(), simulation.delivered.end()).size() == 1000);
    CHECK(std::ranges::is_sorted(simulation.delivered, {}, [](const std::string& id) { return std::stoi(id); }));
    CHECK(simulation.messages < 20);
    CHECK(simulation.failures < 60);
}
