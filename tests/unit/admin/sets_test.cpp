// list, show, verify, prune, pin, rescan, runs: on a repository of real sets.
#include "catalog/catalog.hpp"
#include "support.hpp"
#include "support/unreadable_file.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

namespace {

// Three sets of shop-daily (one older than its 7 days), one of a job that is no longer configured.
struct Stocked : Machine {
    Stocked() {
        oldest = add_set("shop-daily", "2026-01-02T01:00:00Z");
        middle = add_set("shop-daily", "2026-01-18T01:00:00Z");
        newest = add_set("shop-daily", "2026-01-19T01:00:00Z");
        orphan = add_set("retired", "2025-06-01T00:00:00Z", "ledger");
    }
    std::string oldest, middle, newest, orphan;

    std::filesystem::path artifact(const std::string& set) const {
        for (const auto& entry : std::filesystem::directory_iterator(path_of(set)))
            if (entry.path().extension() == ".gz") return entry.path();
        throw std::runtime_error("no artifact in " + set);
    }
    void flip_byte(const std::string& set) const {
        std::fstream file(artifact(set), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(30);
        const auto byte = static_cast<char>(file.peek() ^ 0x55);
        file.seekp(30);
        file.put(byte);
    }
};

std::vector<std::string> names(const boost::json::array& list) {
    std::vector<std::string> result;
    for (const auto& each : list) result.emplace_back(each.at("set").as_string());
    return result;
}

}  // namespace

TEST_CASE("list --json: newest first, each with its reason") {
    Stocked machine;
    const auto ran = machine.run({"--json", "list"});
    CHECK(ran.exit == 0);
    const auto sets = ran.json().at("sets").as_array();
    CHECK(names(sets) == std::vector{machine.newest, machine.middle, machine.oldest, machine.orphan});
    const auto& newest = sets[0].as_object();
    for (const auto* key : {"set", "job", "started_at", "size_bytes", "verified", "proof", "milestone", "pinned",
                            "artifacts", "copies", "keep_reason"})
        CHECK(newest.contains(key));
    CHECK(text(newest.at("verified")) == "decoded");
    CHECK(text(newest.at("proof")) == "unproven");
    CHECK(newest.at("pinned") == false);
    CHECK(newest.at("keep") == true);
    CHECK(boost::json::serialize(newest.at("copies")) == R"([{"place":"local","complete":true}])");
    CHECK(sets[2].at("keep") == false);
    CHECK(text(sets[3].at("keep_reason")) == "its job is not in the configuration: nothing deletes it");
}

TEST_CASE("list for people: grouped by job, in the job's zone, faults first") {
    Stocked machine;
    machine.add_set("shop-daily", "2026-01-19T03:00:00Z", "shop", false);
    std::filesystem::resize_file(machine.artifact(machine.middle), 10);
    const auto out = machine.run({"list"}).out;
    INFO(out);
    CHECK(out.starts_with("SET "));
    CHECK(contains(out, "shop-daily/20260119_010000  2026-01-19 02:00 CET"));
    CHECK(contains(out, "incomplete: without stock; "));
    CHECK(contains(out, "corrupt: shop_20260118_010000.sql.gz has a size of 10"));
    CHECK(contains(out, "next prune deletes it: older than 7 days"));
    CHECK(out.find("retired/") > out.find(machine.oldest));
    CHECK(contains(out, "5 sets, "));
}

TEST_CASE("list by job and by database: the sets of both, each once") {
    Stocked machine;
    CHECK(names(machine.run({"--json", "list", "shop-daily"}).json().at("sets").as_array()).size() == 3);
    CHECK(names(machine.run({"--json", "list", "ledger"}).json().at("sets").as_array()) == std::vector{machine.orphan});
    CHECK(machine.run({"list", "all"}).out == "no backup sets\n");
    const auto ran = machine.run({"list", "legder"});
    CHECK(ran.exit == 6);
    CHECK(contains(ran.err, "did you mean ledger?"));
    CHECK(machine.run({"list", "../etc"}).exit == 6);
    // A job that is named after a database which others dump too: all holds shop-daily, and so does itself.
    const auto own = machine.add_set("all", "2026-01-19T04:00:00Z", "all");
    const auto other = machine.add_set("shop-daily", "2026-01-19T05:00:00Z", "all");
    CHECK(names(machine.run({"--json", "list", "all"}).json().at("sets").as_array()) == std::vector{other, own});
}

TEST_CASE("show: the manifest, readably and as it is") {
    Stocked machine;
    const auto ran = machine.run({"show", "shop-daily/latest"});
    CHECK(ran.exit == 0);
    INFO(ran.out);
    for (const auto* part :
         {"shop-daily/20260119_010000", "2026-01-19 02:00 CET", "took          3.0 s", "local, PostgreSQL 15.8",
          "pg_trgm 1.6", "gunzip -c shop_20260119_010000.sql.gz", "shop_20260119_010000.sql.gz"})
        CHECK(contains(ran.out, part));
    CHECK(contains(ran.out, "shop                   2    42"));
    const auto document = machine.run({"--json", "show", machine.oldest}).json();
    CHECK(text(document.at("format")) == "pgbakd-set/1");
    CHECK(document.at("keep") == false);
    CHECK(text(document.at("directory")) == machine.path_of(machine.oldest).string());
    const auto missing = machine.run({"show", "shop-daily/20260119_010001"});
    CHECK(missing.exit == 6);
    CHECK(contains(missing.err, "did you mean shop-daily/20260119_010000?"));
}

TEST_CASE("a hostile manifest cannot write to the terminal") {
    Stocked machine;
    auto text = model::to_manifest([&] {
        auto manifest = machine.repository().find({"shop-daily", "20260119_010000"}).manifest;
        manifest.stock_restore = {"echo \033[2J", "a\nb"};
        manifest.host = "\033]0;owned\a";
        return manifest;
    }());
    write(machine.path_of(machine.newest) / "manifest.json", text);
    const auto out = machine.run({"show", machine.newest}).out;
    CHECK_FALSE(contains(out, "\033"));
    CHECK(contains(out, "  a?b\n"));
}

TEST_CASE("verify: a good set") {
    Stocked machine;
    const auto ran = machine.run({"--json", "verify", "shop-daily/latest"});
    CHECK(ran.exit == 0);
    const auto document = ran.json();
    CHECK(text(document.at("target")) == machine.newest);
    CHECK(text(document.at("level")) == "decoded");
    CHECK(document.at("ok") == true);
    CHECK(document.at("artifacts").at(0).at("ok") == true);
    CHECK(contains(machine.run({"verify", machine.newest}).out, machine.newest + ": good, decoded\n"));
    // Nothing was wrong, so nothing is recorded, and no catalog appears.
    CHECK_FALSE(std::filesystem::exists(machine.state_file()));
}

TEST_CASE("verify: a flipped byte is exit 4, is remembered, and forgotten when the set is good again") {
    Stocked machine;
    const auto backup = machine.directory / "copy";
    std::filesystem::copy_file(machine.artifact(machine.newest), backup);
    machine.flip_byte(machine.newest);
    const auto ran = machine.run({"--json", "verify", machine.newest});
    CHECK(ran.exit == 4);
    CHECK(ran.json().at("ok") == false);
    CHECK(ran.json().at("artifacts").at(0).at("ok") == false);
    CHECK(contains(ran.err, "pgbakctl: shop-daily/20260119_010000 is not good: 1 of 1 artifact failed"));

    auto listed = machine.run({"--json", "list", "shop-daily"}).json().at("sets").at(0).as_object();
    CHECK(listed.at("corrupt") == true);
    CHECK(text(listed.at("verified")) == "none");
    CHECK(contains(machine.run({"list"}).out, "corrupt"));

    std::filesystem::copy_file(backup, machine.artifact(machine.newest),
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(machine.run({"verify", machine.newest}).exit == 0);
    listed = machine.run({"--json", "list", "shop-daily"}).json().at("sets").at(0).as_object();
    CHECK(listed.at("corrupt") == false);
    CHECK(text(listed.at("verified")) == "decoded");
}

TEST_CASE("verify: what cannot be read is exit 1, and no stain on the set") {
    Stocked machine;
    for (const auto& file : {machine.artifact(machine.newest), machine.path_of(machine.newest) / "manifest.json"}) {
        const support::UnreadableFile unreadable(file);
        if (!unreadable.mounted()) return;
        const auto ran = machine.run({"--json", "verify", machine.newest});
        CHECK(ran.exit == 1);
        CHECK(ran.json().at("ok") == false);
        const auto found = ran.json().at("artifacts").at(0).as_object();
        CHECK(found.at("unread") == true);
        CHECK(contains(text(found.at("message")), "reading " + file.string() + ": Input/output error"));
        CHECK(contains(ran.err, machine.newest + " could not be verified: 1 of 1 artifact could not be read"));
        CHECK(contains(machine.run({"verify", machine.newest}).out, "unread " + file.filename().string()));
    }
    CHECK_FALSE(std::filesystem::exists(machine.state_file()));
    CHECK(machine.run({"--json", "list", "shop-daily"}).json().at("sets").at(0).at("corrupt") == false);
    CHECK(machine.run({"verify", machine.newest}).exit == 0);
}

TEST_CASE("a set whose manifest cannot be read is listed as that, not as corrupt, and is not deleted") {
    Stocked machine;
    const support::UnreadableFile unreadable(machine.path_of(machine.oldest) / "manifest.json");
    if (!unreadable.mounted()) return;
    const auto listed = machine.run({"--json", "list", "shop-daily"}).json().at("sets").at(2).as_object();
    CHECK(listed.at("corrupt") == false);
    CHECK(contains(text(listed.at("problem")), "cannot be read: "));
    CHECK(listed.at("keep") == true);
    CHECK(contains(machine.run({"list"}).out, "unreadable"));
}

TEST_CASE("verify: files, directories of sets, and what is neither") {
    Stocked machine;
    const auto file = machine.artifact(machine.newest).string();
    CHECK(machine.run({"verify", file}).exit == 0);
    CHECK(machine.run_bare({"verify", file}).exit == 0);  // no configuration is asked
    const auto copied = machine.directory / "elsewhere" / "shop-daily" / "20260119_010000";
    std::filesystem::create_directories(copied.parent_path());
    std::filesystem::copy(machine.path_of(machine.newest), copied);
    CHECK(machine.run_bare({"verify", copied.string()}).exit == 0);
    machine.flip_byte(machine.newest);
    CHECK(machine.run({"verify", file}).exit == 4);
    CHECK(machine.run({"verify", "/nowhere.dump"}).exit == 6);
    CHECK(machine.run({"verify", "nowhere"}).exit == 6);
    CHECK(machine.run({"verify", "all/latest"}).exit == 6);
    CHECK(machine.run({"verify", machine.directory.path().string()}).exit == 2);
}

TEST_CASE("prune shows the plan and does nothing without --apply") {
    Stocked machine;
    const auto ran = machine.run({"--json", "prune"});
    CHECK(ran.exit == 0);
    const auto document = ran.json();
    CHECK(document.at("applied") == false);
    const auto decisions = document.at("decisions").as_array();
    REQUIRE(decisions.size() == 4);
    CHECK(text(decisions[3].at("set")) == machine.orphan);
    CHECK(text(decisions[3].at("action")) == "keep");
    CHECK(text(decisions[3].at("reason")) == "its job is not in the configuration: nothing deletes it");
    const auto& oldest = decisions[2].as_object();
    CHECK(oldest.size() == 4);
    CHECK(text(oldest.at("set")) == machine.oldest);
    CHECK(text(oldest.at("place")) == "local");
    CHECK(text(oldest.at("action")) == "delete");
    CHECK(text(oldest.at("reason")).starts_with("older than 7 days"));
    CHECK(text(decisions[0].at("action")) == "keep");
    const auto text = machine.run({"prune", "shop-daily"}).out;
    CHECK(contains(text, "1 set to delete, 2 to keep; --apply does it\n"));
    CHECK(std::filesystem::exists(machine.path_of(machine.oldest)));
}

TEST_CASE("prune does not hide the sets of a job that is gone, where there are no others") {
    Machine machine;
    machine.add_set("retired", "2025-06-01T00:00:00Z");
    machine.add_set("retired", "2025-06-02T00:00:00Z");
    for (const auto& arguments : {std::vector<std::string>{"prune"}, {"prune", "--apply"}}) {
        const auto out = machine.run(arguments).out;
        CHECK(contains(out,
                       "retired/20250602_000000  local  keep    its job is not in the configuration: nothing deletes"));
        CHECK(contains(out, "retired/20250601_000000"));
    }
    CHECK(machine.repository().ids().size() == 2);
}

TEST_CASE("prune of a job that is gone shows its sets, deletes none, and says how to get rid of them") {
    Stocked machine;
    const auto newer = machine.add_set("retired", "2025-06-02T00:00:00Z");
    const auto by_hand = "rm -r " + machine.path_of("retired").string() + "/SET && pgbakctl rescan\n";
    for (const auto& arguments : {std::vector<std::string>{"prune", "retired"}, {"prune", "retired", "--apply"}}) {
        const auto ran = machine.run(arguments);
        CHECK(ran.exit == 0);
        CHECK(ran.err.empty());
        CHECK(contains(ran.out, newer + "  local  keep    its job is not in the configuration: nothing deletes it\n"));
        CHECK(contains(ran.out, machine.orphan));
        CHECK_FALSE(contains(ran.out, "shop-daily"));
        CHECK(contains(ran.out, "hint: retired is not in the configuration; put it back"));
        CHECK(contains(ran.out, by_hand));
    }
    const auto ran = machine.run({"--json", "prune", "retired", "--apply"});
    CHECK(ran.exit == 0);
    CHECK(ran.json().at("applied") == true);
    CHECK(ran.json().at("failures").as_array().empty());
    const auto decisions = ran.json().at("decisions").as_array();
    CHECK(names(decisions) == std::vector{newer, machine.orphan});
    CHECK(text(decisions.at(0).at("action")) == "keep");
    CHECK(machine.repository().ids("retired").size() == 2);

    // Removed as the hint says.
    std::filesystem::remove_all(machine.path_of(newer));
    std::filesystem::remove_all(machine.path_of(machine.orphan));
    CHECK(machine.run({"rescan"}).exit == 0);
    CHECK_FALSE(contains(machine.run({"list"}).out, "retired"));
}

TEST_CASE("prune of a name that neither the configuration nor the repository knows is an error with a hint") {
    Stocked machine;
    std::filesystem::create_directory(machine.repository_directory() / "empty");
    struct Row {
        std::string job, hint;
    };
    for (const auto& [job, hint] :
         {Row{"shop-dayly", "did you mean shop-daily?"}, Row{"retird", "did you mean retired?"},
          Row{"empty", "pgbakctl check lists the jobs"}, Row{"../retired", "did you mean retired?"}}) {
        const auto ran = machine.run({"prune", job});
        CHECK(ran.exit == 6);
        CHECK(ran.err == "pgbakctl: there is no job \"" + job + "\"\n  hint: " + hint + "\n");
        CHECK(text(machine.run({"--json", "prune", job}).json().at("error").at("code")) == "not_found");
    }
}

TEST_CASE("prune --apply deletes what it said, and a pinned set stays") {
    Stocked machine;
    CHECK(machine.run({"pin", machine.oldest}).out == machine.oldest + " is pinned\n");
    CHECK(machine.run({"prune", "--apply"}).exit == 0);
    CHECK(std::filesystem::exists(machine.path_of(machine.oldest)));
    CHECK(machine.run({"--json", "unpin", machine.oldest}).json().at("pinned") == false);
    const auto ran = machine.run({"--json", "prune", "--apply"});
    CHECK(ran.exit == 0);
    CHECK(ran.json().at("applied") == true);
    CHECK(ran.json().at("decisions").as_array().size() == 4);
    CHECK_FALSE(std::filesystem::exists(machine.path_of(machine.oldest)));
    CHECK(std::filesystem::exists(machine.path_of(machine.orphan)));
    CHECK(machine.run({"prune", "--apply"}).exit == 0);
}

TEST_CASE("whoever holds the job is named, with exit 75, and nothing is changed") {
    Stocked machine;
    const auto lock = machine.repository().lock_job("shop-daily", "run 01X of pgbakd");
    for (const auto& arguments : {std::vector<std::string>{"pin", machine.oldest},
                                  {"unpin", machine.oldest},
                                  {"prune", "shop-daily", "--apply"},
                                  {"prune", "--apply"}}) {
        const auto ran = machine.run(arguments);
        CHECK(ran.exit == 75);
        CHECK(contains(ran.err, "job shop-daily is held by run 01X of pgbakd"));
    }
    CHECK(std::filesystem::exists(machine.path_of(machine.oldest)));
    CHECK_FALSE(std::filesystem::exists(machine.path_of(machine.oldest) / "pinned"));
    CHECK(machine.run({"prune"}).exit == 0);  // looking needs no lock
}

TEST_CASE("rescan rebuilds the history from the manifests, and runs shows it") {
    Stocked machine;
    CHECK(machine.run({"runs"}).out == "no runs\n");
    CHECK(machine.run({"rescan"}).out == "4 sets found, 4 runs added to the history\n");
    CHECK(machine.run({"--json", "rescan"}).json().at("runs_added") == 0);
    const auto runs = machine.run({"--json", "runs"}).json().at("runs").as_array();
    REQUIRE(runs.size() == 4);
    for (const auto* key : {"run", "job", "status", "set", "duration_seconds", "size_bytes", "artifacts", "targets",
                            "error", "trigger", "started_at", "finished_at"})
        CHECK(runs[0].as_object().contains(key));
    CHECK(text(runs[0].at("set")) == machine.newest);
    CHECK(machine.run({"--json", "runs", "retired", "--status", "success"}).json().at("runs").as_array().size() == 1);
    CHECK(machine.run({"--json", "runs", "--limit", "2"}).json().at("runs").as_array().size() == 2);
    CHECK(contains(machine.run({"runs", "shop-daily"}).out, "2026-01-19 02:00 CET  3.0 s  schedule  SUCCESS"));
    CHECK(machine.run({"runs", "all"}).out == "no runs\n");
    CHECK(machine.run({"runs", "al"}).exit == 6);
}

TEST_CASE("a catalog that cannot be read hides no set") {
    Stocked machine;
    write(machine.state_file(), std::string(8192, 'x'));
    const auto ran = machine.run({"--json", "list"});
    CHECK(ran.exit == 0);
    CHECK(ran.json().at("sets").as_array().size() == 4);
    CHECK(contains(ran.err, "warning: what checks after the runs found is not known"));
}

TEST_CASE("rescan of a repository that is not there changes nothing") {
    Machine machine;
    const auto ran = machine.run({"rescan"});
    CHECK(ran.exit == 6);
    CHECK(contains(ran.err, "there is no repository at"));
    CHECK_FALSE(std::filesystem::exists(machine.state_file()));
}
