#include "offsite/send_set.hpp"

#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using offsite::Assured;
using offsite::Way;
using target::Assurance;

namespace {

constexpr std::string_view january = "2026-01-13T00:00:01Z";

std::vector<std::string> files_in_order(const Bench& bench, const model::SetId& id) {
    std::vector<std::string> keys;
    const auto artifacts = bench.place.repository.find(id).manifest.artifacts;
    for (const auto& artifact : artifacts) keys.push_back(offsite::key_of(id, artifact.file));
    for (const auto& artifact : artifacts) keys.push_back(offsite::key_of(id, artifact.file + ".sha256"));
    keys.push_back(offsite::key_of(id, "manifest.json"));
    return keys;
}

}  // namespace

TEST_CASE("a set arrives with all its files, the manifest last") {
    Bench bench;
    const auto id = bench.add_set(january);
    Way way;
    CHECK(bench.send(id, way) == Assured::checksum);
    CHECK(bench.objects_there() == bench.objects_of(id));
    CHECK(bench.target.finished == files_in_order(bench, id));
    CHECK(way.sent.size() == 2);
    CHECK(way.begun);
    CHECK(way.unfinished.empty());
    CHECK(way.checkpoint.empty());
    // Once more: it is complete.
    Way again;
    bench.target.calls.clear();
    CHECK(bench.send(id, again) == Assured::read_back);
    // It is looked at, parts of each artifact are read, and nothing is sent.
    for (const auto& call : bench.target.calls) CHECK_FALSE(call.starts_with("put"));
    CHECK(bench.target.calls.size() < 10);
    CHECK(bench.target.finished == files_in_order(bench, id));
    CHECK_FALSE(again.begun);
}

TEST_CASE("a set is as well assured as the least of its artifacts") {
    for (const auto assurance : {Assurance::none, Assurance::size}) {
        Bench bench;
        bench.target.assurance = assurance;
        const auto id = bench.add_set(january);
        Way way;
        CHECK(bench.send(id, way) == Assured::read_back);
    }
    Bench bench;
    const auto id = bench.add_set(january);
    Way way;
    way.sent[bench.place.repository.find(id).manifest.artifacts[0].file] = Assured::read_back;
    bench.put_there(id);
    bench.target.objects.erase(offsite::key_of(id, "manifest.json"));
    CHECK(bench.send(id, way) == Assured::read_back);
}

TEST_CASE("whichever call fails, there is never a manifest without what it names, and a second attempt completes it") {
    const auto count = [] {
        Bench bench;
        bench.target.assurance = Assurance::none;
        Way way;
        bench.send(bench.add_set(january), way);
        return bench.target.calls.size();
    }();
    REQUIRE(count > 15);
    struct Kind {
        bool answer_lost, shows_halves, resumable, same_way;
    };
    for (const auto& kind :
         {Kind{false, false, false, true}, Kind{false, false, true, true}, Kind{true, false, false, true},
          Kind{false, true, false, true}, Kind{false, false, true, false}, Kind{true, false, true, false},
          Kind{false, true, false, false}}) {
        for (std::size_t call = 1; call <= count; ++call) {
            Bench bench;
            bench.target.assurance = Assurance::none;
            bench.target.answer_lost = kind.answer_lost;
            bench.target.shows_halves = kind.shows_halves;
            bench.target.resumable = kind.resumable;
            bench.target.fail_at = call;
            const auto id = bench.add_set(january);
            Way way;
            const auto error = error_of([&] { bench.send(id, way); });
            const auto failed = bench.target.calls.back();
            CAPTURE(call, failed, kind.answer_lost, kind.shows_halves, kind.resumable, kind.same_way);
            CHECK(error.code() == ErrorCode::unreachable);
            const bool half_manifest =
                kind.shows_halves && failed.ends_with("finish " + offsite::key_of(id, "manifest.json"));
            if (!half_manifest) check_no_half_set(bench, id);
            bench.target.fail_at = 0;
            // A daemon that starts anew knows only that it owes the set and had begun.
            Way next;
            next.begun = way.begun;
            next.unfinished = way.unfinished;
            next.checkpoint = way.checkpoint;
            bench.send(id, kind.same_way ? way : next);
            CHECK(bench.objects_there() == bench.objects_of(id));
            CHECK(bench.target.open_uploads == 0);
            CHECK(bench.target.unfinished.empty());
        }
    }
}

