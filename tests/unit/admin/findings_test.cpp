// What a check found of a set lies with the set: it outlives the catalog, and retention, list and latest go by it.
#include <sys/mount.h>

#include <iostream>

#include "catalog/catalog.hpp"
#include "support.hpp"
#include "support/unreadable_file.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

namespace {

// Two sets of a job that keeps the newest good one: the older is whole, the newer is damaged where only reading finds
// it.
struct Damaged : Machine {
    explicit Damaged(const std::string& state = "state") {
        state_name = state;
        configure(
            "  shop:\n    schedule: daily at 02:00\n    retention: {local: {last: 1, at_least: 1}}\n"
            "    source: {type: pg_dump, server: local, databases: [shop]}\n");
        good = add_set("shop", "2026-01-18T01:00:00Z");
        bad = add_set("shop", "2026-01-19T01:00:00Z");
        flip();
    }
    [[nodiscard]] std::filesystem::path artifact(const std::string& set) const {
        return path_of(set) / ("shop_" + set.substr(5) + ".sql.gz");
    }
    [[nodiscard]] std::filesystem::path mark(const std::string& set) const { return path_of(set) / "corrupt"; }
    // Twice is as before.
    void flip() const {
        std::fstream file(artifact(bad), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(30);
        const auto byte = static_cast<char>(file.peek() ^ 0x55);
        file.seekp(30);
        file.put(byte);
    }
    std::string good, bad;
};

// As `mount -o ro,bind` of a directory onto itself; needs root.
class ReadOnly {
  public:
    explicit ReadOnly(std::filesystem::path path) : path_(std::move(path)) {
        mounted_ = ::mount(path_.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
        if (mounted_) ::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
        if (!mounted_) std::cout << "SKIPPED: only root can mount a file system read-only\n";
    }
    ReadOnly(const ReadOnly&) = delete;
    ReadOnly& operator=(const ReadOnly&) = delete;
    ~ReadOnly() {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const { return mounted_; }

  private:
    std::filesystem::path path_;
    bool mounted_ = false;
};

}  // namespace

TEST_CASE("a set that was found corrupt stays so when the state file is lost, and the good one is not pruned for it") {
    Damaged machine;
    REQUIRE(machine.run({"verify", machine.bad}).exit == 4);
    CHECK(std::filesystem::exists(machine.mark(machine.bad)));
    CHECK_FALSE(std::filesystem::exists(machine.mark(machine.good)));
    std::filesystem::remove(machine.state_file());
    CHECK(machine.run({"rescan"}).exit == 0);

    const auto listed = machine.run({"--json", "list"}).json().at("sets").at(0).as_object();
    CHECK(listed.at("corrupt") == true);
    CHECK(text(listed.at("verified")) == "none");
    CHECK(contains(text(listed.at("problem")), "corrupt: shop_20260119_010000.sql.gz "));
    CHECK(contains(machine.run({"show", "shop/latest"}).out, machine.good));
    CHECK(machine.run({"prune", "--apply"}).exit == 0);
    CHECK(std::filesystem::exists(machine.path_of(machine.good)));
}

TEST_CASE("a set that is good again loses its mark, even where the catalog knows of none") {
    Damaged machine;
    REQUIRE(machine.run({"verify", machine.bad}).exit == 4);
    std::filesystem::remove(machine.state_file());
    machine.flip();
    CHECK(machine.run({"verify", machine.bad}).exit == 0);
    CHECK_FALSE(std::filesystem::exists(machine.mark(machine.bad)));
    CHECK(contains(machine.run({"show", "shop/latest"}).out, machine.bad));
}

TEST_CASE("what the catalog alone knows counts too, and rescan leaves it with the set") {
    Damaged machine;
    REQUIRE(machine.run({"verify", machine.bad}).exit == 4);
    std::filesystem::remove(machine.mark(machine.bad));
    CHECK(machine.run({"--json", "list"}).json().at("sets").at(0).at("corrupt") == true);
    CHECK(contains(machine.run({"show", "shop/latest"}).out, machine.good));
    CHECK(machine.run({"rescan"}).exit == 0);
    CHECK(std::filesystem::exists(machine.mark(machine.bad)));
}

TEST_CASE(
    "a finding that cannot be left with the set is said, and one that nobody keeps is said to count for nothing") {
    Damaged machine;
    {
        const ReadOnly set(machine.path_of(machine.bad));
        if (!set.mounted()) return;
        const auto ran = machine.run({"verify", machine.bad});
        CHECK(ran.exit == 4);
        CHECK(contains(ran.err, "warning: the finding could not be recorded with the set: "));
        CHECK(contains(ran.err, "Read-only file system"));
        CHECK_FALSE(contains(ran.err, "retention still takes"));
    }
    CHECK(machine.run({"--json", "list"}).json().at("sets").at(0).at("corrupt") == true);
    std::filesystem::remove(machine.state_file());
    const ReadOnly all(machine.state_file().parent_path());
    const auto ran = machine.run({"verify", machine.bad});
    CHECK(ran.exit == 4);
    CHECK(contains(ran.err, "warning: the finding could not be recorded in the catalog: "));
    CHECK(contains(ran.err, "warning: retention still takes " + machine.bad + " for good"));
}

TEST_CASE("rescan of an emptied repository refuses, and forgets nothing") {
    Damaged machine;
    REQUIRE(machine.run({"verify", machine.bad}).exit == 4);
    const auto elsewhere = machine.directory / "elsewhere";
    std::filesystem::rename(machine.repository_directory(), elsewhere);
    std::filesystem::create_directory(machine.repository_directory());
    const auto ran = machine.run({"rescan"});
    CHECK(ran.exit == 1);
    CHECK(contains(ran.err, "is empty, but the catalog knows of sets in it: nothing was changed"));
    CHECK(contains(ran.err, "is its file system mounted (findmnt --target " + machine.repository_directory().string()));
    CHECK(catalog::Catalog::open_for_reading(machine.state_file())->set_states().size() == 1);

    std::filesystem::remove(machine.repository_directory());
    std::filesystem::rename(elsewhere, machine.repository_directory());
    std::filesystem::remove_all(machine.path_of(machine.bad));
    CHECK(machine.run({"rescan"}).out == machine.bad +
                                             " is gone: what a check had found of it is forgotten\n"
                                             "1 set found, 1 run added to the history\n");
}

TEST_CASE("verify: what is wrong beside good artifacts is exit 4 with the way to mend it, and no stain on the set") {
    Damaged machine;
    const auto sidecar = machine.artifact(machine.good).string() + ".sha256";
    std::filesystem::remove(sidecar);
    auto ran = machine.run({"--json", "verify", machine.good});
    CHECK(ran.exit == 4);
    CHECK(ran.json().at("ok") == false);
    CHECK(ran.json().at("artifacts").at(0).at("ok") == true);
    CHECK(text(ran.json().at("beside").at(0).at("message")) == "is missing");
    CHECK(contains(ran.err, "the artifacts of " + machine.good +
                                " are good, but not what stands beside them: "
                                "shop_20260118_010000.sql.gz.sha256 is missing\n"));
    CHECK(contains(ran.err, "  hint: it still counts as a backup; write it anew with: cd " +
                                machine.path_of(machine.good).string() +
                                " && sha256sum shop_20260118_010000.sql.gz > shop_20260118_010000.sql.gz.sha256\n"));
    write(sidecar, std::string(64, '0') + "  other.sql.gz\n");
    ran = machine.run({"verify", machine.path_of(machine.good).string()});
    CHECK(ran.exit == 4);
    CHECK(contains(ran.out, "  ok     shop_20260118_010000.sql.gz: decoded"));
    CHECK(contains(ran.out, "  failed shop_20260118_010000.sql.gz.sha256: names another file: other.sql.gz\n"));
    CHECK_FALSE(contains(ran.out, ": good"));

    CHECK_FALSE(std::filesystem::exists(machine.mark(machine.good)));
    CHECK_FALSE(std::filesystem::exists(machine.state_file()));
    CHECK(machine.run({"--json", "list"}).json().at("sets").at(1).at("corrupt") == false);
    CHECK(std::filesystem::remove(sidecar));
    {
        write(sidecar, "x");
        const support::UnreadableFile unreadable(sidecar);
        if (!unreadable.mounted()) return;
        ran = machine.run({"verify", machine.good});
        CHECK(ran.exit == 1);
        CHECK(contains(ran.err, "shop_20260118_010000.sql.gz.sha256 beside them could not be read: "));
    }
}

namespace {

// The command that verify shows for the good set once its artifact is of that name, where it has no sidecar.
std::string mending_command(Damaged& machine, const std::string& artifact) {
    auto manifest = machine.repository().find({"shop", machine.good.substr(5)}).manifest;
    std::filesystem::rename(machine.path_of(machine.good) / manifest.artifacts.at(0).file,
                            machine.path_of(machine.good) / artifact);
    manifest.artifacts.at(0).file = artifact;
    write(machine.path_of(machine.good) / "manifest.json", model::to_manifest(manifest));
    const auto ran = machine.run({"verify", machine.good});
    CHECK(ran.exit == 4);
    constexpr std::string_view before = "write it anew with";
    const auto at = ran.err.find(before);
    REQUIRE(at != std::string::npos);
    return ran.err.substr(at + before.size());
}

}  // namespace

TEST_CASE(
    "the command that mends a sidecar does so whatever the names, and a tampered manifest puts no words into it") {
    Damaged machine("it's a \"state\" & more");
    const auto directory = machine.path_of(machine.good).string();
    for (const std::string artifact :
         {"x;false .sql.gz", "a b.sql.gz", "it's $(false).sql.gz", "-n.sql.gz", "ü.sql.gz"}) {
        CAPTURE(artifact);
        const auto command = mending_command(machine, artifact);
        CHECK(command.starts_with(": cd '"));
        // NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c): it is typed into a shell
        REQUIRE(std::system(command.substr(2).c_str()) == 0);
        CHECK(machine.run({"verify", machine.good}).exit == 0);
        std::filesystem::remove(directory + "/" + artifact + ".sha256");
    }
    CHECK(mending_command(machine, "a\\b.sql.gz") == " sha256sum, in its directory\n");
}

TEST_CASE("nothing behind --config is said to be that") {
    Machine machine;
    const auto ran = machine.run_bare({"--config", "", "list"});
    CHECK(ran.exit == 2);
    CHECK(ran.err == "pgbakctl: --config is given no name\n  hint: name a file, or leave --config out\n");
}

TEST_CASE("the latest set is the newest that is not from the future") {
    Machine machine;
    const auto newest = machine.add_set("shop-daily", "2026-01-19T01:00:00Z");
    const auto future = machine.add_set("shop-daily", "2031-01-01T00:00:00Z");
    CHECK(text(machine.run({"--json", "verify", "shop-daily/latest"}).json().at("target")) == newest);
    std::filesystem::remove_all(machine.path_of(newest));
    CHECK(text(machine.run({"--json", "verify", "shop-daily/latest"}).json().at("target")) == future);
}

TEST_CASE("check --connect names a repository's read-only file system, not its owner") {
    Machine machine;
    machine.add_set("shop-daily", "2026-01-19T01:00:00Z");
    const ReadOnly repository(machine.repository_directory());
    if (!repository.mounted()) return;
    const auto out = machine.run({"check", "--connect"}).out;
    CHECK(contains(out, machine.repository_directory().string() + " cannot be written: it is read-only\n"));
    CHECK(
        contains(out, "hint: the file system at " + machine.repository_directory().string() + " is mounted read-only"));
    CHECK_FALSE(contains(out, "chown"));
}
