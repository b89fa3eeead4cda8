#include "os/file.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cmath>
#include <iostream>

#include "unit/os/support.hpp"

using namespace pgbakd;
using base::ErrorCode;

TEST_CASE("a file is created for us alone and never over another") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "new";
    {
        const auto file = os::create_file(path);
        os::write_all(file, std::as_bytes(std::span(std::string_view("text"))), path);
        os::sync_file(file, path);
    }
    CHECK(contents(path) == "text");
    CHECK(mode_of(path) == 0600);

    const auto error = error_of([&] { (void)os::create_file(path); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message().find(path.native()) != std::string::npos);
    CHECK(contents(path) == "text");

    // Not through a link either, wherever it leads.
    std::filesystem::create_symlink(directory / "elsewhere", directory / "link");
    CHECK(error_of([&] { (void)os::create_file(directory / "link"); }).code() == ErrorCode::conflict);
    CHECK_FALSE(std::filesystem::exists(directory / "elsewhere"));
}

TEST_CASE("read_file reads up to its limit and names what it cannot read") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "file";
    const std::string text(100'000, 'x');
    write(path, text);
    CHECK(os::read_file(path, text.size()) == text);
    CHECK(os::read_file(path, text.size() * 2) == text);
    const auto too_large = error_of([&] { (void)os::read_file(path, text.size() - 1); });
    CHECK(too_large.code() == ErrorCode::invalid_argument);
    CHECK(too_large.message() == path.native() + " is larger than 97.7 KiB");

    const auto missing = error_of([&] { (void)os::read_file(directory / "missing", 10); });
    CHECK(missing.code() == ErrorCode::not_found);
    CHECK(missing.message() == "opening " + (directory / "missing").native() + ": No such file or directory");
    for (const auto& other : {directory.path(), directory / "pipe"}) {
        if (other != directory.path()) REQUIRE(::mkfifo(other.c_str(), 0600) == 0);
        const auto irregular = error_of([&] { (void)os::read_file(other, 10); });
        CHECK(irregular.code() == ErrorCode::invalid_argument);
        CHECK(irregular.message() == other.native() + " is not a regular file");
    }

    write(path, "");
    CHECK(os::read_file(path, 0).empty());
    // Files of /proc say a size of 0.
    CHECK_FALSE(os::read_file("/proc/self/status", 100'000).empty());
}

TEST_CASE("replace_file puts the whole new text in place and leaves nothing else") {
    const support::TemporaryDirectory directory;
    const auto path = directory / "file";
    os::replace_file(path, "one");
    CHECK(contents(path) == "one");
    os::replace_file(path, "two, longer");
    CHECK(contents(path) == "two, longer");
    CHECK(mode_of(path) == 0600);
    CHECK(os::list_directory(directory.path()) == std::vector<std::string>{"file"});

    // A link is replaced, what it leads to stays.
    write(directory / "real", "untouched");
    std::filesystem::create_symlink("real", directory / "link");
    os::replace_file(directory / "link", "new");
    CHECK(contents(directory / "real") == "untouched");
    CHECK(contents(directory / "link") == "new");

    const auto error = error_of([&] { os::replace_file(directory / "no" / "file", "text"); });
    CHECK(error.code() == ErrorCode::not_found);
    std::filesystem::create_directory(directory / "directory");
    CHECK_THROWS_AS(os::replace_file(directory / "directory", "text"), base::Error);
    CHECK(os::list_directory(directory.path()) == std::vector<std::string>{"directory", "file", "link", "real"});
}

TEST_CASE("a full disk is no_space, with the file's name and what is left") {
    const SmallDisk disk;
    if (!disk.mounted()) return;
    const auto path = disk.path() / "dump";
    const auto file = os::create_file(path);
    const std::vector<std::byte> bytes(1 << 20);
    const auto error = error_of([&] { os::write_all(file, bytes, path); });
    CHECK(error.code() == ErrorCode::no_space);
    CHECK(error.message() == "writing " + path.native() + ": No space left on device");
    CHECK(error.hint().find("0 B of 256 KiB available") == 0);

    // What was there before a replacement that did not fit is still there, and the temporary file is not.
    write(disk.path() / "settings", "");
    CHECK(error_of([&] { os::replace_file(disk.path() / "settings", std::string(5000, 'x')); }).code() ==
          ErrorCode::no_space);
    CHECK(os::list_directory(disk.path()) == std::vector<std::string>{"dump", "settings"});
}

TEST_CASE("file_status looks at links, target_status behind them") {
    const support::TemporaryDirectory directory;
    write(directory / "file", "12345");
    std::filesystem::create_symlink("file", directory / "link");
    std::filesystem::create_symlink("nothing", directory / "dangling");

    const auto file = os::file_status(directory / "file");
    REQUIRE(file);
    CHECK(file->size == 5);
    CHECK(file->is_regular);
    CHECK(file->owner == ::geteuid());
    CHECK(file->modified_seconds > 1'500'000'000);
    CHECK(os::file_status(directory.path())->is_directory);
    CHECK_FALSE(os::file_status(directory / "link")->is_regular);
    CHECK(os::target_status(directory / "link")->is_regular);
    CHECK(os::file_status(directory / "dangling"));
    CHECK_FALSE(os::target_status(directory / "dangling"));
    CHECK_FALSE(os::file_status(directory / "nothing"));
    CHECK_FALSE(os::file_status(directory / "file" / "below a file"));
}

TEST_CASE("free space is that of the nearest parent that exists") {
    const SmallDisk disk;
    if (!disk.mounted()) return;
    CHECK(os::free_space(disk.path()).total == 256 * 1024);
    CHECK(os::free_space(disk.path() / "not" / "there" / "yet").total == 256 * 1024);
    CHECK(os::free_space(disk.path()).available <= 256 * 1024);
    CHECK(os::free_space("not-there").total > 0);
}

TEST_CASE("how full a file system is told to be is what df tells, whatever is reserved") {
    struct statvfs root {};
    REQUIRE(::statvfs("/", &root) == 0);
    const auto space = os::free_space("/");
    // Others may write in between: to a part in a hundred.
    const auto block = static_cast<double>(root.f_frsize);
    const auto df_total = static_cast<double>(root.f_blocks - root.f_bfree + root.f_bavail) * block;
    CHECK(std::abs(static_cast<double>(space.total) / df_total - 1) < 0.01);
}

TEST_CASE("a file without a name can be written and read, and leaves nothing") {
    const support::TemporaryDirectory directory;
    {
        const auto file = os::unnamed_file(directory.path());
        const std::string text = "some text";
        os::write_all(file, std::as_bytes(std::span(text)), directory.path());
        std::string read(20, ' ');
        read.resize(os::read_at(file, std::as_writable_bytes(std::span(read)), 5, directory.path()));
        CHECK(read == "text");
        CHECK(std::filesystem::is_empty(directory.path()));
    }
    CHECK(std::filesystem::is_empty(directory.path()));
    CHECK_THROWS_AS(os::unnamed_file(directory / "missing"), base::Error);
}

TEST_CASE("what cannot be written on a read-only file system names the mount") {
    const support::TemporaryDirectory directory;
    CHECK(os::mount_point("/proc/self/no/such/file") == "/proc");
    CHECK(os::mount_point("/") == "/");
    const auto place = std::filesystem::canonical(directory.path());
    if (::mount(place.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        std::cout << "SKIPPED: only root can mount a file system read-only\n";
        return;
    }
    REQUIRE(::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    const auto file = error_of([&] { (void)os::create_file(place / "new"); });
    const auto made = error_of([&] { os::make_directories(place / "a/b"); });
    ::umount2(place.c_str(), MNT_DETACH);
    for (const auto& error : {file, made}) {
        CHECK(error.code() == ErrorCode::permission_denied);
        CHECK(error.hint().find("the file system at " + place.native() + " is mounted read-only") == 0);
        CHECK(error.hint().find("ReadWritePaths=") != std::string::npos);
    }
}