TEST_CASE("another set of that name is told, and nothing of it is overwritten") {
    const auto expect_taken = [](Bench& bench, const model::SetId& id, bool half) {
        const auto before = bench.objects_there();
        Way way;
        // However often it is tried.
        for (int attempt = 0; attempt < 3; ++attempt) {
            const auto error = error_of([&] { bench.send(id, way); });
            CHECK(error.code() == ErrorCode::conflict);
            CHECK(error.message() ==
                  (half ? "half a set named " + id.text() + " that this copy did not begin is in memory:backups"
                        : "another set named " + id.text() + " is in memory:backups already"));
            CHECK(error.hint().starts_with("what a run that was killed has left there") == half);
            CHECK(error.hint().ends_with(
                "two hosts with a job of the same name need a prefix or a path each; nothing was overwritten"));
            CHECK(bench.objects_there() == before);
            CHECK(bench.target.open_uploads == 0);
            CHECK_FALSE(way.begun);
        }
    };
    SECTION("complete") {
        Bench bench;
        const auto id = bench.add_set(january);
        bench.put_there(id);
        bench.target.objects[offsite::key_of(id, "manifest.json")].content += " ";
        expect_taken(bench, id, false);
    }
    SECTION("still on its way") {
        Bench bench;
        const auto id = bench.add_set(january);
        bench.target.add(files_in_order(bench, id).front(), noise(3000));
        expect_taken(bench, id, true);
    }
    SECTION("still on its way, found out at the end of an upload") {
        Bench bench;
        bench.target.refuses_late = true;
        const auto id = bench.add_set(january);
        bench.target.add(files_in_order(bench, id).front(), noise(3000));
        expect_taken(bench, id, true);
    }
    SECTION("its manifest comes while ours is sent") {
        Bench bench;
        const auto id = bench.add_set(january);
        const auto manifest = offsite::key_of(id, "manifest.json");
        bench.target.on_call = [&](const std::string& call) {
            if (call == "put " + manifest) bench.target.add(manifest, "{}");
        };
        Way way;
        CHECK(error_of([&] { bench.send(id, way); }).message().starts_with("another set named"));
        CHECK(bench.target.objects.at(manifest).content == "{}");
    }
}

TEST_CASE("a file of another host is not replaced, though what went before it is ours") {
    for (const bool late : {false, true})
        for (const bool tried : {false, true}) {
            Bench bench;
            bench.target.refuses_late = late;
            const auto id = bench.add_set(january);
            const auto files = files_in_order(bench, id);
            const auto second = bench.place.repository.find(id).manifest.artifacts[1].file;
            bench.target.on_call = [&](const std::string& call) {
                if (call != "put " + files[1] || bench.target.objects.contains(files[1])) return;
                bench.target.add(files[1], noise(3000));
                bench.target.add(files.back(), "{}");
            };
            Way way;
            // Even where we cannot know what became of an attempt of ours: a manifest speaks for what is there.
            if (tried) way.trying.insert(second);
            CAPTURE(late, tried);
            for (int attempt = 0; attempt < 2; ++attempt)
                CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::conflict);
            CHECK(bench.target.objects.at(files[1]).content == noise(3000));
            CHECK(bench.target.objects.at(files.back()).content == "{}");
            CHECK_FALSE(way.placed.contains(second));
        }
}

TEST_CASE("what an earlier attempt has put there is replaced by the dump that was made anew") {
    Bench bench;
    const auto id = bench.add_set(january);
    const auto whole = bench.objects_of(id);
    const auto first = files_in_order(bench, id).front();
    bench.target.add(first, noise(3000));
    Way way;
    way.begun = true;
    way.placed.insert(bench.place.repository.find(id).manifest.artifacts[0].file);
    bench.send(id, way);
    CHECK(bench.objects_there() == whole);
}

