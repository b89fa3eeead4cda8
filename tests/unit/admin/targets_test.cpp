// Sets on targets, as the tool shows, prunes and brings them: over a directory as the target.
#include "offsite/backlog.hpp"
#include "support/catch.hpp"
#include "unit/admin/support.hpp"

namespace pgbakd::admin {

using namespace testing;

namespace {

// A machine whose job "shop-daily" has the target "nas", and as it is told another that is not there.
class House : public Machine {
  public:
    explicit House(const std::string& targets = "[nas]") {
        configure(
            "  shop-daily:\n"
            "    schedule: daily at 02:00\n"
            "    timezone: Europe/Berlin\n"
            "    targets: " +
            targets +
            "\n"
            "    retention: {local: {days: 2, at_least: 1}, targets: {days: 7, at_least: 1}}\n"
            "    source: {type: pg_dump, server: local, databases: [shop]}\n"
            "targets:\n"
            "  nas: {type: directory, path: " +
            nas().string() + "}\n  away: {type: directory, path: " + (directory / "loop").string() + "}\n");
        std::filesystem::create_directory(nas());
        std::filesystem::create_symlink("loop", directory / "loop");  // leads to itself
    }
    [[nodiscard]] std::filesystem::path nas() const { return directory / "nas"; }
    std::unique_ptr<catalog::Catalog> catalog() { return catalog::Catalog::open(state_file(), clock.now()); }

