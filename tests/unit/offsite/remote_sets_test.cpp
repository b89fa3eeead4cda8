#include "offsite/remote_sets.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

std::vector<offsite::RemoteSet> list(Bench& bench, std::optional<std::string> job = std::nullopt) {
    return bench.run(offsite::remote_sets(bench.target, std::move(job), {}));
}

std::optional<target::Refusal> remove_set(Bench& bench, const model::SetId& id) {
    if (auto refused = bench.run(offsite::remove_manifest(bench.target, id, {}))) return refused;
    return bench.run(offsite::remove_remains(bench.target, id, {}));
}

}  // namespace

TEST_CASE("what a target holds is told by its keys alone") {
    Bench bench;
    bench.target.now = at("2026-01-13T02:00:00Z");
    bench.target.add("shop/20260113_000001/a.dump", "12345");
    bench.target.add("shop/20260113_000001/manifest.json", "{}");
    bench.target.now = at("2026-01-14T02:00:00Z");
    bench.target.add("shop/20260113_000001/pinned", "");
    bench.target.add("shop/20260112_000001/a.dump", "123");
    bench.target.now = {};
    bench.target.add("crm/20260110_120000/manifest.json", "{}");
    bench.target.add("shopping/20260110_000001/manifest.json", "{}");
    bench.target.add("shop/notes.txt", "somebody else's");
    bench.target.add("probe", "");
    const auto sets = list(bench);
    REQUIRE(sets.size() == 4);
    CHECK(sets[0].id.text() == "crm/20260110_120000");
    CHECK(sets[0].newest == at("2026-01-10T12:00:00Z"));  // by its name
    CHECK(sets[1].id.text() == "shop/20260112_000001");
    CHECK_FALSE(sets[1].exists);
    CHECK(sets[2].id.text() == "shop/20260113_000001");
    CHECK(sets[2].exists);
    CHECK(sets[2].pinned);
    CHECK(sets[2].bytes == 7);
    CHECK(sets[2].newest == at("2026-01-14T02:00:00Z"));
    CHECK_FALSE(sets[0].pinned);
    CHECK(list(bench, "shop").size() == 2);
    CHECK(list(bench, "none").empty());
    for (const std::size_t page : {1, 2, 3, 8}) {
        bench.target.page = page;
        CHECK(list(bench).size() == 4);
        CHECK(list(bench)[2].bytes == 7);
    }
}

TEST_CASE("a manifest is read, and one of another set or none at all is corrupt") {
    Bench bench;
    const auto id = bench.add_set("2026-01-13T00:00:01Z");
    const auto read = [&](const model::SetId& which) {
        return bench.run(offsite::remote_manifest(bench.target, which, {}));
    };
    CHECK(error_of([&] { (void)read(id); }).code() == ErrorCode::not_found);
    bench.put_there(id);
    CHECK(read(id).artifacts.size() == 2);
    const model::SetId other{"shop", "20260114_000001"};
    bench.target.add(offsite::key_of(other, "manifest.json"),
                     bench.objects_of(id).at(offsite::key_of(id, "manifest.json")));
    const auto error = error_of([&] { (void)read(other); });
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.message() == "the manifest of shop/20260114_000001 is that of shop/20260113_000001");
    bench.target.add(offsite::key_of(other, "manifest.json"), "no JSON");
    CHECK(error_of([&] { (void)read(other); }).code() == ErrorCode::corrupt);
}

TEST_CASE("a set is removed manifest first, and whatever call fails the next attempt removes the rest") {
    const auto prepare = [](Bench& bench) {
        bench.target.page = 2;
        const auto id = bench.add_set("2026-01-13T00:00:01Z");
        bench.put_there(id);
        bench.target.add("shop/20260113_000001-2/manifest.json", "another");
        return id;
    };
    const auto remove = [](Bench& bench, const model::SetId& id) { return remove_set(bench, id); };
    std::size_t count = 0;
    {
        Bench bench;
        const auto id = prepare(bench);
        CHECK_FALSE(remove(bench, id));
        CHECK(bench.target.removed.front() == offsite::key_of(id, "manifest.json"));
        CHECK(bench.target.removed.size() == 5);
        CHECK(bench.target.keys() == std::vector<std::string>{"shop/20260113_000001-2/manifest.json"});
        count = bench.target.calls.size();
        CHECK_FALSE(remove(bench, id));  // nothing to do
    }
    for (std::size_t call = 1; call <= count; ++call) {
        for (const bool lost : {false, true}) {
            CAPTURE(call, lost);
            Bench bench;
            const auto id = prepare(bench);
            bench.target.fail_at = call;
            bench.target.answer_lost = lost;
            CHECK(error_of([&] { (void)remove(bench, id); }).code() == ErrorCode::unreachable);
            check_no_half_set(bench, {"shop", "none"});
            if (bench.target.objects.contains(offsite::key_of(id, "manifest.json")))
                CHECK(bench.target.objects.size() == 6);
            bench.target.fail_at = 0;
            CHECK_FALSE(remove(bench, id));
            CHECK(bench.target.objects.size() == 1);
        }
    }
}