TEST_CASE("an artifact that arrived wrong is taken back, and the next attempt sends it") {
    Bench bench;
    bench.target.assurance = Assurance::size;
    const auto id = bench.add_set(january);
    const auto first = files_in_order(bench, id).front();
    bench.target.spoil = [](std::string& content) { content.assign(content.size(), '\0'); };
    Way way;
    std::vector<std::set<std::string>> told;  // what a crash would have left noted
    way.on_change = [&] {
        auto names = way.trying;
        names.insert(way.placed.begin(), way.placed.end());
        told.push_back(std::move(names));
    };
    const auto name = bench.place.repository.find(id).manifest.artifacts[0].file;
    SECTION("at once") {
        CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::corrupt);
        CHECK(bench.target.removed == std::vector<std::string>{first});
        CHECK(bench.target.objects.empty());
        CHECK(way.placed.empty());
        CHECK(told.back().empty());
    }
    SECTION("by the next attempt, where the target does not let it") {
        bench.target.retains = [](const std::string&) { return true; };
        CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::corrupt);
        CHECK(told.back() == std::set<std::string>{name});
        // As after a crash.
        Way next;
        next.begun = true;
        next.trying = told.back();
        way = next;
    }
    bench.target.spoil = nullptr;
    bench.send(id, way);
    CHECK(bench.objects_there() == bench.objects_of(id));
}

TEST_CASE("what a target itself finds to be wrong once it is there is taken back too") {
    Bench bench;
    bench.target.looks_after = true;
    const auto id = bench.add_set(january);
    const auto first = files_in_order(bench, id).front();
    bench.target.spoil = [](std::string& content) { content.pop_back(); };
    Way way;
    CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::corrupt);
    CHECK(bench.target.removed == std::vector<std::string>{first});
    CHECK(bench.target.objects.empty());
    CHECK(way.tried().empty());
    bench.target.spoil = nullptr;
    bench.send(id, way);
    CHECK(bench.objects_there() == bench.objects_of(id));
}

TEST_CASE("what arrived wrong is left alone once there is a manifest") {
    Bench bench;
    bench.target.assurance = Assurance::size;
    const auto id = bench.add_set(january);
    const auto files = files_in_order(bench, id);
    bench.target.spoil = [&](std::string& content) {
        content.assign(content.size(), '\0');
        bench.target.add(files.back(), "{}");
    };
    Way way;
    CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::corrupt);
    CHECK(bench.target.removed.empty());
    CHECK(bench.target.objects.size() == 2);
}

TEST_CASE("half of an earlier attempt of ours is replaced") {
    Bench bench;
    const auto id = bench.add_set(january);
    const auto whole = bench.objects_of(id);
    const auto first = files_in_order(bench, id).front();
    bench.target.add(first, whole.at(first).substr(0, 10));
    Way way;
    way.begun = true;
    CHECK(bench.send(id, way) == Assured::checksum);
    CHECK(bench.objects_there() == whole);
}

TEST_CASE("half of a manifest of ours is replaced, and not taken for another set's") {
    Bench bench;
    const auto id = bench.add_set(january);
    const auto manifest = offsite::key_of(id, "manifest.json");
    for (const std::size_t length : {0, 100}) {
        bench.target.objects.clear();
        bench.target.add(manifest, bench.objects_of(id).at(manifest).substr(0, length));
        Way way;
        way.begun = true;
        bench.send(id, way);
        CHECK(bench.objects_there() == bench.objects_of(id));
    }
}

TEST_CASE("what one artifact was found to be is not asked again") {
    Bench bench;
    bench.target.assurance = Assurance::none;
    const auto id = bench.add_set(january);
    const auto keys = files_in_order(bench, id);
    Way way;
    bench.target.on_call = [&](const std::string& call) {
        if (call == "put " + keys[1]) bench.target.fail_at = bench.target.calls.size();
    };
    CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::unreachable);
    CHECK(way.sent.size() == 1);
    bench.target.on_call = {};
    bench.target.calls.clear();
    bench.target.fail_at = 0;
    bench.send(id, way);
    CHECK(std::count(bench.target.calls.begin(), bench.target.calls.end(), "put " + keys[0]) == 0);
    CHECK(bench.objects_there() == bench.objects_of(id));
}

