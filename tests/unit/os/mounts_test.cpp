#include "os/mounts.hpp"

#include "unit/os/support.hpp"

using namespace pgbakd;

TEST_CASE("the kernel's list of mounts is read, with names of every kind") {
    const auto found = os::parse_mounts(
        "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "30 27 0:45 / /mnt/the\\040nas rw shared:7 master:1 - nfs4 nas:/ex\\011port rw,vers=4.2\n"
        "31 27 0:50 / /mnt/auto rw - autofs systemd-1 rw\n"
        "32 27 8:17 /sub /srv rw - fuseblk /dev/sdb1 rw\n"
        "33 27 8:33 / /mnt rw - xfs /dev/sdc1 rw\n"
        "34 27 0:51 / /srv rw - tmpfs tmpfs rw\n"
        "nonsense\n35 27 0:1 / /x - ext4 /dev/x rw\n");
    REQUIRE(found.size() == 6);
    CHECK(found[1].id == 30);
    CHECK(found[1].device == "0:45");
    CHECK(found[1].point == "/mnt/the nas");
    CHECK(found[1].type == "nfs4");
    CHECK(found[1].source == "nas:/ex\tport");
    const auto point = [&](const char* path) { return os::mount_by_name(found, path)->id; };
    CHECK(point("/") == 27);
    CHECK(point("/mntx") == 27);
    CHECK(point("/mnt/other") == 33);
    CHECK(point("/mnt/the nas/pgbakd") == 30);
    CHECK(point("/srv/x") == 34);
    std::vector<bool> disks, hanging;
    for (const auto& mount : found) {
        disks.push_back(os::is_disk(mount));
        hanging.push_back(os::may_hang(mount));
    }
    CHECK(disks == std::vector<bool>{true, false, false, false, true, false});
    CHECK(hanging == std::vector<bool>{false, true, true, true, false, false});
    CHECK(os::mount_by_name({}, "/") == nullptr);
    CHECK(os::mount_by_name(os::mounts(), "/") != nullptr);
}
