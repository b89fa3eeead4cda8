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
    const auto remove = [](Bench& bench, const model::SetId& id) {
        return bench.run(offsite::remove_remote_set(bench.target, id, {}));
    };
    std::size_t count = 0;
    {
        Bench bench;
        const auto id = prepare(bench);
        CHECK_FALSE(remove(bench, id).refused);
        CHECK(bench.target.removed.front() == offsite::key_of(id, "manifest.json"));
        CHECK(bench.target.removed.size() == 5);
        CHECK(bench.target.keys() == std::vector<std::string>{"shop/20260113_000001-2/manifest.json"});
        count = bench.target.calls.size();
        CHECK_FALSE(remove(bench, id).refused);  // nothing to do
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
            CHECK_FALSE(remove(bench, id).refused);
            CHECK(bench.target.objects.size() == 1);
        }
    }
}

TEST_CASE("a set whose manifest the target retains stays whole") {
    Bench bench;
    const auto id = bench.add_set("2026-01-13T00:00:01Z");
    bench.put_there(id);
    bench.target.retains = [](const std::string& key) { return key.ends_with("manifest.json"); };
    const auto removed = bench.run(offsite::remove_remote_set(bench.target, id, {}));
    REQUIRE(removed.refused);
    CHECK(removed.refused->key == offsite::key_of(id, "manifest.json"));
    CHECK(bench.objects_there() == bench.objects_of(id));
    bench.target.retains = [](const std::string& key) { return key.ends_with(".gz"); };
    const auto half = bench.run(offsite::remove_remote_set(bench.target, id, {}));
    REQUIRE(half.refused);
    CHECK(half.refused->key.ends_with(".gz"));
    CHECK(bench.target.objects.size() == 2);
}