TEST_CASE("where an upload broke off is told, and the next attempt takes it up there") {
    Bench bench;
    bench.target.resumable = true;
    Way way;
    std::vector<std::string> told;
    way.on_change = [&] { told.push_back(way.unfinished + " " + way.checkpoint); };
    const model::SetId id{"shop", "20260113_000001"};
    const auto content = noise(std::size_t{3} << 20U);
    const auto file = bench.whole("a.dump", content);
    bench.target.fail_at = 4;  // the third write
    CHECK(error_of([&] { bench.run(offsite::send_artifact(bench.means(), id, file, way, {})); }).code() ==
          ErrorCode::unreachable);
    CHECK(way.unfinished == "a.dump");
    CHECK(way.checkpoint == "shop/20260113_000001/a.dump@2097152");
    CHECK(told.back() == "a.dump shop/20260113_000001/a.dump@2097152");
    bench.target.calls.clear();
    bench.target.fail_at = 0;
    // Another file does not go on from there, and does not make it forgotten.
    bench.target.resumable = false;
    bench.run(offsite::send_artifact(bench.means(), id, bench.whole("b.dump", "b"), way, {}));
    CHECK(way.unfinished == "a.dump");
    CHECK(bench.target.unfinished.size() == 1);
    bench.target.resumable = true;
    bench.target.calls.clear();
    bench.run(offsite::send_artifact(bench.means(), id, file, way, {}));
    CHECK(std::count(bench.target.calls.begin(), bench.target.calls.end(), "write shop/20260113_000001/a.dump") == 1);
    CHECK(bench.target.objects.at("shop/20260113_000001/a.dump").content == content);
    CHECK(way.unfinished.empty());
    CHECK(way.checkpoint.empty());
}

TEST_CASE("a local set that lacks a file says so, and no manifest comes of it") {
    Bench bench;
    const auto id = bench.add_set(january);
    const auto set = bench.place.repository.find(id);
    const auto send = [&] {
        Way way;
        bench.run(offsite::send_set(bench.means(), bench.io.get_executor(), set.directory, set.manifest, way, {}));
    };
    const auto sidecar = set.directory / (set.manifest.artifacts[1].file + ".sha256");
    std::filesystem::remove(sidecar);
    CHECK(error_of(send).code() == ErrorCode::not_found);
    const auto artifact = set.directory / set.manifest.artifacts[1].file;
    std::filesystem::remove(artifact);
    bench.target.objects.clear();
    const auto error = error_of(send);
    CHECK(error.code() == ErrorCode::not_found);
    CHECK(error.message() == artifact.native() + " is not there");
    CHECK(error.hint() == "pgbakctl verify tells what else of the set is missing");
    CHECK_FALSE(bench.target.objects.contains(offsite::key_of(id, "manifest.json")));
}

TEST_CASE("an artifact that went or changed before the manifest makes no half set, and is sent again") {
    for (const bool gone : {true, false}) {
        CAPTURE(gone);
        Bench bench;
        const auto id = bench.add_set(january);
        const auto first = files_in_order(bench, id).front();
        bench.target.on_call = [&](const std::string& call) {
            if (!call.ends_with(".sha256")) return;
            if (gone)
                bench.target.objects.erase(first);
            else
                bench.target.objects[first].content = "short";
        };
        Way way;
        const auto error = error_of([&] { (void)bench.send(id, way); });
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK(error.is_passing());
        CHECK(error.message().ends_with(gone ? "was sent, and is gone now" : "was sent, and is 5 bytes long now"));
        CHECK_FALSE(bench.target.objects.contains(offsite::key_of(id, model::manifest_file)));
        bench.target.on_call = {};
        (void)bench.send(id, way);
        CHECK(bench.objects_there() == bench.objects_of(id));
    }
}

