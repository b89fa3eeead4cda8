#include "offsite/backlog.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using base::ErrorCode;
using offsite::next_sends;

namespace {

const base::Timestamp now = today;

catalog::Copy owed(const std::string& target, const std::string& set, base::Timestamp next_attempt,
                   base::Timestamp started_at = {}) {
    catalog::Copy copy;
    copy.target = target;
    copy.id = {"shop", set};
    copy.owed = true;
    copy.next_attempt = next_attempt;
    copy.started_at = started_at;
    return copy;
}

std::vector<std::string> texts(const std::vector<catalog::Copy>& copies) {
    std::vector<std::string> result;
    for (const auto& copy : copies) result.push_back(copy.target + " " + copy.id.set);
    return result;
}

using Texts = std::vector<std::string>;
const base::Error away{ErrorCode::unreachable, "no route", {}, base::Persistence::passing};

}  // namespace

TEST_CASE("each target gets the oldest set whose turn it is") {
    CHECK(next_sends({}, {}, now).now.empty());
    CHECK_FALSE(next_sends({}, {}, now).later);
    const std::vector copies{
        owed("nas", "20260113_000001", now, now - 3h), owed("nas", "20260112_000001", now, now - 5h),
        owed("r2", "20260113_000001", now, now - 3h), owed("r2", "20260114_000001", now - 5min, now - 2h)};
    const auto sends = next_sends(copies, {}, now);
    CHECK(texts(sends.now) == Texts{"nas 20260112_000001", "r2 20260113_000001"});
    CHECK_FALSE(sends.later);
    CHECK(texts(next_sends(copies, {"nas"}, now).now) == Texts{"r2 20260113_000001"});
    CHECK(next_sends(copies, {"nas", "r2"}, now).now.empty());
    // Two of one second: numbers as numbers.
    CHECK(
        texts(next_sends({owed("r2", "20260113_000001-10", now), owed("r2", "20260113_000001-9", now)}, {}, now).now) ==
        Texts{"r2 20260113_000001-9"});
    auto there = owed("r2", "20260101_000001", now);
    there.owed = false;
    CHECK(next_sends({there}, {}, now).now.empty());
}

TEST_CASE("a copy that pauses is looked at when its pause is over, and younger ones go first meanwhile") {
    const std::vector copies{owed("r2", "20260112_000001", now + 10min, now - 5h),
                             owed("r2", "20260113_000001", now, now - 3h),
                             owed("nas", "20260113_000001", now + 4min, now - 3h)};
    const auto sends = next_sends(copies, {}, now);
    CHECK(texts(sends.now) == Texts{"r2 20260113_000001"});
    CHECK(sends.later == now + 4min);
    CHECK(next_sends(copies, {"nas"}, now).later == now + 10min);
    CHECK(texts(next_sends(copies, {}, now + 10min).now) == Texts{"nas 20260113_000001", "r2 20260112_000001"});
}

TEST_CASE("a clock that stepped back does not postpone a copy by the whole step") {
    CHECK(next_sends({owed("r2", "20260113_000001", now + 1h)}, {}, now).later == now + 1h);
    CHECK(texts(next_sends({owed("r2", "20260113_000001", now + 1h + 1ms)}, {}, now).now) ==
          Texts{"r2 20260113_000001"});
    CHECK(texts(next_sends({owed("r2", "20260113_000001", now + 24h * 365)}, {}, now).now) ==
          Texts{"r2 20260113_000001"});
}

TEST_CASE("pauses double from a minute to an hour, less up to a half") {
    struct Row {
        int attempts;
        std::chrono::minutes pause;
    };
    for (const auto& row : {Row{1, 1min}, Row{2, 2min}, Row{3, 4min}, Row{4, 8min}, Row{5, 16min}, Row{6, 32min},
                            Row{7, 60min}, Row{8, 60min}, Row{1'000'000, 60min}, Row{0, 60min}}) {
        CAPTURE(row.attempts);
        CHECK(offsite::retry_at(row.attempts, now, 0) == now + row.pause);
        const std::chrono::milliseconds whole = row.pause;
        CHECK(offsite::retry_at(row.attempts, now, static_cast<std::uint64_t>(whole.count()) / 2) == now + whole / 2);
        for (std::uint64_t random = 1; random < 20; ++random) {
            const auto at = offsite::retry_at(row.attempts, now, random * 0x9E3779B97F4A7C15U);
            CHECK(at >= now + whole / 2);
            CHECK(at <= now + whole);
        }
    }
}

TEST_CASE("a target that is away is not asked for each of its copies") {
    const auto failed = owed("r2", "20260112_000001", now + 8min);
    const std::vector copies{failed, owed("r2", "20260113_000001", now), owed("r2", "20260114_000001", now + 20min),
                             owed("nas", "20260113_000001", now)};
    const auto moved = offsite::postpone_with(failed, away, copies);
    CHECK(texts(moved) == Texts{"r2 20260113_000001"});
    CHECK(moved.at(0).next_attempt == now + 8min);
    // What is wrong with one set says nothing of the others.
    CHECK(offsite::postpone_with(failed, {ErrorCode::conflict, "another set"}, copies).empty());
}

