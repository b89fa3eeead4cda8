#include "offsite/retention.hpp"

#include "offsite/backlog.hpp"
#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using namespace std::chrono_literals;
using base::ErrorCode;

namespace {

// A job "shop" with a target "r2", on 2026-02-01.
class House : public Bench {
  public:
    std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::open(directory / "state.db", today);
    model::RetentionPolicy policy;
    std::optional<model::SetId> made;
    bool record = true;
    bool with_catalog = true;
    std::function<std::shared_ptr<void>(const model::SetId&)> claim;

    // As one that was there before beginnings were noted.
    void begun_long_ago() { catalog = catalog::Catalog::open(directory / "old.db", base::Timestamp{}); }
    House() { policy.at_least = 1; }

    [[nodiscard]] offsite::Retention around() {
        return {target, "r2",  pool, place.repository, with_catalog ? catalog.get() : nullptr, record,
                made,   "db1", claim};
    }
    offsite::RemotePlan plan(base::Timestamp now = today) {
        auto job = job_spec("shop", {"r2"});
        job.target_retention = {{"r2", policy}};
        return run(offsite::plan_remote(around(), std::make_shared<const model::JobSpec>(std::move(job)), now, {}));
    }
    offsite::RemotePruned apply(offsite::RemotePlan the_plan) {
        return run(offsite::apply_remote(around(), std::move(the_plan), {}));
    }
    // One that the target has and the catalog knows; it is no longer here.
    model::SetId copied(std::string_view started_at) {
        const auto id = add_set(started_at);
        put_there(id);
        auto copy = offsite::owed_copy("r2", place.repository.find(id).manifest, today);
        copy.owed = false;
        catalog->put_copy(copy);
        place.repository.remove(id);
        return id;
    }
    // One that another host has made, and nobody knows here.
    model::SetId foreign(std::string_view started_at, const std::string& host = "db2") {
        const auto id = found(started_at);
        const auto key = offsite::key_of(id, "manifest.json");
        auto set = model::parse_manifest(target.objects.at(key).content).value();
        set.host = host;
        set.run = base::RunId::make(set.started_at, {});
        target.objects.at(key).content = model::to_manifest(set);
        return id;
    }
    // One that it has and nobody knows.
    model::SetId found(std::string_view started_at) {
        const auto id = add_set(started_at);
        put_there(id);
        place.repository.remove(id);
        return id;
    }
    std::vector<std::string> known() {
        std::vector<std::string> names;
        for (const auto& copy : catalog->copies()) names.push_back(copy.id.set + (copy.owed ? " owed" : ""));
        return names;
    }
};

std::vector<std::string> texts(const offsite::RemotePlan& plan) {
    std::vector<std::string> result;
    for (const auto& decision : plan.decisions)
        result.push_back(decision.id.set + (decision.keep ? " stays: " : " goes: ") + decision.reason);
    return result;
}

std::vector<std::string> that_stay(const offsite::RemotePlan& plan) {
    std::vector<std::string> result;
    for (const auto& decision : plan.decisions)
        if (decision.keep) result.push_back(decision.id.set.substr(0, 8));
    return result;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("each rule decides what stays on a target, whether the catalog knows of it or not") {
    struct Row {
        std::string name;
        model::RetentionPolicy policy;
        Texts stay;
    };
    const auto rules = [](auto change) {
        model::RetentionPolicy policy;
        policy.at_least = 1;
        change(policy);
        return policy;
    };
    for (const auto& row : {Row{"last", rules([](auto& p) { p.last = 2; }), {"20260131", "20260130"}},
                            Row{"days", rules([](auto& p) { p.days = 2; }), {"20260131", "20260130"}},
                            Row{"weeks", rules([](auto& p) { p.weeks = 1; }), {"20260131", "20260130", "20260126"}},
                            Row{"daily", rules([](auto& p) { p.daily = 3; }), {"20260131", "20260130", "20260126"}},
                            Row{"weekly", rules([](auto& p) { p.weekly = 2; }), {"20260131", "20260120"}},
                            Row{"monthly", rules([](auto& p) { p.monthly = 2; }), {"20260131", "20251215"}},
                            Row{"yearly", rules([](auto& p) { p.yearly = 2; }), {"20260131", "20251215"}},
                            Row{"floor",
                                rules([](auto& p) {
                                    p.days = 1;
                                    p.at_least = 4;
                                }),
                                {"20260131", "20260130", "20260126", "20260120"}}}) {
        CAPTURE(row.name);
        House house;
        house.policy = row.policy;
        for (const auto* day : {"2025-12-15", "2026-01-20", "2026-01-26", "2026-01-30", "2026-01-31"})
            house.copied(std::string(day) + "T12:00:00Z");
        CHECK(that_stay(house.plan()) == row.stay);
        // Nothing was read but the listing.
        for (const auto& call : house.target.calls) CHECK(call == "list shop/");
        house.with_catalog = false;
        house.record = false;
        CHECK(that_stay(house.plan()) == row.stay);
    }
}

TEST_CASE("what goes is removed manifest first, and forgotten; what stays is left alone") {
    House house;
    house.policy.days = 7;
    const auto old = house.copied("2026-01-10T00:00:00Z");
    const auto young = house.copied("2026-01-30T00:00:00Z");
    auto plan = house.plan();
    CHECK(texts(plan) == Texts{"20260130_000000 stays: newer than 7 days",
                               "20260110_000000 goes: older than 7 days; 1 newer good set remains"});
    CHECK(house.target.removed.empty());
    const auto pruned = house.apply(std::move(plan));
    REQUIRE(pruned.deleted.size() == 1);
    CHECK(pruned.deleted[0].id == old);
    CHECK(pruned.retained.empty());
    CHECK(house.target.removed.front() == offsite::key_of(old, "manifest.json"));
    CHECK(house.target.removed.size() == 5);
    CHECK(house.target.objects.size() == 5);
    CHECK(house.known() == Texts{young.set});
}

TEST_CASE("halves that nobody sends are swept after a day, those that are owed are not") {
    House house;
    house.policy.days = 7;
    const auto half = [&](const std::string& set, base::Timestamp modified) {
        house.target.now = modified;
        house.target.add("shop/" + set + "/a.dump", "half");
    };
    half("20260101_000000", {});                 // by its name
    half("20260102_000000", today - 24h - 1ms);  // a day and more
    half("20260103_000000", today - 24h);        // a day
    half("20260104_000000", today - 48h);        // owed
    half("20260105_000000", today - 48h);        // with one young object
    house.target.now = today - 1h;
    house.target.add("shop/20260105_000000/b.dump", "");
    house.target.add("other/20260101_000000/a.dump", "another job's");
    half("20260201_000000", today);  // just begun
    catalog::Copy owed;
    owed.target = "r2";
    owed.id = {"shop", "20260104_000000"};
    owed.owed = true;
    house.catalog->put_copy(owed);
    owed.target = "nas";  // what is owed to another target protects nothing here
    owed.id = {"shop", "20260102_000000"};
    house.catalog->put_copy(owed);
    auto plan = house.plan();
    CHECK(plan.decisions.empty());
    CHECK(plan.stale == std::vector<model::SetId>{{"shop", "20260101_000000"}, {"shop", "20260102_000000"}});
    CHECK(house.apply(std::move(plan)).swept == 2);
    CHECK(house.target.keys() == Texts{"other/20260101_000000/a.dump", "shop/20260103_000000/a.dump",
                                       "shop/20260104_000000/a.dump", "shop/20260105_000000/a.dump",
                                       "shop/20260105_000000/b.dump", "shop/20260201_000000/a.dump"});
}

TEST_CASE("a half that became a set before it was swept stays") {
    House house;
    house.target.now = today - 48h;
    house.target.add("shop/20260101_000000/a.dump", "half");
    house.target.now = today;
    house.target.add("shop/20260201_000000/a.dump", "just begun");
    auto plan = house.plan();
    REQUIRE(plan.stale.size() == 1);
    house.target.add("shop/20260101_000000/manifest.json", "the last of it");
    CHECK(house.apply(std::move(plan)).swept == 0);
    CHECK(house.target.removed.empty());
}

TEST_CASE("what the catalog does not know is learnt from its manifest") {
    House house;
    house.policy.days = 7;
    const auto id = house.found("2026-01-30T00:00:00Z");
    house.record = false;
    CHECK(texts(house.plan()) == Texts{"20260130_000000 stays: newer than 7 days"});
    CHECK(house.known().empty());
    house.record = true;
    house.plan();
    CHECK(house.known() == Texts{id.set});
    CHECK(house.catalog->copies().at(0).verified == model::Verification::decoded);
    house.target.calls.clear();
    house.plan();
    CHECK(house.target.calls == Texts{"list shop/"});
}

TEST_CASE("a set whose manifest cannot be read stays, is remarked and counts for nothing") {
    House house;
    house.policy.last = 1;
    house.target.add("shop/20200101_000000/manifest.json", "{\"format\": \"pgbakd-set/9\"}");
    house.target.add("shop/20200102_000000/manifest.json", "damaged");
    const auto id = house.found("2026-01-30T00:00:00Z");
    auto moved = house.objects_there().at(offsite::key_of(id, "manifest.json"));
    house.target.add("shop/20200103_000000/manifest.json", moved);
    auto plan = house.plan();
    REQUIRE(plan.decisions.size() == 4);
    for (const auto& decision : plan.decisions) CHECK(decision.keep);
    CHECK(plan.remarks.size() == 3);
    CHECK(plan.remarks[2] ==
          "shop/20200103_000000 on r2: the manifest of shop/20200103_000000 is that of shop/20260130_000000");
    CHECK(plan.decisions[1].reason.find("its manifest cannot be read") != std::string::npos);
    CHECK(house.apply(std::move(plan)).deleted.empty());
    CHECK(house.target.removed.empty());
    CHECK(house.known() == Texts{id.set});
}

TEST_CASE("where a manifest cannot be asked for now, there is no plan") {
    House house;
    house.policy.days = 7;
    house.found("2020-01-01T00:00:00Z");
    house.target.on_call = [&](const std::string& call) {
        if (call.starts_with("get")) house.target.away = true;
    };
    CHECK(error_of([&] { house.plan(); }).code() == ErrorCode::unreachable);
    CHECK(house.known().empty());
}

TEST_CASE("a pin here or there, a milestone, and the set of the run that prunes are kept") {
    House house;
    house.policy.days = 1;
    house.copied("2026-01-31T12:00:00Z");
    SECTION("pinned there") {
        const auto id = house.copied("2026-01-10T00:00:00Z");
        house.target.add(offsite::key_of(id, offsite::pin_file), "");
        CHECK(house.plan().decisions.at(1).keep);
    }
    SECTION("pinned here") {
        const auto id = house.add_set("2026-01-10T00:00:00Z");
        house.put_there(id);
        house.place.repository.pin(id, true);
        // The pin's file is not what is meant here.
        house.target.objects.erase(offsite::key_of(id, "pinned"));
        CHECK(house.plan().decisions.at(1).keep);
    }
    SECTION("a milestone") {
        const auto id = house.add_set("2026-01-10T00:00:00Z");
        house.put_there(id);
        auto copy = offsite::owed_copy("r2", house.place.repository.find(id).manifest, today);
        copy.owed = false;
        copy.milestone = "mvp";
        house.catalog->put_copy(copy);
        CHECK(house.plan().decisions.at(1).keep);
    }
    SECTION("just made, by a clock that was wrong") {
        house.made = house.copied("2026-01-10T00:00:00Z");
        const auto plan = house.plan();
        CHECK(plan.decisions.at(1).keep);
        CHECK(plan.decisions.at(1).reason.find(retention::held_by_its_run) != std::string::npos);
    }
    SECTION("nothing of the kind") {
        house.copied("2026-01-10T00:00:00Z");
        CHECK_FALSE(house.plan().decisions.at(1).keep);
    }
}

TEST_CASE("a set that somebody else deleted there is remarked once, and forgotten") {
    House house;
    house.policy.days = 7;
    const auto gone = house.copied("2026-01-30T00:00:00Z");
    house.copied("2026-01-31T00:00:00Z");
    std::erase_if(house.target.objects, [&](const auto& entry) { return entry.first.starts_with("shop/" + gone.set); });
    house.record = false;
    CHECK(house.plan().remarks == Texts{"shop/20260130_000000 is gone from r2: somebody else deleted it there"});
    CHECK(house.known().size() == 2);
    house.record = true;
    CHECK(house.plan().remarks.size() == 1);
    CHECK(house.known() == Texts{"20260131_000000"});
    CHECK(house.plan().remarks.empty());
}

TEST_CASE("what the target retains is told, not a failure, and stays known") {
    House house;
    house.policy.days = 7;
    const auto locked = house.copied("2026-01-10T00:00:00Z");
    const auto free = house.copied("2026-01-11T00:00:00Z");
    house.copied("2026-01-30T00:00:00Z");
    house.target.retains = [&](const std::string& key) { return key.starts_with("shop/" + locked.set); };
    const auto pruned = house.apply(house.plan());
    REQUIRE(pruned.deleted.size() == 1);
    CHECK(pruned.deleted[0].id == free);
    CHECK(pruned.retained == Texts{"shop/20260110_000000: the bucket locks it"});
    CHECK(house.known() == Texts{locked.set, "20260130_000000"});
}

TEST_CASE("a removal that broke off does not look like somebody else's") {
    for (std::size_t call = 1; call < 5; ++call) {
        INFO(call);
        House house;
        house.policy.days = 7;
        const auto old = house.copied("2026-01-10T00:00:00Z");
        house.copied("2026-01-30T00:00:00Z");
        auto plan = house.plan();
        house.target.fail_at = house.target.calls.size() + call;
        const auto broken = house.apply(std::move(plan));
        REQUIRE(broken.ended.has_value() == (call < 4));
        if (broken.ended) CHECK(broken.ended->code() == ErrorCode::unreachable);
        house.target.fail_at = 0;
        const auto again = house.plan();
        CHECK(again.remarks.empty());
        house.apply(again);
        CHECK(house.known() == Texts{"20260130_000000"});
        CHECK_FALSE(house.target.objects.contains(offsite::key_of(old, "manifest.json")));
    }
}

TEST_CASE("a set that lost its manifest to us is none any more, though the target retains the rest") {
    House house;
    house.policy.days = 7;
    const auto half = house.copied("2026-01-10T00:00:00Z");
    house.copied("2026-01-30T00:00:00Z");
    house.target.retains = [&](const std::string& key) {
        return key.ends_with(".gz") && key.find(half.set) != key.npos;
    };
    const auto pruned = house.apply(house.plan());
    CHECK(pruned.deleted.empty());
    CHECK(pruned.retained.size() == 1);
    CHECK(house.known() == Texts{"20260130_000000"});
    CHECK(house.plan().remarks.empty());  // nobody else did it
}

TEST_CASE("where the target goes away in the middle, the rest stays for the next time") {
    House house;
    house.policy.days = 7;
    house.copied("2026-01-10T00:00:00Z");
    house.copied("2026-01-11T00:00:00Z");
    house.copied("2026-01-30T00:00:00Z");
    auto plan = house.plan();
    house.target.fail_at = house.target.calls.size() + 4;  // the second set's manifest
    const auto pruned = house.apply(std::move(plan));
    REQUIRE(pruned.ended);
    CHECK(pruned.ended->code() == ErrorCode::unreachable);
    // What went before is told.
    REQUIRE(pruned.deleted.size() == 1);
    CHECK(pruned.deleted[0].id.set == "20260111_000000");
    CHECK(pruned.failures.empty());
    CHECK(house.known() == Texts{"20260110_000000", "20260130_000000"});
    house.target.fail_at = 0;
    CHECK(house.apply(house.plan()).deleted.size() == 1);
    CHECK(house.known() == Texts{"20260130_000000"});
}

TEST_CASE("one set that cannot be removed keeps no other from going, and is told") {
    for (const auto* part : {"manifest.json", ".gz"}) {
        CAPTURE(part);
        House house;
        house.policy.days = 7;
        for (const auto* day : {"10", "11", "12"}) house.copied("2026-01-" + std::string(day) + "T00:00:00Z");
        house.copied("2026-01-30T00:00:00Z");
        auto plan = house.plan();
        house.target.failure = {ErrorCode::server_error, "out of order"};
        house.target.on_call = [&](const std::string& call) {
            const bool is_it = call.starts_with("remove") && call.find("shop/20260111_000000") != call.npos &&
                               call.find(part) != call.npos;
            if (is_it) house.target.fail_at = house.target.calls.size();
        };
        const auto pruned = house.apply(std::move(plan));
        CHECK_FALSE(pruned.ended);
        CHECK(pruned.failures == Texts{"shop/20260111_000000: out of order"});
        // Without its manifest it is gone.
        const bool gone = std::string_view(part) == ".gz";
        CHECK(pruned.deleted.size() == (gone ? 3U : 2U));
        CHECK(house.known() == (gone ? Texts{"20260130_000000"} : Texts{"20260111_000000", "20260130_000000"}));
    }
}

TEST_CASE("a set that is not whole there counts for nothing, is named, and goes for no good one") {
    for (const bool known : {true, false})
        for (const bool gone : {true, false}) {
            CAPTURE(known, gone);
            House house;
            house.policy.last = 1;
            const auto add = [&](std::string_view started_at) {
                return known ? house.copied(started_at) : house.found(started_at);
            };
            add("2026-01-28T00:00:00Z");
            const auto whole = add("2026-01-29T00:00:00Z");
            const auto broken = add("2026-01-30T00:00:00Z");
            const auto artifact = "globals_" + broken.set + ".sql.gz";
            if (gone)
                house.target.objects.erase(offsite::key_of(broken, artifact));
            else
                house.target.objects.at(offsite::key_of(broken, artifact)).content.pop_back();
            const auto plan = house.plan();
            CHECK(texts(plan) == Texts{"20260130_000000 stays: not whole, but only 0 of 1 good sets have followed it",
                                       "20260129_000000 stays: the newest (last: 1)",
                                       "20260128_000000 goes: not among the 1 newest; 1 newer good set remains"});
            CHECK(plan.remarks == Texts{"shop/20260130_000000 on r2 is not whole, and counts for nothing there: " +
                                        artifact + (gone ? " is not there" : " has another size there")});
            CHECK(plan.lacking.empty());
            CHECK(house.catalog->newest_copy("shop", today)->id == whole);
            // It is told as long as it lies there.
            CHECK(house.plan().remarks == plan.remarks);
        }
}

TEST_CASE("a set that is not whole there and lies here too is owed again, and mended by that") {
    House house;
    house.policy.last = 1;
    house.copied("2026-01-29T00:00:00Z");
    const auto id = house.add_set("2026-01-30T00:00:00Z");
    house.put_there(id);
    auto copy = offsite::owed_copy("r2", house.place.repository.find(id).manifest, today);
    copy.owed = false;
    house.catalog->put_copy(copy);
    const auto key = offsite::key_of(id, "globals_" + id.set + ".sql.gz");
    house.target.objects.erase(key);
    const auto plan = house.plan();
    CHECK(that_stay(plan) == Texts{"20260130", "20260129"});
    CHECK(plan.remarks.back() == "shop/20260130_000000 is here, and owed to r2 again");
    CHECK(house.known() == Texts{"20260129_000000", "20260130_000000 owed"});
    offsite::Way way;
    house.send(id, way);
    CHECK(house.target.objects.contains(key));
}

// Two hosts with a job of the same name: the other's set of that name is there, ours is owed.
TEST_CASE("a set that is owed is never taken for there, whatever lies there under its name") {
    House house;
    house.policy.days = 7;
    house.copied("2026-01-31T00:00:00Z");
    const auto id = house.add_set("2026-01-10T00:00:00Z");
    house.put_there(id);
    house.catalog->put_copy(offsite::owed_copy("r2", house.place.repository.find(id).manifest, today));
    auto plan = house.plan();
    CHECK(house.known() == Texts{"20260110_000000 owed", "20260131_000000"});
    REQUIRE(plan.decisions.size() == 2);
    CHECK(plan.decisions[1].keep);
    CHECK(plan.decisions[1].reason.find("owed") != std::string::npos);
    CHECK(house.apply(std::move(plan)).deleted.empty());
}

// Two hosts with a job of the same name in one place.
TEST_CASE("what another host has made is left alone, counts for nothing, and is told once") {
    House house;
    house.policy.last = 1;
    const auto old = house.copied("2026-01-10T00:00:00Z");
    house.copied("2026-01-11T00:00:00Z");
    house.foreign("2026-01-09T00:00:00Z");
    const auto newest = house.foreign("2026-01-30T00:00:00Z");
    auto plan = house.plan();
    CHECK(texts(plan) == Texts{"20260130_000000 stays: held by db2, which made it and prunes its own",
                               "20260111_000000 stays: the newest (last: 1)",
                               "20260110_000000 goes: not among the 1 newest; 1 newer good set remains",
                               "20260109_000000 stays: held by db2, which made it and prunes its own"});
    CHECK(
        plan.remarks ==
        Texts{"db2 too has 2 sets of shop on r2, and prunes its own: left alone here, and counted for nothing; if this "
              "host has taken its place: pgbakctl rescan --from r2 --adopt db2"});
    const auto pruned = house.apply(std::move(plan));
    REQUIRE(pruned.deleted.size() == 1);
    CHECK(pruned.deleted[0].id == old);

    house.target.calls.clear();
    plan = house.plan();
    CHECK(house.target.calls == Texts{"list shop/"});  // no manifest is read twice
    CHECK(that_stay(plan).size() == 3);
    CHECK(plan.remarks.empty());
    // One more of the same host's, and one that it has pruned, are no news; another host is.
    std::erase_if(house.target.objects,
                  [&](const auto& entry) { return entry.first.starts_with("shop/" + newest.set); });
    house.foreign("2026-01-31T00:00:00Z");
    CHECK(house.plan().remarks.empty());
    house.foreign("2026-01-31T01:00:00Z", "\033[2J");
    const auto again = house.plan();
    REQUIRE(again.remarks.size() == 1);
    CHECK(again.remarks[0].starts_with("unknown-host too has 1 set of shop on r2"));
    CHECK(house.known().size() == 4);
    CHECK_FALSE(house.catalog->newest_copy("shop", today)->id == newest);
    CHECK(house.catalog->newest_copy("shop", today)->id.set == "20260111_000000");
}

TEST_CASE("a set is this host's by its name, by lying here too, and where no host is told") {
    struct Row {
        std::string host;
        bool local;
        bool kept;
    };
    for (const auto& row : {Row{"db1", false, false}, Row{"", false, false}, Row{"db2", false, true},
                            Row{"db2", true, false}, Row{"DB1", false, true}}) {
        CAPTURE(row.host, row.local);
        House house;
        house.policy.last = 1;
        house.copied("2026-01-30T00:00:00Z");
        const auto id = house.foreign("2026-01-10T00:00:00Z", row.host);
        if (row.local) {
            // As it was made here, before this host got another name.
            house.add_set("2026-01-10T00:00:00Z");
            write(house.place / "shop" / id.set / "manifest.json",
                  house.target.objects.at(offsite::key_of(id, "manifest.json")).content);
        }
        CHECK(house.plan().decisions.at(1).keep == row.kept);
    }
}

TEST_CASE("a set that was found corrupt over there is learnt as that") {
    House house;
    const auto id = house.found("2026-01-30T00:00:00Z");
    house.target.add(offsite::key_of(id, offsite::corrupt_file), "");
    house.plan();
    CHECK(house.known() == Texts{id.set});
    CHECK_FALSE(house.catalog->newest_copy("shop", today));
}

TEST_CASE("a copy that came to be owed while the target was listed stays owed") {
    House house;
    const auto id = house.found("2026-01-30T00:00:00Z");
    auto another = model::parse_manifest(house.target.objects.at(offsite::key_of(id, "manifest.json")).content).value();
    another.run = base::RunId::make(today, {});
    house.target.on_call = [&](const std::string& call) {
        if (call.starts_with("get")) house.catalog->put_copy(offsite::owed_copy("r2", another, today));
    };
    house.plan();
    CHECK(house.known() == Texts{id.set + " owed"});
}

// As after the loss of the state file: what lies there is learnt, and what does not was owed.
TEST_CASE("what a target that was not asked since the catalog was begun lacks of older sets is owed to it again") {
    House house;
    house.policy.days = 20;
    house.found("2026-01-20T00:00:00Z");
    const auto lacking = house.add_set("2026-01-28T00:00:00Z");
    house.add_set("2026-01-01T00:00:00Z");  // retention would have deleted it there
    SECTION("nothing is known") {}
    SECTION("the target has nothing at all") {
        house.target.objects.clear();
    }
    SECTION("the runs are known again, by a rescan") {
        std::vector<model::BackupSet> sets;
        for (const auto& set : house.place.repository.sets()) sets.push_back(set.manifest);
        CHECK(house.catalog->rescan(sets).runs_added > 0);
    }
    SECTION("but what the run that prunes has just sent") {
        house.made = house.copied("2026-01-31T00:00:00Z");
    }
    const auto plan = house.plan();
    REQUIRE(plan.remarks.size() == 1);
    CHECK(plan.remarks.front() ==
          "r2 lacks 1 set that its retention would keep: owed to it again, since the state file was lost");
    REQUIRE(house.catalog->owed_copies().size() == 1);
    CHECK(house.catalog->owed_copies().front().id == lacking);
    CHECK(house.plan().remarks.empty());
}

TEST_CASE("nothing is owed again where nothing says that the catalog was lost") {
    House house;
    house.policy.days = 90;
    SECTION("the target was asked since, though no run of the set is known any more") {
        house.add_set("2026-01-28T00:00:00Z");
        house.copied("2026-01-20T00:00:00Z");
        house.found("2026-01-21T00:00:00Z");
        house.catalog->put_asked("shop", "r2");
    }
    SECTION("the job has got the target later") {
        house.add_set("2026-01-28T00:00:00Z");
        house.catalog->know_targets({{"shop", {"nas"}}});
        house.catalog->know_targets({{"shop", {"nas", "r2"}}});
    }
    SECTION("the set is younger than the catalog") {
        house.add_set("2026-02-03T00:00:00Z");
    }
    SECTION("the catalog was there before this was noted") {
        house.add_set("2026-01-28T00:00:00Z");
        house.found("2026-01-20T00:00:00Z");
        house.begun_long_ago();
    }
    SECTION("what was known to be there somebody has deleted") {
        const auto id = house.copied("2026-01-28T00:00:00Z");
        house.add_set("2026-01-28T00:00:00Z");
        std::erase_if(house.target.objects,
                      [&](const auto& entry) { return entry.first.starts_with("shop/" + id.set); });
        house.plan();
    }
    SECTION("nothing is recorded: a look alone") {
        house.add_set("2026-01-28T00:00:00Z");
        house.record = false;
        house.found("2026-01-20T00:00:00Z");
    }
    house.plan();
    CHECK(house.catalog->owed_copies().empty());
}

// Half of what was owed, with a state file that was lost since.
TEST_CASE("half of a set that turns out to be lacking is not swept in the same breath") {
    House house;
    house.policy.days = 90;
    const auto id = house.add_set("2026-01-28T00:00:00Z");
    house.target.now = today - 48h;
    house.target.add(offsite::key_of(id, "a.dump"), "half");
    house.target.now = today;
    house.found("2026-01-31T00:00:00Z");
    const auto plan = house.plan();
    CHECK(plan.lacking.size() == 1);
    CHECK(plan.stale.empty());
    CHECK(house.apply(plan).swept == 0);
}

TEST_CASE("half a set is not swept while somebody sends it, nor once it is being sent again") {
    House house;
    house.target.now = today - 48h;
    house.target.add("shop/20260101_000000/a.dump", "half");
    house.target.add("shop/20260102_000000/a.dump", "half");
    house.target.now = today;
    house.target.add("shop/20260201_000000/a.dump", "just begun");
    const auto plan = house.plan();
    REQUIRE(plan.stale.size() == 2);
    Texts claimed;
    house.claim = [&](const model::SetId& id) -> std::shared_ptr<void> {
        claimed.push_back(id.set);
        return id.set == "20260101_000000" ? nullptr : std::make_shared<int>();
    };
    SECTION("sent") {
        CHECK(house.apply(plan).swept == 1);
        CHECK(house.target.keys() == Texts{"shop/20260101_000000/a.dump", "shop/20260201_000000/a.dump"});
    }
    SECTION("owed, and begun") {
        catalog::Copy owed;
        owed.target = "r2";
        owed.id = {"shop", "20260102_000000"};
        owed.owed = owed.begun = true;
        house.catalog->put_copy(owed);
        CHECK(house.apply(plan).swept == 0);
        CHECK(house.target.removed.empty());
    }
    CHECK(claimed == Texts{"20260101_000000", "20260102_000000"});
}

// As after a run that followed the loss while the target was away, and whose own copy is known.
TEST_CASE("a set that is older than the catalog is owed again, though the catalog knows of later ones there") {
    House house;
    house.policy.days = 90;
    const auto id = house.add_set("2026-01-28T00:00:00Z");
    house.copied("2026-01-30T00:00:00Z");
    CHECK(house.plan().lacking.size() == 1);
    REQUIRE(house.catalog->owed_copies().size() == 1);
    CHECK(house.catalog->owed_copies().front().id == id);
    CHECK(house.plan().lacking.empty());
}

TEST_CASE("a look tells what the target lacks as the plan that is carried out does, and enters nothing") {
    House house;
    house.policy.days = 20;
    const auto there = house.found("2026-01-20T00:00:00Z");
    const auto lacking = house.add_set("2026-01-28T00:00:00Z");
    house.record = false;
    const auto plan = house.plan();
    CHECK(house.known().empty());
    REQUIRE(plan.lacking.size() == 1);
    CHECK(plan.lacking.front().id == lacking);
    offsite::record_plan(*house.catalog, plan);
    CHECK(house.known() == Texts{there.set, lacking.set + " owed"});
    CHECK(house.plan().lacking.empty());
}

TEST_CASE("without a catalog all is lacking that nothing good over there stands for") {
    House house;
    house.policy.days = 20;
    house.with_catalog = false;
    house.record = false;
    house.add_set("2026-01-01T00:00:00Z");  // its retention would delete it there
    const auto young = house.add_set("2026-01-28T00:00:00Z");
    const auto other = house.add_set("2026-01-30T00:00:00Z");
    const auto lacks = [&house] {
        Texts names;
        for (const auto& copy : house.plan().lacking) names.push_back(copy.id.set);
        return names;
    };
    CHECK(lacks() == Texts{young.set, other.set});  // the target has no set at all
    CHECK(house.plan().remarks == Texts{"r2 lacks 2 sets that its retention would keep: kept here, since there is no "
                                        "state file that could say what is owed to it"});
    house.put_there(young);
    CHECK(lacks() == Texts{other.set});
    house.target.add(offsite::key_of(young, offsite::corrupt_file), "");
    CHECK(lacks() == Texts{young.set, other.set});
}
