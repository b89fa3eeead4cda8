// Which names a pattern matches, and what is excluded.
#include <array>

#include "model/name_pattern.hpp"
#include "model/path_excludes.hpp"
#include "source/files_links.hpp"
#include "support/catch.hpp"

using namespace pgbakd::source;

TEST_CASE("names match patterns as shells have it") {
    struct Row {
        std::string_view pattern;
        std::string_view name;
        bool matches;
    };
    constexpr std::array rows{
        Row{"a", "a", true},
        Row{"a", "A", false},
        Row{"a", "ab", false},
        Row{"*", "", true},
        Row{"*", ".hidden", true},
        Row{"*.tmp", "x.tmp", true},
        Row{"*.tmp", ".tmp", true},
        Row{"*.tmp", "x.tmp2", false},
        Row{"a*b*c", "axxbyyc", true},
        Row{"a*b*c", "abbcc", true},
        Row{"a*b*c", "acb", false},
        Row{"*ab", "aab", true},
        Row{"a**b", "ab", true},
        Row{"?", "a", true},
        Row{"?", "", false},
        Row{"?", "\xC3\xA4", true},
        Row{"??", "\xC3\xA4", false},
        Row{"?", "\xFF", true},
        Row{"*\xFF", "a\xFF", true},
        Row{"[a-c]x", "bx", true},
        Row{"[a-c]x", "dx", false},
        Row{"[!a-c]", "d", true},
        Row{"[^a-c]", "b", false},
        Row{"[]a]", "]", true},
        Row{"[!]a]", "]", false},
        Row{"[a-]", "-", true},
        Row{"[\\]]", "]", true},
        Row{"[\\a-c]", "b", true},
        Row{"[\xC3\xA4-\xC3\xB6]", "\xC3\xB5", true},
        Row{"\\*", "*", true},
        Row{"\\*", "a", false},
        Row{"\\a", "a", true},
        Row{"a]", "a]", true},
        Row{"\\!x", "!x", true},
    };
    for (const auto& row : rows) {
        INFO(row.pattern << " " << row.name);
        CHECK(pgbakd::model::NamePattern::parse(row.pattern).value().matches(row.name) == row.matches);
    }
}

TEST_CASE("letters of either case, where that is asked for") {
    const auto pattern =
        pgbakd::model::NamePattern::parse("*Pass[a-w]ord*", pgbakd::model::NamePattern::Case::any).value();
    CHECK(pattern.matches("DB_PASSWORD"));
    CHECK(pattern.matches("my-password-2"));
    CHECK(!pattern.matches("PASS_ORD"));
    CHECK(!pgbakd::model::NamePattern::parse("[!a]", pgbakd::model::NamePattern::Case::any).value().matches("A"));
}

TEST_CASE("patterns that are none are refused") {
    for (const char* pattern : {"", "[", "[a", "[]", "[!]", "a\\", "[a\\", "[z-a]", "[[:alpha:]]"}) {
        INFO(pattern);
        CHECK(!pgbakd::model::NamePattern::parse(pattern));
    }
    for (const char* pattern : {"", "/", "a//b", "a/../b", "./a", "!a", "a/[", "//"}) {
        INFO(pattern);
        CHECK(!pgbakd::model::PathExcludes::parse(std::vector<std::string>{pattern}));
    }
}

