#include "host/places.hpp"

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;

TEST_CASE("a path is followed through links, but into no file system whose server may be away") {
    const support::TemporaryDirectory directory;
    const auto top = std::filesystem::canonical(directory.path());
    std::filesystem::create_directories(top / "disk/sets");
    std::filesystem::create_directories(top / "nas");
    std::filesystem::create_directory_symlink("disk", top / "link");
    std::filesystem::create_directory_symlink(top / "link/sets", top / "further");
    std::filesystem::create_directory_symlink("../disk", top / "nas/back");
    std::filesystem::create_directory_symlink("round", top / "round");
    const std::vector<os::MountEntry> local{{1, "8:1", "/", "ext4", "/dev/sda1"}};
    const host::Places plain(local);
    CHECK(plain.resolve(top / "link/../link/sets/x") == top / "disk/sets/x");
    CHECK(plain.resolve(top / "further") == top / "disk/sets");
    CHECK(plain.resolve(top / "missing/link") == top / "missing/link");
    CHECK(plain.resolve(top / "nas/back") == top / "disk");
    CHECK_FALSE(plain.resolve(top / "round").empty());
    auto mounts = local;
    mounts.push_back({2, "0:50", top / "nas", "nfs4", "nas:/export"});
    CHECK(host::Places(mounts).resolve(top / "nas/back") == top / "nas/back");
}

TEST_CASE("a disk of this host is told by its mount point") {
    const host::Places places({{1, "8:1", "/", "ext4", "/dev/sda1"},
                               {2, "8:2", "/no/srv", "ext4", "/dev/sda2"},
                               {3, "8:1", "/no/srv/again", "ext4", "/dev/sda1"},
                               {4, "0:50", "/no/srv/nas", "nfs4", "nas:/export"}});
    CHECK(places.disk_of("/no/srv/x") == "/no/srv");
    CHECK(places.disk_of("/no/srv/again/x").empty());
    CHECK(places.disk_of("/no/srv/nas/x").empty());
    CHECK(places.disk_of("/no").empty());
    CHECK(host::Places(std::vector<os::MountEntry>{}).disk_of("/no").empty());
}