    // As a run would have copied it; `known`: the catalog says so.
    std::string add_copied(std::string_view started_at, bool known = true) {
        const auto set = add_set("shop-daily", started_at);
        std::filesystem::create_directories(nas() / "shop-daily");
        std::filesystem::copy(path_of(set), nas() / set, std::filesystem::copy_options::recursive);
        if (!known) return set;
        auto copy =
            offsite::owed_copy("nas", repository().find(model::SetId::parse(set).value()).manifest, clock.now());
        copy.owed = false;
        copy.assurance = "checksum";
        catalog()->put_copy(copy);
        return set;
    }
    void owe(const std::string& set, const std::string& target) {
        catalog()->put_copy(
            offsite::owed_copy(target, repository().find(model::SetId::parse(set).value()).manifest, clock.now()));
    }
    void remove_local(const std::string& set) { repository().remove(model::SetId::parse(set).value()); }
};

std::vector<std::string> rows_of(const boost::json::object& document, const char* list,
                                 const std::vector<const char*>& keys) {
    std::vector<std::string> rows;
    for (const auto& entry : document.at(list).as_array()) {
        std::string row;
        for (const auto* key : keys) row += (row.empty() ? "" : " ") + text(entry.at(key));
        rows.push_back(row);
    }
    return rows;
}

using Rows = std::vector<std::string>;

}  // namespace

TEST_CASE("list tells where each set is, also of those that are no longer here") {
    House house("[nas, away]");
    const auto gone = house.add_copied("2026-01-16T01:00:00Z");
    house.remove_local(gone);
    const auto both = house.add_copied("2026-01-19T01:00:00Z");
    house.owe(both, "away");
    const auto local = house.add_set("shop-daily", "2026-01-18T01:00:00Z");
    house.owe(local, "nas");
    const auto ran = house.run({"list"});
    CHECK(ran.exit == 0);
    CHECK(contains(ran.out, "local, away owed, nas"));
    CHECK(contains(ran.out, "local, nas owed"));
    CHECK(contains(ran.out, "no longer local; each target keeps it by its own rules"));
    CHECK(contains(ran.out, "3 sets"));
    const auto document = house.run({"--json", "list", "shop-daily"}).json();
    const auto& sets = document.at("sets").as_array();
    REQUIRE(sets.size() == 3);
    CHECK(text(sets[0].at("set")) == both);
    CHECK(boost::json::serialize(sets[0].at("copies")) ==
          R"([{"place":"local","complete":true},{"place":"away","complete":false,"verified":null},)"
          R"({"place":"nas","complete":true,"verified":"checksum"}])");
    CHECK(text(sets[2].at("set")) == gone);
    CHECK(boost::json::serialize(sets[2].at("copies")) == R"([{"place":"nas","complete":true,"verified":"checksum"}])");
    CHECK(sets[2].at("size_bytes") == sets[0].at("size_bytes"));
    CHECK(text(sets[2].at("verified")) == "decoded");
    CHECK(sets[2].at("problem").is_null());
}

TEST_CASE("an incomplete set that only a target has is called that") {
    House house;
    const auto set = house.add_set("shop-daily", "2026-01-19T01:00:00Z", "shop", false);
    auto copy = offsite::owed_copy("nas", house.repository().find(model::SetId::parse(set).value()).manifest, {});
    copy.owed = false;
    house.catalog()->put_copy(copy);
    house.remove_local(set);
    CHECK(text(house.run({"--json", "list"}).json().at("sets").at(0).at("problem")) == "incomplete");
}

TEST_CASE("list --from asks the target, and one that cannot be read hides no other") {
    House house;
    const auto good = house.add_copied("2026-01-18T01:00:00Z", false);
    const auto damaged = house.add_copied("2026-01-19T01:00:00Z", false);
    write(house.nas() / good / "pinned", "");
    write(house.nas() / damaged / "manifest.json", "{");
    std::filesystem::create_directories(house.nas() / "shop-daily" / "20260117_010000");
    write(house.nas() / "shop-daily" / "20260117_010000" / "half.sql.gz", "x");
    std::filesystem::remove_all(house.repository_directory());  // nothing of it is needed
    const auto ran = house.run({"list", "--from", "nas"});
    CHECK(ran.exit == 0);
    CHECK(contains(ran.out, good));
    CHECK(contains(ran.out, "pinned"));
    CHECK(contains(ran.out, damaged));
    CHECK(contains(ran.out, "unreadable"));
    CHECK(contains(ran.out, "2 sets on nas"));
    const auto document = house.run({"--json", "list", "--from", "nas", "shop-daily"}).json();
    CHECK(rows_of(document, "sets", {"set", "pinned"}) == Rows{damaged + " false", good + " true"});
    CHECK(boost::json::serialize(document.at("sets").at(1).at("copies")) == R"([{"place":"nas","complete":true}])");
    CHECK(house.run({"list", "--from", "away"}).exit != 0);
    CHECK(house.run({"list", "--from", "none"}).exit != 0);
}

TEST_CASE("prune shows the plan of each place, and does it there") {
    House house;
    const auto oldest = house.add_copied("2026-01-10T01:00:00Z");
    const auto older = house.add_copied("2026-01-16T01:00:00Z");
    const auto young = house.add_copied("2026-01-19T01:00:00Z");
    const Rows plan{young + " local keep", older + " local delete", oldest + " local delete",
                    young + " nas keep",   older + " nas keep",     oldest + " nas delete"};
    auto ran = house.run({"--json", "prune"});
    CHECK(ran.exit == 0);
    CHECK(rows_of(ran.json(), "decisions", {"set", "place", "action"}) == plan);
    CHECK(house.run({"prune"}).out.find("3 sets to delete, 3 to keep; --apply does it") != std::string::npos);
    CHECK(std::filesystem::exists(house.nas() / oldest));
    CHECK(house.catalog()->copies().size() == 3);

    ran = house.run({"--json", "prune", "--apply"});
    CHECK(ran.exit == 0);
    CHECK(rows_of(ran.json(), "decisions", {"set", "place", "action"}) == plan);
    CHECK(ran.json().at("failures").as_array().empty());
    CHECK(house.repository().ids().size() == 1);
    CHECK_FALSE(std::filesystem::exists(house.nas() / oldest / "manifest.json"));
    CHECK(std::filesystem::exists(house.nas() / older / "manifest.json"));
    CHECK(house.catalog()->copies().size() == 2);
    CHECK(rows_of(house.run({"--json", "prune"}).json(), "decisions", {"set", "place", "action"}) ==
          Rows{young + " local keep", young + " nas keep", older + " nas keep"});
}

TEST_CASE("a set that is owed to a target stays here, whatever local retention says") {
    House house;
    const auto owed = house.add_set("shop-daily", "2026-01-10T01:00:00Z");
    house.owe(owed, "nas");
    house.add_copied("2026-01-19T01:00:00Z");
    const auto document = house.run({"--json", "prune", "--apply"}).json();
    CHECK(rows_of(document, "decisions", {"set", "place", "action", "reason"}).at(1) ==
          owed + " local keep held by a copy owed to nas");
    CHECK(house.repository().ids().size() == 2);
}

TEST_CASE("a target that cannot be asked is a failure, and the others are pruned all the same") {
    House house("[away, nas]");
    const auto oldest = house.add_copied("2026-01-10T01:00:00Z");
    house.add_copied("2026-01-19T01:00:00Z");
    const auto ran = house.run({"--json", "prune", "--apply"});
    CHECK(ran.exit == 1);
    const auto document = ran.json();
    const auto& failures = document.at("failures").as_array();
    REQUIRE(failures.size() == 1);
    CHECK(contains(text(failures[0]), "shop-daily: "));
    CHECK(contains(text(failures[0]), "away"));
    CHECK_FALSE(std::filesystem::exists(house.nas() / oldest / "manifest.json"));
}

TEST_CASE("what prune learns on a target is told, and entered only when it is applied") {
    House house;
    const auto gone = house.add_copied("2026-01-18T01:00:00Z");
    house.add_copied("2026-01-19T01:00:00Z", false);
    std::filesystem::remove_all(house.nas() / gone);
    auto ran = house.run({"prune"});
    CHECK(contains(ran.err, "pgbakctl: " + gone + " is gone from nas: somebody else deleted it there"));
    REQUIRE(house.catalog()->copies().size() == 1);
    CHECK(house.catalog()->copies().at(0).id.text() == gone);
    ran = house.run({"prune", "--apply"});
    CHECK(contains(ran.err, "is gone from nas"));
    REQUIRE(house.catalog()->copies().size() == 1);
    CHECK(house.catalog()->copies().at(0).id.set == "20260119_010000");
}

TEST_CASE("a set comes back from a target with nothing else left, and not over what is there") {
    House house;
    const auto set = house.add_copied("2026-01-19T01:00:00Z", false);
    std::filesystem::remove_all(house.directory / "state");
    const auto into = house.directory / "restore";
    auto ran = house.run({"download", "shop-daily/latest", "--from", "nas", "--into", into.string()});
    CHECK(ran.err == "");
    CHECK(ran.exit == 0);
    CHECK(contains(ran.out, (into / set).string()));
    CHECK(contents(into / set / "manifest.json") == contents(house.nas() / set / "manifest.json"));
    ran = house.run({"download", set, "--from", "nas", "--into", into.string()});
    CHECK(ran.exit != 0);
    CHECK(contains(ran.err, "exists already"));
    CHECK(house.run({"download", "shop-daily/20200101_000000", "--from", "nas"}).exit != 0);
}

}  // namespace pgbakd::admin