TEST_CASE("what is owed of a set says all that retention must know of it") {
    Bench bench;
    const auto id = bench.add_set("2026-01-13T00:00:01Z");
    auto set = bench.place.repository.find(id).manifest;
    set.milestone = "mvp";
    const auto copy = offsite::owed_copy("r2", set, now);
    CHECK(copy.target == "r2");
    CHECK(copy.id == id);
    CHECK(copy.owed);
    CHECK(copy.since == now);
    CHECK(copy.next_attempt == now);
    CHECK(copy.started_at == set.started_at);
    CHECK(copy.bytes == set.bytes());
    CHECK(copy.complete);
    CHECK(copy.verified == model::Verification::decoded);
    CHECK(copy.milestone == "mvp");
    CHECK(copy.attempts == 0);
    CHECK(copy.assurance.empty());
    CHECK(copy.run == set.run);
    CHECK(copy.host.empty());
}

TEST_CASE("a set that was found on a target is its host's, and a name that is none becomes no part of a command") {
    model::BackupSet set;
    set.id = {"shop", "20260113_000001"};
    set.run = base::RunId::make(now, {});
    struct Row {
        std::string made_by;
        std::string host;
    };
    for (const auto& row :
         {Row{"db1", ""}, Row{"", ""}, Row{"db2.example.org", "db2.example.org"}, Row{"-rf", "unknown-host"},
          Row{"$(reboot)", "unknown-host"}, Row{"a\nb", "unknown-host"}, Row{std::string(256, 'a'), "unknown-host"}}) {
        CAPTURE(row.made_by);
        set.host = row.made_by;
        const auto copy = offsite::found_copy("r2", set, now, "db1");
        CHECK(copy.host == row.host);
        CHECK_FALSE(copy.owed);
        CHECK(copy.run == set.run);
    }
}

// Two targets, a set every six hours, "r2" away from the second hour on for two days: what the sender would do, minute
// by minute, by these decisions alone.
TEST_CASE("a target that was away for two days catches up in order, and is asked about once an hour meanwhile") {
    Bench bench;
    support::MemoryTarget nas;
    std::map<std::string, support::MemoryTarget*> targets{{"r2", &bench.target}, {"nas", &nas}};
    std::map<std::string, offsite::Way> ways;
    std::vector<catalog::Copy> backlog;
    std::vector<model::SetId> made;
    std::map<std::string, std::vector<std::string>> order;
    std::size_t failures = 0;
    std::uint64_t random = 1;
    const auto begin = at("2026-01-13T00:00:00Z");
    for (auto time = begin; time < begin + 60h; time += 1min) {
        if ((time - begin) % 6h == 0min && time < begin + 48h) {
            made.push_back(bench.add_set(calendar::format_rfc3339_utc(base::to_instant(time))));
            const auto set = bench.place.repository.find(made.back()).manifest;
            for (const auto& [name, target] : targets) backlog.push_back(offsite::owed_copy(name, set, time));
        }
        bench.target.away = time >= begin + 2h && time < begin + 50h;
        for (const auto& copy : next_sends(backlog, {}, time).now) {
            const auto set = bench.place.repository.find(copy.id);
            auto& way = ways[copy.target + copy.id.text()];
            auto means = bench.means();
            const offsite::Means those{*targets.at(copy.target), means.pool, means.random};
            const auto found = std::find_if(backlog.begin(), backlog.end(), [&](const auto& each) {
                return each.target == copy.target && each.id == copy.id;
            });
            try {
                bench.run(offsite::send_set(those, bench.io.get_executor(), set.directory, set.manifest, way, {}));
                order[copy.target].push_back(copy.id.set);
                backlog.erase(found);
            } catch (const base::Error& error) {
                ++failures;
                found->next_attempt = offsite::retry_at(++found->attempts, time, random += 0x9E3779B97F4A7C15U);
                const auto failed = *found;
                for (const auto& moved : offsite::postpone_with(failed, error, backlog))
                    for (auto& each : backlog)
                        if (each.target == moved.target && each.id == moved.id) each = moved;
            }
        }
    }
    REQUIRE(made.size() == 8);
    std::vector<std::string> expected;
    for (const auto& id : made) expected.push_back(id.set);
    CHECK(backlog.empty());
    CHECK(order["nas"] == expected);
    CHECK(order["r2"] == expected);
    CHECK(bench.objects_there().size() == made.size() * 5);
    // 46 hours, at least half an hour between two attempts once the pauses have grown.
    CHECK(failures > 40);
    CHECK(failures < 110);
}