TEST_CASE("a set whose manifest the target retains stays whole") {
    Bench bench;
    const auto id = bench.add_set("2026-01-13T00:00:01Z");
    bench.put_there(id);
    bench.target.retains = [](const std::string& key) { return key.ends_with("manifest.json"); };
    const auto removed = remove_set(bench, id);
    REQUIRE(removed);
    CHECK(removed->key == offsite::key_of(id, "manifest.json"));
    CHECK(bench.objects_there() == bench.objects_of(id));
    bench.target.retains = [](const std::string& key) { return key.ends_with(".gz"); };
    const auto half = remove_set(bench, id);
    REQUIRE(half);
    CHECK(half->key.ends_with(".gz"));
    CHECK(bench.target.objects.size() == 2);
}

TEST_CASE("a half is stale when nothing has come to it for a day, by this host's clock and by the place's") {
    const auto half = [](const std::string& set, base::Timestamp newest, bool exists = false) {
        offsite::RemoteSet result;
        result.id = {"shop", set};
        result.exists = exists;
        result.newest = newest;
        return result;
    };
    using Ids = std::vector<model::SetId>;
    const Ids first{{"shop", "1"}};
    CHECK(offsite::stale_halves({}, today).empty());
    CHECK(offsite::stale_halves({half("1", today - 25h), half("2", today)}, today) == first);
    CHECK(offsite::stale_halves({half("1", today - 24h), half("2", today)}, today).empty());
    CHECK(offsite::stale_halves({half("1", today - 25h, true), half("2", today)}, today).empty());
    // A clock that is ahead: by the place's, it has just begun.
    CHECK(offsite::stale_halves({half("1", today - 1h), half("2", today)}, today + 48h).empty());
    // One that is behind.
    CHECK(offsite::stale_halves({half("1", today - 25h), half("2", today)}, today - 48h).empty());
    // Nothing else there tells the time.
    CHECK(offsite::stale_halves({half("1", today - 25h)}, today).empty());
}

TEST_CASE("what time it is at the place is asked of it, where nothing else there tells") {
    struct Row {
        base::Timestamp half, there;  // when the half came, and what time it is there
        bool stale, asked;
    };
    for (const auto& row : {
             Row{today - 25h, today, true, true}, Row{today - 23h, today, false, false},  // young by our own clock
             Row{today - 25h, today - 2h, false, true},                                   // our clock is ahead
             Row{today - 25h, base::Timestamp{}, false, true},                            // a place that does not tell
         }) {
        Bench bench;
        offsite::RemoteSet half;
        half.id = {"shop", "20260113_000001"};
        half.newest = row.half;
        bench.target.now = row.there;
        const auto stale = bench.run(offsite::find_stale_halves(bench.target, {half}, today, {}));
        CHECK(!stale.empty() == row.stale);
        CHECK(bench.target.finished.size() == (row.asked ? 1U : 0U));
        CHECK(bench.target.objects.empty());
    }
    // Anything that is a day younger tells.
    Bench bench;
    std::vector<offsite::RemoteSet> sets(2);
    sets[0].newest = today - 25h;
    sets[1].newest = today;
    CHECK(bench.run(offsite::find_stale_halves(bench.target, sets, today, {})).size() == 1);
    CHECK(bench.target.calls.empty());
}

TEST_CASE("a half is removed as long as it is one") {
    Bench bench;
    const model::SetId id{"shop", "20260113_000001"};
    const auto remove = [&] { return bench.run(offsite::remove_half(bench.target, id, {})); };
    bench.target.add(offsite::key_of(id, "a.dump"), "half");
    bench.target.add("shop/20260113_000001-2/a.dump", "another");
    bench.target.retains = [](const std::string&) { return true; };
    CHECK_FALSE(remove());
    bench.target.retains = {};
    bench.target.add(offsite::key_of(id, "manifest.json"), "{}");
    CHECK_FALSE(remove());
    CHECK(bench.target.objects.size() == 3);
    bench.target.objects.erase(offsite::key_of(id, "manifest.json"));
    CHECK(remove());
    CHECK(bench.target.keys() == std::vector<std::string>{"shop/20260113_000001-2/a.dump"});
}