// As after a server that fell when all had been sent, its last answer lost.
TEST_CASE("a manifest that is there stands for nothing that is not, and what is amiss is sent again") {
    struct Row {
        std::string name;
        std::string object;  // of the set
        std::function<void(Bench&, const std::string& key)> change;
        std::size_t sent;  // objects
    };
    const auto change = [](const auto& edit) {
        return [edit](Bench& bench, const std::string& key) { edit(bench.target.objects.at(key).content); };
    };
    const std::string artifact = "shop_20260113_000001.sql.gz";
    for (const auto& row :
         {Row{"nothing is amiss", artifact, [](Bench&, const std::string&) {}, 0},
          Row{"an artifact is gone", artifact,
              [](Bench&bench, const std::string&key) { bench.target.objects.erase(key); }, 1},
          Row{"it is empty", artifact, change([](std::string&text) { text.clear(); }), 1},
          Row{"it is longer", artifact, change([](std::string&text) { text += "x"; }), 1},
          Row{"it has other bytes", artifact, change([](std::string&text) { text.assign(text.size(), '\0'); }), 1},
          Row{"a sidecar is gone", artifact + ".sha256",
              [](Bench&bench, const std::string&key) { bench.target.objects.erase(key); }, 2},
          Row{"a sidecar is empty", artifact + ".sha256", change([](std::string&text) { text.clear(); }), 2},
          Row{"a check found it corrupt", artifact,
              [](Bench&bench, const std::string&) { bench.target.add("shop/20260113_000001/corrupt", "{}"); }, 2}}) {
        for (const bool begun : {true, false}) {
            CAPTURE(row.name, begun);
            Bench bench;
            const auto id = bench.add_set(january);
            bench.put_there(id);
            row.change(bench, offsite::key_of(id, row.object));
            Way way;
            way.begun = begun;
            (void)bench.send(id, way);
            CHECK(bench.objects_there() == bench.objects_of(id));
            CHECK(bench.target.finished.size() == row.sent);
            CHECK(bench.target.removed.size() == (row.name.starts_with("a check") ? 1U : 0U));
        }
    }
}

TEST_CASE("a set that is not whole there is not taken for sent, whatever fails while it is mended") {
    const auto spoil = [](Bench& bench, const model::SetId& id) {
        bench.put_there(id);
        for (auto& [key, object] : bench.target.objects)
            if (key.ends_with(".gz")) object.content.clear();
    };
    const auto count = [&] {
        Bench bench;
        const auto id = bench.add_set(january);
        spoil(bench, id);
        Way way;
        bench.send(id, way);
        return bench.target.calls.size();
    }();
    for (std::size_t call = 1; call <= count; ++call) {
        CAPTURE(call);
        Bench bench;
        const auto id = bench.add_set(january);
        spoil(bench, id);
        bench.target.fail_at = call;
        Way way;
        CHECK(error_of([&] { bench.send(id, way); }).code() == ErrorCode::unreachable);
        CHECK(bench.target.removed.empty());
        bench.target.fail_at = 0;
        Way next;
        next.begun = way.begun;
        next.trying = way.tried();
        bench.send(id, next);
        CHECK(bench.objects_there() == bench.objects_of(id));
    }
    // And where the place never keeps it.
    Bench bench;
    const auto id = bench.add_set(january);
    spoil(bench, id);
    bench.target.spoil = [](std::string& content) { content.clear(); };
    Way way;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto error = error_of([&] { bench.send(id, way); });
        CHECK(error.code() == ErrorCode::corrupt);
        CHECK(error.is_passing());
    }
}

