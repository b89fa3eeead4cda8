// What is wrong and what is not: one row, one truth.
#include "unit/health/support.hpp"

namespace pgbakd::health {

using namespace testing;

TEST_CASE("nothing is wrong with a job that is well") {
    CHECK(found(well_job()).empty());
    CHECK(found(inputs_of({})).empty());
}

TEST_CASE("the newest good set in each place may be as old as max_age") {
    struct Row {
        const char* name;
        std::optional<std::chrono::milliseconds> max_age;
        Place place;
        std::string expected;  // behind "critical too_old shop PLACE: "; empty: nothing
    };
    const auto unseen = [](std::optional<GoodSet> newest, std::chrono::milliseconds known) {
        auto result = place("local", std::move(newest), known);
        result.looked_at = false;
        return result;
    };
    const std::vector<Row> rows{
        {"young", 26h, place("local", set_of_age(25h)), ""},
        {"just so", 26h, place("local", set_of_age(26h)), ""},
        {"older by a moment", 26h, place("local", set_of_age(26h + 1ms)),
         "the newest good set in the repository is 26 h old, 26 h is allowed"},
        {"old on a target", 26h, place("r2", set_of_age(100h)),
         "the newest good set on r2 is 4 d 4 h old, 26 h is allowed"},
        {"any age is allowed", std::nullopt, place("local", set_of_age(10000h)), ""},
        {"none, and new", 26h, place("local", std::nullopt, 26h), ""},
        {"none for too long", 26h, place("local", std::nullopt, 27h),
         "there is no good set in the repository, and has been none for 27 h; 26 h is allowed"},
        {"old, but its schedule was edited just now", 26h, place("local", set_of_age(1000h), 1h), ""},
        {"old, and the edit is long ago", 26h, place("local", set_of_age(1000h), 27h),
         "the newest good set in the repository is 41 d 16 h old, 26 h is allowed"},
        {"from the future, by a clock that was wrong", 26h, place("local", set_of_age(-5h)), ""},
        {"not looked at, young by what is known", 26h, unseen(set_of_age(25h), 1000h), ""},
        {"not looked at, old by what is known", 26h, unseen(set_of_age(27h), 1000h),
         "the newest good set in the repository that is known of is 27 h old, 26 h is allowed; it cannot be looked at "
         "now"},
        {"not looked at, and none is known", 26h, unseen(std::nullopt, 26h), ""},
        {"not looked at, and none is known for too long", 26h, unseen(std::nullopt, 27h),
         "there is no good set in the repository that is known of, and has been none for 27 h; 26 h is allowed; it "
         "cannot be looked at now"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        auto job = well_job();
        job.max_age = row.max_age;
        job.places = {row.place};
        const auto expected =
            row.expected.empty() ? Texts{} : Texts{"critical too_old shop " + row.place.name + ": " + row.expected};
        CHECK(found(job) == expected);
    }
}

TEST_CASE("a set that is too old is named, and each place is judged by itself") {
    auto job = well_job();
    job.places[1].newest = set_of_age(48h);
    const auto findings = evaluate(inputs_of({job}));
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].key.place == "r2");
    CHECK(findings[0].set == "shop/20260113_000001");
    CHECK(findings[0].hint == "pgbakctl status tells what is owed to r2, and why");
}

TEST_CASE("an edit gives time to a job that was well, and does not heal one that was not") {
    auto inputs = inputs_of({well_job()});
    inputs.open = {open(FindingKind::too_old, "shop", "local")};
    inputs.jobs[0].places = {place("local", set_of_age(1000h), 1h)};
    CHECK(found(inputs) == Texts{"warning too_old shop local: as it was"});
    inputs.jobs[0].places = {place("local", std::nullopt, 1h)};
    CHECK(found(inputs) == Texts{"warning too_old shop local: as it was"});
    inputs.jobs[0].places = {place("local", set_of_age(1h), 1h)};
    CHECK(found(inputs).empty());
}

TEST_CASE("the last run that says something decides whether the job fails") {
    struct Row {
        model::Outcome outcome;
        std::string expected;
    };
    for (const auto& row : std::vector<Row>{{model::Outcome::success, ""},
                                            {model::Outcome::warning, ""},
                                            {model::Outcome::failed, "critical run_failed shop: no space"},
                                            {model::Outcome::interrupted, "warning run_failed shop: no space"}}) {
        auto job = well_job();
        job.last_run = LastRun{row.outcome, {}, "no space", "make room"};
        CHECK(found(job) == (row.expected.empty() ? Texts{} : Texts{row.expected}));
    }
    auto job = well_job();
    job.last_run.reset();
    CHECK(found(job).empty());
    job.last_run = LastRun{model::Outcome::failed, {}, "no space", "make room"};
    CHECK(evaluate(inputs_of({job})).at(0).hint == "make room");
}

