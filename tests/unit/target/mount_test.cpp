// What counts as a mount of its own.
#include "target/mount.hpp"

#include "support/catch.hpp"

using namespace pgbakd::target;

TEST_CASE("a directory is on a mount of its own, or it is told what it is on") {
    const Mount root{"/", "8:1", "ext4", 1};
    const Mount srv{"/srv", "8:2", "ext4", 2};
    const Mount nas{"/srv/nas", "0:50", "nfs4", 3};
    const Mount deeper{"/srv/nas/export", "0:51", "nfs4", 4};
    const Mount automount{"/srv/nas", "0:40", "autofs", 5};
    struct Row {
        const char* what;
        MountRule rule;
        MountFacts facts;
        std::string problem;
    };
    const MountRule any{"/srv/nas/pgbakd", "", ""};
    const MountRule named{"/srv/nas/pgbakd", "/srv/nas", ""};
    const auto facts = [&](const Mount& mount) { return MountFacts{.mount = mount, .root = root}; };
    const auto with_repository = [&](const Mount& mount, const Mount& repository) {
        auto all = facts(mount);
        all.repository = repository;
        return all;
    };
    const auto with_named = [&](const Mount& mount, const Mount& at_point) {
        auto all = facts(mount);
        all.named = at_point;
        all.named_point = "/srv/nas";
        return all;
    };
    const auto with_known = [&](const Mount& mount, const char* known) {
        auto all = facts(mount);
        all.known_point = known;
        return all;
    };
    const std::vector<Row> rows{
        {"a mount", any, facts(nas), ""},
        {"the root disk, mounted on itself or not", any, facts(root), "it is on the root file system"},
        {"a part of the root disk that is mounted below another", any, facts({"/srv/nas", "8:1", "ext4", 9}),
         "it is on the root file system"},
        {"a disk of this host, which only the name could tell", any, facts(srv), ""},
        {"an automount that has mounted nothing", any, facts(automount), "nothing is mounted on /srv/nas"},
        {"the disk of the repository", any, with_repository(srv, srv),
         "it is on the file system of the repository, /srv"},
        {"the repository on the root disk", any, with_repository(nas, root), ""},
        {"the mount that was there", any, with_known(nas, "/srv/nas"), ""},
        {"one that came", any, with_known(nas, "/srv"), ""},
        {"one that went", any, with_known(srv, "/srv/nas"), "it was on /srv/nas and is on /srv now"},
        {"named, and mounted", named, with_named(nas, nas), ""},
        {"named, and more mounted below it", named, with_named(deeper, nas), ""},
        {"named, and nothing mounted there", named, with_named(srv, srv), "nothing is mounted on /srv/nas"},
        {"named, and only something below it mounted", named, with_named(deeper, srv),
         "nothing is mounted on /srv/nas"},
        {"named, and an automount", named, with_named(automount, automount), "nothing is mounted on /srv/nas"},
        {"named, and the path leads elsewhere", named, with_named({"/mnt/x", "8:9", "ext4", 8}, nas),
         "it is on /mnt/x and not on /srv/nas"},
        {"named, and the path leads to the root disk", named, with_named(root, nas), "it is on the root file system"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CHECK(mount_problem(row.rule, row.facts) == row.problem);
    }
}