TEST_CASE("a checksum file that is not there as it was sent makes no half set either, and is sent again") {
    for (const bool gone : {true, false}) {
        CAPTURE(gone);
        Bench bench;
        const auto id = bench.add_set(january);
        const auto first = files_in_order(bench, id).front() + ".sha256";
        bench.target.on_call = [&](const std::string& call) {
            if (!call.starts_with("list")) return;
            if (gone)
                bench.target.objects.erase(first);
            else
                bench.target.objects[first].content = "short";
        };
        Way way;
        const auto error = error_of([&] { (void)bench.send(id, way); });
        CHECK(error.is_passing());
        CHECK(error.message().ends_with(gone ? ".sha256 was sent, and is gone now"
                                             : ".sha256 was sent, and is 5 bytes long now"));
        CHECK_FALSE(bench.target.objects.contains(offsite::key_of(id, model::manifest_file)));
        bench.target.on_call = {};
        (void)bench.send(id, way);
        CHECK(bench.objects_there() == bench.objects_of(id));
    }
}

TEST_CASE("a stop ends the sending with its reason, and leaves no manifest") {
    Bench bench;
    const auto id = bench.add_set(january);
    async::StopSource source;
    bench.target.on_call = [&](const std::string& call) {
        if (call.starts_with("finish")) source.stop({ErrorCode::interrupted, "the daemon stops"});
    };
    Way way;
    CHECK(error_of([&] { bench.send(id, way, source.token()); }).code() == ErrorCode::interrupted);
    check_no_half_set(bench, id);
}

namespace {

// A set of `count` artifacts beside each other on the disk, as send_set() finds it; the one at `large` is not short.
model::BackupSet add_many(Bench& bench, std::size_t count, std::size_t large) {
    model::BackupSet set;
    set.id = {"shop", "20260113_000001"};
    set.started_at = set.finished_at = base::Timestamp(std::chrono::seconds(1768262401));
    set.run = base::RunId::make(set.started_at, {});
    for (std::size_t i = 0; i < count; ++i) {
        const auto content = noise(i == large ? 3 << 20U : 3000 + i, static_cast<std::uint32_t>(i + 1));
        const auto name = "db" + std::to_string(i) + ".dump";
        set.artifacts.push_back(artifact(name, "database", content));
        bench.file(name, content);
        bench.file(name + ".sha256", set.artifacts.back().sha256 + "  " + name + "\n");
    }
    bench.file("manifest.json", model::to_manifest(set));
    return set;
}

// The most uploads that were open at one time, by the calls of the target.
struct Watch {
    explicit Watch(Bench& bench) {
        bench.target.on_call = [this, &bench](const std::string&) { most = std::max(most, bench.target.open_uploads); };
    }
    int most = 0;
};

}  // namespace

TEST_CASE("short artifacts go as many at a time as the target is good for, and the manifest is still the last") {
    for (const std::size_t at_once : {1, 3}) {
        Bench bench;
        bench.target.at_once = at_once;
        const Watch watch(bench);
        const auto set = add_many(bench, 9, 5);
        Way way;
        CHECK(bench.run(offsite::send_set(bench.means(), bench.io.get_executor(), bench.directory.path(), set, way,
                                          {})) == Assured::checksum);
        CHECK(bench.target.objects.size() == 19);
        CHECK(bench.target.finished.front() == "shop/20260113_000001/db0.dump");
        CHECK(bench.target.finished.back() == "shop/20260113_000001/manifest.json");
        CHECK(way.sent.size() == 9);
        CHECK(way.trying.empty());
        // How many meet depends on the machine; that they may is shown by the tests of async::for_each().
        CHECK(watch.most >= 1);
        CHECK(watch.most <= static_cast<int>(at_once));
    }
}

