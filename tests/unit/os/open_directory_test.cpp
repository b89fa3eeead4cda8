#include "os/open_directory.hpp"

#include "unit/os/support.hpp"

using namespace pgbakd;
using base::ErrorCode;
using Walk = os::OpenDirectory::Walk;

TEST_CASE("no link below an open directory is followed, however its paths are walked") {
    for (const auto walk : {Walk::best, Walk::by_name}) {
        const support::TemporaryDirectory directory;
        std::filesystem::create_directories(directory / "real/a/b");
        std::filesystem::create_directories(directory / "elsewhere/b");
        write(directory / "real/file", "x");
        write(directory / "elsewhere/file", "x");
        std::filesystem::create_directory_symlink("real", directory / "root");
        std::filesystem::create_directory_symlink("../elsewhere", directory / "real/out");
        std::filesystem::create_directory_symlink("b", directory / "real/a/within");
        std::filesystem::create_symlink("nowhere", directory / "real/dangling");
        std::filesystem::create_symlink("file", directory / "real/other");

        // The place itself may be reached by one.
        const auto root = os::OpenDirectory::open(directory / "root", walk);
        REQUIRE(root);
        CHECK(root->below(""));
        REQUIRE(root->below("a/b"));
        CHECK(root->below("a/b")->path() == directory / "root/a/b");
        CHECK_FALSE(root->below("missing/b"));
        CHECK_FALSE(root->below("file/b"));
        for (const auto* path : {"out", "out/b", "a/within", "a/within/c", "dangling", "other/x"}) {
            CAPTURE(path);
            const auto in_the_way = std::string(path).starts_with("a/") ? std::string("a/within")
                                                                        : std::filesystem::path(path).begin()->native();
            for (const auto& error :
                 {error_of([&] { (void)root->below(path); }), error_of([&] { (void)root->make_below(path); })}) {
                CHECK(error.code() == ErrorCode::invalid_configuration);
                CHECK(error.message() ==
                      (directory / "root" / in_the_way).native() + " is a symbolic link: none is followed there");
                CHECK_FALSE(error.hint().empty());
                CHECK_FALSE(error.is_passing());
            }
        }
        for (const auto* path : {"..", "a/..", "./a", "/etc"}) CHECK_THROWS_AS(root->below(path), base::Error);
        CHECK(std::distance(std::filesystem::directory_iterator(directory / "elsewhere"), {}) == 2);
        CHECK_FALSE(root->status("other")->is_regular);
        CHECK(error_of([&] { (void)root->open_for_reading("other"); }).code() == ErrorCode::not_found);
        CHECK(error_of([&] { (void)root->create_file("dangling"); }).code() == ErrorCode::conflict);
    }
}

TEST_CASE("what an open directory makes and removes stays in it, wherever it is moved") {
    const support::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "root");
    const auto root = os::OpenDirectory::open(directory / "root");
    REQUIRE(root);
    std::vector<std::filesystem::path> made;
    const auto below = root->make_below("a/b", [&](const os::OpenDirectory& parent, const os::OpenDirectory& of_it) {
        CHECK(of_it.path().parent_path() == parent.path());
        made.push_back(of_it.path());
    });
    CHECK(made == std::vector<std::filesystem::path>{directory / "root/a", directory / "root/a/b"});
    CHECK(mode_of(directory / "root/a/b") == 0700);
    std::filesystem::rename(directory / "root", directory / "moved");
    { const auto file = below.create_file("file"); }
    CHECK(below.list() == std::vector<std::string>{"file"});
    CHECK(std::filesystem::exists(directory / "moved/a/b/file"));
    CHECK_FALSE(root->below("a")->remove_directory("b"));
    below.remove_file("file");
    below.remove_file("file");
    CHECK(root->below("a")->remove_directory("b"));
    CHECK(root->make_below("a/b").list().empty());
    write(directory / "moved/plain", "");
    const auto error = error_of([&] { (void)root->make_below("plain/x"); });
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.message() == (directory / "root/plain").native() + " is not a directory");
    CHECK_FALSE(os::OpenDirectory::open(directory / "root"));
    CHECK(error_of([&] { (void)os::OpenDirectory::open(directory / "moved/plain"); }).code() == ErrorCode::conflict);
}