TEST_CASE("a size is compared with the middle one of the seven before") {
    using Sizes = std::vector<std::uint64_t>;
    struct Row {
        Sizes sizes;
        int change = 50;
        std::string expected;
    };
    for (const auto& row : std::vector<Row>{
             {{150, 100, 100, 100}, 50, ""},
             {{151, 100, 100, 100}, 50, "the newest set has 151 B, 51 % more than usual (100 B)"},
             {{49, 100, 100, 100}, 50, "the newest set has 49 B, 51 % less than usual (100 B)"},
             {{50, 100, 100, 100}, 50, ""},
             {{90, 100, 100, 100}, 5, "the newest set has 90 B, 10 % less than usual (100 B)"},
             {{1000, 100, 100, 100}, 1000, ""},
             // One odd set before it is not what is usual.
             {{100, 100, 100, 1, 100, 100, 9999, 100}, 50, ""},
             // Nor what lies farther back.
             {{100, 100, 100, 100, 100, 100, 100, 100, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 50, ""},
             // What is unknown, or new, is compared with nothing.
             {{}, 50, ""},
             {{100}, 50, ""},
             {{1000, 100, 100}, 50, ""},
             {{1000, 100, 100, 0}, 50, ""},
             {{0, 100, 100, 100}, 50, ""},
             {{1000, 0, 0, 0, 0}, 50, ""},
         }) {
        CAPTURE(row.sizes, row.change);
        auto job = well_job();
        job.sizes = row.sizes;
        job.size_change = row.change;
        CHECK(found(job) == (row.expected.empty() ? Texts{} : Texts{"warning size_changed shop: " + row.expected}));
    }
    auto job = well_job();
    job.sizes.front() = 7;
    CHECK(evaluate(inputs_of({job})).at(0).set == "shop/20260113_000001");
}

TEST_CASE("corrupt sets of a job are one finding in each place") {
    auto job = well_job();
    job.corrupt = {{{"shop", "20260113_000001"}, "local", "shop.dump has another checksum"},
                   {{"shop", "20260112_000001"}, "local", "shop.dump is missing"},
                   {{"shop", "20260112_000001"}, "r2", "is cut off"}};
    CHECK(found(job) ==
          Texts{"critical corrupt shop local: shop/20260113_000001 in the repository is corrupt: shop.dump "
                "has another checksum; shop/20260112_000001: shop.dump is missing",
                "critical corrupt shop r2: shop/20260112_000001 on r2 is corrupt: is cut off"});
}

TEST_CASE("a copy is owed when sending it failed, or when it is not there for long") {
    struct Row {
        Owed owed;
        std::string expected;
    };
    const model::SetId id{"shop", "20260113_000001"};
    for (const auto& row : std::vector<Row>{
             {{"r2", 1, id, now - 10min, ""}, ""},
             {{"r2", 1, id, now - 61min, ""}, "r2 lacks 1 set, the oldest for 1 h 1 min: shop/20260113_000001"},
             {{"r2", 2, id, now - 10min, "403 Forbidden"},
              "r2 lacks 2 sets, the oldest for 10 min: shop/20260113_000001; 403 Forbidden"},
             {{"r2", 0, id, now - 100h, ""}, ""},
         }) {
        auto job = well_job();
        job.owed = {row.owed};
        CHECK(found(job) == (row.expected.empty() ? Texts{} : Texts{"warning copy_owed shop r2: " + row.expected}));
    }
}

TEST_CASE("missed fires are told, until a later run is good") {
    auto inputs = inputs_of({well_job()});
    inputs.jobs[0].missed = MissedFires{3, false, "2026-01-31 02:00 CET"};
    CHECK(found(inputs) == Texts{"warning fires_missed shop: missed 3 fires, the latest at 2026-01-31 02:00 CET"});
    inputs.jobs[0].missed = MissedFires{1000, true, "2026-01-31 02:00 CET"};
    CHECK(found(inputs) ==
          Texts{"warning fires_missed shop: missed more than 1000 fires, the latest at 2026-01-31 02:00 CET"});
    inputs.jobs[0].missed.reset();
    inputs.open = {open(FindingKind::fires_missed, "shop", {}, 30min)};
    CHECK(found(inputs) == Texts{"warning fires_missed shop: as it was"});
    inputs.open = {open(FindingKind::fires_missed, "shop", {}, 2h)};  // the last success was an hour ago
    CHECK(found(inputs).empty());
    inputs.open = {open(FindingKind::fires_missed, "shop", {}, -24h)};  // by a clock ahead
    CHECK(found(inputs).empty());
    inputs.jobs[0].last_success.reset();
    CHECK(found(inputs) == Texts{"warning fires_missed shop: as it was"});
}

TEST_CASE("disks fill up") {
    struct Row {
        std::uint64_t total, available, min_free;
        Texts expected;
        std::vector<Finding> open = {};
    };
    const auto full = open(FindingKind::disk_usage, "", "/srv");
    const auto narrow = open(FindingKind::free_space, "", "/srv");
    const Texts usage{"warning disk_usage /srv: the file system of /srv is 81 % full: 190 B of 1000 B available"};
    const Texts room{
        "warning free_space /srv: /srv has 299 B available, 300 B are to be left: a run that needs more does not "
        "start"};
    for (const auto& row : std::vector<Row>{
             {1000, 200, 100, {}},
             {1000, 190, 100, usage},
             {1000, 299, 300, room},
             {1000, 300, 300, {}},
             {0, 0, 0, {}},
             // What went over a limit must come well below it.
             {1000,
              210,
              100,
              Texts{"warning disk_usage /srv: the file system of /srv is 79 % full: 210 B of 1000 B "
                    "available"},
              {full}},
             {1000, 221, 100, {}, {full}},
             {1000,
              310,
              300,
              Texts{"warning free_space /srv: /srv has 310 B available, 300 B are to be left: a run "
                    "that needs more does not start"},
              {narrow}},
             {1000, 320, 300, {}, {narrow}},
         }) {
        CAPTURE(row.total, row.available, row.min_free, row.open.size());
        auto inputs = inputs_of({});
        inputs.directories = {{"/srv", row.total, row.available, row.min_free, "/", ""}};
        inputs.open = row.open;
        CHECK(found(inputs) == row.expected);
    }
    auto inputs = inputs_of({});
    inputs.disk_usage = 100;
    inputs.directories = {{"/srv", 1000, 0, 0, "/", ""}};
    CHECK(found(inputs).empty());
    // Two directories of one disk are told once, those of two disks twice.
    inputs.disk_usage = 80;
    inputs.directories = {
        {"/srv/a", 1000, 0, 0, "/srv", ""}, {"/srv/b", 1000, 0, 0, "/srv", ""}, {"/mnt", 1000, 0, 0, "/mnt", ""}};
    CHECK(found(inputs).size() == 2);
}

TEST_CASE("a repository that the state file is not about is told, whole or by the job") {
    auto inputs = inputs_of({well_job()});
    inputs.jobs[0].other_repository = OtherRepository{"/srv/shop is another one", "is it mounted?"};
    CHECK(found(inputs) == Texts{"warning other_repository shop: /srv/shop is another one"});
    // Whose it is could not be seen: it is as it was.
    inputs.jobs[0].other_repository.reset();
    inputs.jobs[0].is_compared = false;
    inputs.is_compared = false;
    inputs.open = {open(FindingKind::other_repository, "shop"), open(FindingKind::other_repository, "")};
    CHECK(found(inputs) == Texts{"warning other_repository: as it was", "warning other_repository shop: as it was"});
    inputs.is_compared = inputs.jobs[0].is_compared = true;
    CHECK(found(inputs).empty());
    inputs.open.clear();
    inputs.other_repository = OtherRepository{"/srv is another one", "is it mounted?"};
    CHECK(found(inputs) == Texts{"warning other_repository: /srv is another one"});
    CHECK(evaluate(inputs)[0].hint == "is it mounted?");
    inputs.everything = false;
    CHECK(found(inputs).empty());
}

TEST_CASE("targets fill up") {
    struct Row {
        std::optional<target::Room> room;
        std::uint64_t last_set;
        Texts expected;
        std::vector<Finding> open = {};
    };
    const Texts usage{
        "warning disk_usage r2: the file system of target r2 (sftp://a@b/~/) is 81 % full: 190 B of 1000 B available"};
    const Texts narrow{
        "warning free_space r2: target r2 (sftp://a@b/~/) has 400 B available, and the last set of shop takes 401 B: a "
        "copy may not fit"};
    const auto full = open(FindingKind::disk_usage, "", "r2");
    const auto small = open(FindingKind::free_space, "", "r2");
    for (const auto& row : std::vector<Row>{
             {target::Room{1000, 200, ""}, 100, {}},
             {target::Room{1000, 190, ""}, 100, usage},
             {target::Room{0, 190, ""}, 100, {}},  // how large it is nobody knows
             {target::Room{1000, 400, ""}, 401, narrow},
             {target::Room{1000, 400, ""}, 400, {}},
             {target::Room{1000, 400, ""}, 0, {}},
             // It did not answer: nothing is known to be better.
             {std::nullopt,
              100,
              Texts{"warning disk_usage r2: as it was", "warning free_space r2: as it was"},
              {full, small}},
             {target::Room{1000, 900, ""}, 100, {}, {full, small}},
         }) {
        CAPTURE(row.last_set, row.open.size());
        auto inputs = inputs_of({well_job(), well_job("crm")});
        std::ranges::fill(inputs.jobs[0].sizes, row.last_set);
        inputs.jobs[1].places.pop_back();  // the large one has no copies there
        std::ranges::fill(inputs.jobs[1].sizes, 5000);
        inputs.rooms = {{.target = "r2", .place = "sftp://a@b/~/", .room = row.room}, {.target = "spare", .place = ""}};
        inputs.open = row.open;
        CHECK(found(inputs) == row.expected);
    }
    // It has become one without bounds.
    auto unbounded = inputs_of({well_job()});
    unbounded.rooms = {{.target = "r2", .place = "", .answered = true}};
    unbounded.open = {full, small};
    CHECK(found(unbounded).empty());
    // One that lies on the repository's own file system: how full that is is told once, but its copies need room too.
    auto inputs = inputs_of({well_job()});
    inputs.directories = {{"/srv/sets", 1000, 150, 0, "/srv", ""}};
    inputs.rooms = {{.target = "r2", .place = "/srv/copies", .room = target::Room{1000, 99, "/srv"}}};
    CHECK(found(inputs) ==
          Texts{"warning disk_usage /srv/sets: the file system of /srv/sets is 85 % full: 150 B of 1000 B "
                "available",
                "warning free_space r2: target r2 (/srv/copies) has 99 B available, and the last set of shop "
                "takes 100 B: a copy may not fit"});
}

TEST_CASE("a file system is told of once, whichever of its places answers") {
    const auto at = [](const std::string& name, std::optional<std::uint64_t> available) {
        TargetRoom room{.target = name, .place = "/mnt/" + name};
        if (available) room.room = target::Room{1000, *available, "/mnt"};
        room.answered = available.has_value();
        room.file_system = "/mnt";
        return room;
    };
    const auto full = open(FindingKind::disk_usage, "", "a");
    const auto usage = [](const std::string& key, const std::string& name) {
        return Texts{
            fmt::format("warning disk_usage {}: the file system of target {} (/mnt/{}) is 90 % full: 100 B of "
                        "1000 B available",
                        key, name, name)};
    };
    struct Row {
        std::vector<TargetRoom> rooms;
        std::vector<Finding> open;
        Texts expected;
    };
    for (const auto& row : std::vector<Row>{
             {{at("a", 100), at("b", 100)}, {}, usage("a", "a")},
             {{at("a", {}), at("b", 100)}, {}, usage("b", "b")},
             // It stays the finding that it was, whoever tells of it.
             {{at("a", {}), at("b", 100)}, {full}, usage("a", "b")},
             {{at("a", 100), at("b", 100)}, {open(FindingKind::disk_usage, "", "b")}, usage("b", "a")},
             // The one that answers says that there is room again.
             {{at("a", {}), at("b", 900)}, {full}, {}},
             {{at("a", {}), at("b", {})}, {full}, {"warning disk_usage a: as it was"}},
         }) {
        auto inputs = inputs_of({well_job()});
        inputs.jobs[0].sizes.clear();
        inputs.rooms = row.rooms;
        inputs.open = row.open;
        CHECK(found(inputs) == row.expected);
    }
    // Where the one that is silent lies was never told: both may be full.
    auto inputs = inputs_of({});
    inputs.rooms = {at("a", {}), at("b", 100)};
    inputs.rooms[0].file_system.clear();
    inputs.open = {full};
    CHECK(found(inputs).size() == 2);
}

TEST_CASE("what could not be looked at is told, and closes nothing") {
    auto inputs = inputs_of({well_job()});
    inputs.directories = {{"/srv", 0, 0, 0, "", "no permission to look at /srv"}};
    inputs.unseen = {{"/repository", "an I/O error", "see dmesg"}, {"/repository", "an I/O error", "see dmesg"}};
    inputs.jobs[0].places[0] = {"local", false, std::nullopt, now - 1h};
    inputs.open = {open(FindingKind::disk_usage, "", "/srv"), open(FindingKind::free_space, "", "/srv"),
                   open(FindingKind::too_old, "shop", "local"), open(FindingKind::too_old, "shop", "r2")};
    CHECK(found(inputs) == Texts{"warning too_old shop local: as it was", "warning disk_usage /srv: as it was",
                                 "warning free_space /srv: as it was",
                                 "critical check_incomplete /repository: an I/O error",
                                 "warning check_incomplete /srv: no permission to look at /srv"});
}

TEST_CASE("sets that cannot be looked at are a finding of their job, and of the repository where it is that") {
    auto inputs = inputs_of({well_job()});
    auto& local = inputs.jobs[0].places[0];
    local.looked_at = false;
    local.problem = "opening /repository/shop: Permission denied";
    inputs.everything = false;
    CHECK(found(inputs) == Texts{"critical check_incomplete shop local: opening /repository/shop: Permission denied"});
    CHECK_FALSE(evaluate(inputs).at(0).hint.empty());
    inputs.everything = true;
    CHECK(next_change(inputs) == now + 25h + 1ms);
    // What is worse stands, where its room is not known either.
    local.problem.clear();
    inputs.unseen = {{"/repository", "an I/O error", ""}};
    inputs.directories = {{"/repository", 0, 0, 0, "", "an I/O error"}};
    CHECK(found(inputs) == Texts{"critical check_incomplete /repository: an I/O error"});
    CHECK_FALSE(evaluate(inputs).at(0).hint.empty());
}

TEST_CASE("a look at one job says nothing of the others, nor of the rest") {
    auto inputs = inputs_of({well_job("shop")});
    inputs.open = {open(FindingKind::too_old, "shop", "local"), open(FindingKind::too_old, "crm", "local"),
                   open(FindingKind::disk_usage, "", "/srv"), open(FindingKind::channel_failing, "", "ops")};
    inputs.everything = false;
    CHECK(found(inputs) == Texts{"warning too_old crm local: as it was", "warning disk_usage /srv: as it was",
                                 "warning channel_failing ops: as it was"});
    inputs.everything = true;  // then crm is configured no more
    CHECK(found(inputs).empty());
}

TEST_CASE("a channel that fails is told when it lasts") {
    struct Row {
        Channel channel;
        std::string expected;
    };
    for (const auto& row : std::vector<Row>{
             {{"ops", 1, now - 5h, 0, ""}, ""},
             {{"ops", 1, now - 1min, 1, "503"}, ""},
             {{"ops", 1, now - 11min, 1, "503"}, "1 alert waits for ops, the oldest for 11 min: 503"},
             {{"ops", 12, now - 2min, 3, "503"}, "12 alerts wait for ops, the oldest for 2 min: 503"},
             {{"ops", 0, {}, 3, "503"}, ""},
             {{"ops", 0, {}, 0, "", "status 400"}, "alerts for ops are lost: status 400"},
             {{"ops", 1, now - 1min, 1, "503", "status 400"}, "alerts for ops are lost: status 400"},
             {{"ops", 1, now - 1min, 3, "503", "status 400"}, "1 alert waits for ops, the oldest for 1 min: 503"},
             {{"ops", 1, now + 5h, 3, "503"}, "1 alert waits for ops, the oldest for 0 ms: 503"},
         }) {
        auto inputs = inputs_of({});
        inputs.channels = {row.channel};
        CHECK(found(inputs) ==
              (row.expected.empty() ? Texts{} : Texts{"warning channel_failing ops: " + row.expected}));
    }
}

TEST_CASE("a refused reload is told until the configuration on disk is the one in force") {
    auto inputs = inputs_of({});
    inputs.refused_reload = RefusedReload{3, "/etc/pgbakd.yaml:1:1: x: unknown key"};
    CHECK(found(inputs) == Texts{"warning reload_refused: the configuration on disk is refused, the one before is in "
                                 "force: /etc/pgbakd.yaml:1:1: x: unknown key (and 2 problems more)"});
}

TEST_CASE("it is known when a set will be too old") {
    CHECK_FALSE(next_change(inputs_of({})));
    CHECK(next_change(inputs_of({well_job()})) == now + 25h + 1ms);
    auto job = well_job();
    job.places[1].newest = set_of_age(25h);
    job.places.push_back(place("nas", set_of_age(100h)));  // is so already
    CHECK(next_change(inputs_of({well_job(), job})) == now + 1h + 1ms);
    auto then = inputs_of({job});
    then.now = *next_change(then);
    CHECK(evaluate(then).size() == 2);
    then.now -= 1ms;
    CHECK(evaluate(then).size() == 1);
    job.max_age.reset();
    CHECK_FALSE(next_change(inputs_of({job})));
}

}  // namespace pgbakd::health