TEST_CASE(
    "of artifacts that go several at a time one fails: no manifest comes of it, and another attempt sends the rest") {
    const auto count = [] {
        Bench bench;
        bench.target.at_once = 3;
        const auto set = add_many(bench, 6, 6);
        Way way;
        bench.run(offsite::send_set(bench.means(), bench.io.get_executor(), bench.directory.path(), set, way, {}));
        return bench.target.calls.size();
    }();
    for (std::size_t call = 1; call <= count; ++call) {
        Bench bench;
        bench.target.at_once = 3;
        bench.target.fail_at = call;
        const auto set = add_many(bench, 6, 6);
        const auto send = [&](Way& way) {
            return bench.run(
                offsite::send_set(bench.means(), bench.io.get_executor(), bench.directory.path(), set, way, {}));
        };
        Way way;
        CAPTURE(call);
        CHECK(error_of([&] { send(way); }).code() == ErrorCode::unreachable);
        CHECK(bench.target.open_uploads == 0);
        CHECK_FALSE(bench.target.objects.contains("shop/20260113_000001/manifest.json"));
        send(way);
        CHECK(bench.target.objects.size() == 13);
        CHECK(bench.target.finished.back() == "shop/20260113_000001/manifest.json");
    }
}

TEST_CASE("another set's first artifact keeps all others from being sent, however many go at a time") {
    Bench bench;
    bench.target.at_once = 3;
    bench.target.refuses_late = true;
    const auto set = add_many(bench, 6, 6);
    for (const auto* name : {"db0.dump", "db1.dump", "db2.dump"})
        bench.target.add("shop/20260113_000001/" + std::string(name), "another's" + noise(100));
    const auto before = bench.objects_there();
    Way way;
    CHECK(error_of([&] {
              bench.run(
                  offsite::send_set(bench.means(), bench.io.get_executor(), bench.directory.path(), set, way, {}));
          }).code() == ErrorCode::conflict);
    CHECK(bench.objects_there() == before);
}

TEST_CASE("a set whose artifact is not as its manifest says does not come to be, and what it is is told") {
    struct Row {
        std::string_view name;
        std::function<void(std::string&)> spoil;
        std::string what;
    };
    for (const auto& row : {Row{"a bit", [](std::string& text) { text[text.size() / 2] ^= 1; },
                                " reads otherwise than it was written: its SHA-256 is another one"},
                            Row{"its end", [](std::string& text) { text.pop_back(); }, " bytes instead of "}}) {
        for (const bool there : {false, true}) {
            CAPTURE(row.name, there);
            Bench bench;
            const auto id = bench.add_set(january);
            const auto set = bench.place.repository.find(id);
            const auto path = set.directory / set.manifest.artifacts[1].file;
            auto text = contents(path);
            row.spoil(text);
            write(path, text);
            Way way;
            // An earlier attempt of ours had sent it, and it was half of it or just as bad.
            way.begun = there;
            if (there) bench.target.add(offsite::key_of(id, path.filename().native()), "half");
            way.unfinished = path.filename().native();
            way.checkpoint = "x";
            const auto error = error_of([&] {
                bench.run(
                    offsite::send_set(bench.means(), bench.io.get_executor(), set.directory, set.manifest, way, {}));
            });
            CHECK(error.code() == ErrorCode::corrupt);
            CHECK_FALSE(error.is_passing());
            CHECK(error.message().starts_with(path.filename().native()));
            CHECK(error.message().find(row.what) != std::string::npos);
            CHECK(error.hint() == "pgbakctl verify " + id.text());
            CHECK(way.corrupt == error.message());
            CHECK(way.unfinished.empty());
            CHECK(way.checkpoint.empty());
            CHECK_FALSE(bench.target.objects.contains(offsite::key_of(id, "manifest.json")));
            CHECK(bench.target.open_uploads == 0);
        }
    }
}

TEST_CASE("the pin of a set goes where the set goes, also to where it had come without our knowing") {
    Bench bench;
    const auto id = bench.add_set(january);
    bench.place.repository.pin(id, true);
    const auto pin = offsite::key_of(id, offsite::pin_file);
    Way way;
    bench.send(id, way);
    CHECK(bench.target.objects.at(pin).content == "pinned\n");
    CHECK(bench.target.finished.back() == pin);  // a set has it that is one
    bench.target.objects.erase(pin);
    Way again;
    bench.send(id, again);
    CHECK(bench.target.objects.contains(pin));
    bench.place.repository.pin(id, false);
    bench.target.objects.erase(pin);
    bench.send(id, again);
    CHECK_FALSE(bench.target.objects.contains(pin));
}