TEST_CASE("a pattern that is made to be slow is not") {
    std::string stars;
    for (int i = 0; i < 500; ++i) stars += "*a";
    const std::string name(5'000, 'a');
    CHECK(pgbakd::model::NamePattern::parse(stars).value().matches(name));
    CHECK(!pgbakd::model::NamePattern::parse(stars + "b").value().matches(name));
    std::string levels;
    std::string path = "/base";
    for (int i = 0; i < 100; ++i) levels += "**/a*/";
    for (int i = 0; i < 1'000; ++i) path += "/a";
    const auto excludes = pgbakd::model::PathExcludes::parse(std::vector<std::string>{levels + "b"}).value();
    const std::array<std::size_t, 1> bases{6};
    CHECK(!excludes.exclude(path, bases, false));
    CHECK(excludes.exclude(path + "/b", bases, false));
}

TEST_CASE("what is excluded below the paths given") {
    struct Row {
        std::string pattern;
        std::string_view path;
        bool excluded;
        bool is_directory = false;
    };
    const std::array rows{
        Row{"*.tmp", "/srv/erp/x.tmp", true},
        Row{"*.tmp", "/srv/erp/a/b/x.tmp", true},
        Row{"erp", "/srv/erp/x", false},
        Row{"cache/**", "/srv/erp/cache/x", true},
        Row{"cache/**", "/srv/erp/cache/x/y", true},
        Row{"cache/**", "/srv/erp/cache", false, true},
        Row{"cache/**", "/srv/erp/sub/cache/x", false},
        Row{"**/cache/**", "/srv/erp/sub/cache/x", true},
        Row{"**/cache/**", "/srv/erp/cache/x", true},
        Row{"**/cache", "/srv/erp/a/b/cache", true},
        Row{"a/**/b", "/srv/erp/a/b", true},
        Row{"a/**/b", "/srv/erp/a/x/y/b", true},
        Row{"a/**/b", "/srv/erp/a/x/y", false},
        Row{"a/**/**/b", "/srv/erp/a/b", true},
        Row{"a/*", "/srv/erp/a/x", true},
        Row{"a/*", "/srv/erp/a/x/y", false},
        Row{"a/*.lo[gk]", "/srv/erp/a/x.log", true},
        Row{"/srv/erp/a", "/srv/erp/a", true},
        Row{"/srv/*/a", "/srv/erp/a", true},
        Row{"/a", "/srv/erp/a", false},
        Row{"/srv/**", "/srv/erp/a", true},
        Row{"logs/", "/srv/erp/logs", true, true},
        Row{"logs/", "/srv/erp/logs", false},
        Row{"a/logs/", "/srv/erp/a/logs", true, true},
        Row{"**", "/srv/erp/a", true},
        Row{"\\!a", "/srv/erp/!a", true},
    };
    const std::array<std::size_t, 1> bases{9};
    for (const auto& row : rows) {
        INFO(row.pattern << " " << row.path);
        const auto excludes = pgbakd::model::PathExcludes::parse(std::vector<std::string>{row.pattern}).value();
        CHECK(excludes.exclude(row.path, bases, row.is_directory) == row.excluded);
    }
    // Relative to any of the paths that it lies in.
    const std::array<std::size_t, 2> two{5, 9};
    const auto excludes = pgbakd::model::PathExcludes::parse(std::vector<std::string>{"erp/a", "b"}).value();
    CHECK(excludes.exclude("/srv/erp/a", two, false));
    CHECK(!excludes.exclude("/srv/erp/a", bases, false));
}

TEST_CASE("files of several names are remembered as long as names are missing, and no more than memory is given for") {
    const auto file = [](ino_t inode, nlink_t names) {
        struct stat made {};
        made.st_ino = inode;
        made.st_nlink = names;
        return made;
    };
    FilesLinks links(300);
    CHECK(links.find(file(1, 3)) == nullptr);
    links.add(file(1, 3), "one");
    auto changed = file(1, 3);
    changed.st_size = 5;
    CHECK(links.find(changed) == nullptr);
    for (int i = 0; i < 2; ++i) {
        const auto* found = links.find(file(1, 3));
        REQUIRE(found != nullptr);
        CHECK(*found == "one");
    }
    CHECK(links.find(file(1, 3)) == nullptr);
    links.add(file(2, 1), "alone");
    CHECK(links.find(file(2, 1)) == nullptr);
    for (ino_t inode = 10; inode < 15; ++inode) links.add(file(inode, 2), "x");
    CHECK(links.find(file(11, 2)) != nullptr);
    CHECK(links.find(file(12, 2)) == nullptr);
}
