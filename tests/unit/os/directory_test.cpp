#include "os/file.hpp"
#include "unit/os/support.hpp"

using namespace pgbakd;
using base::ErrorCode;

TEST_CASE("make_directories makes what is missing, for us alone") {
    const support::TemporaryDirectory directory;
    os::make_directories(directory / "a" / "b" / "c");
    CHECK(mode_of(directory / "a") == 0700);
    CHECK(mode_of(directory / "a" / "b" / "c") == 0700);
    os::make_directories(directory / "a" / "b" / "c");
    os::make_directories(directory / "a" / "d" / "");

    // A link to a directory, as an administrator sets one, serves.
    std::filesystem::create_directory_symlink(directory / "a", directory / "link");
    os::make_directories(directory / "link" / "e");
    CHECK(std::filesystem::is_directory(directory / "a" / "e"));

    write(directory / "file", "");
    const auto error = error_of([&] { os::make_directories(directory / "file"); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == (directory / "file").native() + " is not a directory");
    CHECK_THROWS_AS(os::make_directories(directory / "file" / "below"), base::Error);
    std::filesystem::create_symlink("nowhere", directory / "dangling");
    CHECK_THROWS_AS(os::make_directories(directory / "dangling"), base::Error);
}

TEST_CASE("make_directory says whether it was the one who made it") {
    const support::TemporaryDirectory directory;
    CHECK(os::make_directory(directory / "a"));
    CHECK_FALSE(os::make_directory(directory / "a"));
    CHECK(error_of([&] { (void)os::make_directory(directory / "b" / "c"); }).code() == ErrorCode::not_found);
}

TEST_CASE("list_directory gives all names, sorted, hidden ones too") {
    const support::TemporaryDirectory directory;
    for (const char* name : {"b", "a", ".c", "\xff"}) write(directory / name, "");
    CHECK(os::list_directory(directory.path()) == std::vector<std::string>{".c", "a", "b", "\xff"});
    CHECK(error_of([&] { (void)os::list_directory(directory / "none"); }).code() == ErrorCode::not_found);
}

TEST_CASE("rename_durably never replaces") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "from");
    write(directory / "from" / "file", "1");
    os::rename_durably(directory / "from", directory / "to");
    CHECK(contents(directory / "to" / "file") == "1");
    CHECK_FALSE(std::filesystem::exists(directory / "from"));

    // rename(2) alone would replace an empty directory without a word.
    std::filesystem::create_directory(directory / "empty");
    const auto error = error_of([&] { os::rename_durably(directory / "to", directory / "empty"); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == (directory / "empty").native() + " exists already");
    CHECK(contents(directory / "to" / "file") == "1");
    CHECK(error_of([&] { os::rename_durably(directory / "none", directory / "x"); }).code() == ErrorCode::not_found);
}

TEST_CASE("remove_tree removes links and not what they lead to") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_directories(directory / "outside" / "deep");
    write(directory / "outside" / "deep" / "precious", "1");
    const auto tree = directory / "tree";
    std::filesystem::create_directories(tree / "a" / "b");
    write(tree / "a" / "b" / "file", "1");
    write(tree / ".hidden", "1");
    std::filesystem::create_directory_symlink(directory / "outside", tree / "a" / "link");
    std::filesystem::create_symlink("/nowhere", tree / "dangling");

    os::remove_tree(tree / "");
    CHECK_FALSE(std::filesystem::exists(tree));
    CHECK(contents(directory / "outside" / "deep" / "precious") == "1");

    // A link in the tree's own place goes, its target stays.
    std::filesystem::create_directory_symlink(directory / "outside", tree);
    os::remove_tree(tree);
    CHECK_FALSE(std::filesystem::is_symlink(tree));
    CHECK(contents(directory / "outside" / "deep" / "precious") == "1");

    os::remove_tree(tree);  // nothing there
    os::remove_tree(directory / "none" / "below");
    for (const char* path : {"", "/", ".", "..", "/tmp/.."})
        CHECK(error_of([&] { os::remove_tree(path); }).code() == ErrorCode::invalid_argument);
}

TEST_CASE("remove_tree gives up on a tree that is too deep, without overflow") {
    const support::TemporaryDirectory directory;
    auto path = directory / "tree";
    for (int depth = 0; depth < 140; ++depth) path /= "d";
    std::filesystem::create_directories(path);
    const auto error = error_of([&] { os::remove_tree(directory / "tree"); });
    CHECK(error.message().find("nested too deeply") != std::string::npos);
}

TEST_CASE("remove_file bears a file that is gone") {
    const support::TemporaryDirectory directory;
    write(directory / "file", "");
    os::remove_file(directory / "file");
    os::remove_file(directory / "file");
    CHECK_FALSE(std::filesystem::exists(directory / "file"));
}
