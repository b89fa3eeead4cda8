// What happens to files while they are read, done by hooks between the steps of the reader.

#include <algorithm>

#include "files_support.hpp"

using namespace pgbakd::source;
using namespace pgbakd::source::testing;

namespace {

// Stores a directory of "a", "b" and "c" while something is done to "b" once its header is written.
struct Changed {
    support::TemporaryDirectory from;
    support::TemporaryDirectory to;
    Stored stored;

    template <class Change>
    Changed(std::string_view content, Change change) {
        for (const char* name : {"a", "c"}) write_file(from / name, "fine");
        write_file(from / "b", content);
        FilesHooks hooks;
        hooks.announced = [&](const std::string& path) {
            if (path == (from / "b").native()) change(from / "b");
        };
        stored = store(options_for({from.path()}), hooks);
        CHECK(unpack(stored.tar, to.path()).empty());
        CHECK(read_text(below(to.path(), from / "a")) == "fine");
        CHECK(read_text(below(to.path(), from / "c")) == "fine");
    }
    [[nodiscard]] std::string result() const { return read_text(below(to.path(), from / "b")); }
    // What was said of it, without its path.
    [[nodiscard]] Lines said() const {
        auto lines = stored.report.lines();
        const auto prefix = (from / "b").native() + ": ";
        for (auto& line : lines)
            if (line.starts_with(prefix)) line.erase(0, prefix.size());
        return lines;
    }
};

}  // namespace

TEST_CASE("a file that shrinks while it is read is filled up with zeros") {
    const std::string content(700'000, 'x');
    const Changed changed(content, [](const fs::path& path) { fs::resize_file(path, 300'000); });
    CHECK(changed.result() == std::string(300'000, 'x') + std::string(400'000, '\0'));
    CHECK(changed.said() == Lines{"shrank while it was read: 400000 bytes filled up with zeros"});
    CHECK(changed.stored.report.verdict() == FilesReport::Verdict::changed);
}

TEST_CASE("a file that is emptied while it is read is filled up with zeros") {
    const Changed changed("abc", [](const fs::path& path) { fs::resize_file(path, 0); });
    CHECK(changed.result() == std::string(3, '\0'));
    CHECK(changed.said() == Lines{"shrank while it was read: 3 bytes filled up with zeros"});
}

TEST_CASE("a file that grows while it is read is cut where it ended") {
    const Changed changed(std::string(300'000, 'x'), [](const fs::path& path) {
        std::ofstream(path, std::ios::app) << std::string(500'000, 'y');
    });
    CHECK(changed.result() == std::string(300'000, 'x'));
    CHECK(changed.said() == Lines{"grew while it was read: its first 300000 bytes are stored"});
    CHECK(changed.stored.report.changes() == 1);
}

TEST_CASE("an empty file that grows while it is read stays empty") {
    const Changed changed("", [](const fs::path& path) { write_file(path, "y"); });
    CHECK(changed.result().empty());
    CHECK(changed.said() == Lines{"grew while it was read: its first 0 bytes are stored"});
}

TEST_CASE("a file that is written while it is read is said to have changed") {
    const Changed changed("abc", [](const fs::path& path) {
        write_file(path, "def");
        const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, timespec{1, 0}};
        REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
    });
    CHECK(changed.result() == "def");
    CHECK(changed.said() == Lines{"changed while it was read"});
}

TEST_CASE("a file that is removed or replaced once it was opened is stored as it was") {
    const Changed removed("abc", [](const fs::path& path) { fs::remove(path); });
    CHECK(removed.result() == "abc");
    CHECK(removed.said() == Lines{});
    const Changed replaced("abc", [](const fs::path& path) {
        fs::remove(path);
        fs::create_symlink("/etc/passwd", path);
    });
    CHECK(replaced.result() == "abc");
    CHECK(replaced.said() == Lines{});
}

TEST_CASE("a file that vanishes before it is read is said, and nothing of it is stored") {
    const support::TemporaryDirectory from;
    for (const char* name : {"a", "b", "c"}) write_file(from / name, "x");
    FilesHooks hooks;
    hooks.found = [&](const std::string& path) {
        if (path.ends_with("/a")) fs::remove(from / "b");
    };
    const auto stored = store(options_for({from.path()}), hooks);
    const auto top = from.path().native();
    CHECK(members(stored.tar) == Lines{top.substr(1) + "/", top.substr(1) + "/a", top.substr(1) + "/c"});
    CHECK(stored.report.lines() == Lines{top + "/b: vanished before it was read"});
    CHECK(stored.report.verdict() == FilesReport::Verdict::changed);
}

TEST_CASE("a directory that is swapped for a link while the tree is read leads nowhere else") {
    const support::TemporaryDirectory from;
    const support::TemporaryDirectory elsewhere;
    write_file(elsewhere / "x", "secret");
    write_file(elsewhere / "y", "secret");
    for (const char* name : {"in", "later"}) {
        fs::create_directory(from / name);
        write_file(from / name / "x", "mine");
        write_file(from / name / "y", "mine");
    }
    FilesHooks hooks;
    hooks.found = [&](const std::string& path) {
        if (!path.ends_with("/in/x")) return;
        for (const char* name : {"in", "later"}) {
            fs::rename(from / name, from / (std::string("moved ") + name));
            fs::create_directory_symlink(elsewhere.path(), from / name);
        }
    };
    const auto stored = store(options_for({from.path()}), hooks);
    const support::TemporaryDirectory to;
    CHECK(unpack(stored.tar, to.path()).empty());
    const auto result = below(to.path(), from.path());
    // What was listed before is read where it is by now; what comes later is the link that it is.
    CHECK(read_text(result / "in/x") == "mine");
    CHECK(read_text(result / "in/y") == "mine");
    CHECK(fs::is_symlink(result / "later"));
    const std::string_view tar(reinterpret_cast<const char*>(stored.tar.data()), stored.tar.size());
    CHECK(tar.find("secret") == std::string_view::npos);
}

TEST_CASE("a deep tree that is moved while it is read is not found again, and that is said") {
    const support::TemporaryDirectory from;
    auto path = from / "top";
    fs::create_directory(path);
    for (int level = 0; level < 100; ++level) {
        write_file(path / "z", "x");
        path /= "l";
        fs::create_directory(path);
    }
    write_file(path / "last", "x");
    FilesHooks hooks;
    hooks.found = [&](const std::string& file) {
        if (file.ends_with("/last")) fs::rename(from / "top/l/l", from / "elsewhere");
    };
    const auto stored = store(options_for({from / "top"}), hooks);
    CHECK(stored.report.verdict() == FilesReport::Verdict::incomplete);
    CHECK(stored.report.failures() > 0);
    const auto lines = stored.report.lines();
    CHECK(lines.front().ends_with("was moved while it was read: what comes after l in it is not stored"));
    // What is still where it was is stored.
    const auto names = members(stored.tar);
    CHECK(std::find(names.begin(), names.end(), (from / "top/z").native().substr(1)) != names.end());
    CHECK(std::find(names.begin(), names.end(), (from / "top/l/z").native().substr(1)) != names.end());
}

TEST_CASE("of many remarks the first are told, and how many more there were") {
    const support::TemporaryDirectory from;
    std::vector<fs::path> paths;
    for (int i = 100; i < 150; ++i) paths.push_back(from / std::to_string(i));
    write_file(from / "there", "x");
    paths.push_back(from / "there");
    const auto stored = store(options_for(paths));
    const auto lines = stored.report.lines();
    REQUIRE(lines.size() == FilesReport::most + 1);
    CHECK(lines.front() == (from / "100").native() + ": does not exist");
    CHECK(lines.back() == "and 30 more that could not be stored as they are");
    CHECK(stored.report.failures() == 50);
}

TEST_CASE("secrets are taken out of what is stored, and the rest is as it was") {
    const support::TemporaryDirectory from;
    const support::TemporaryDirectory to;
    write_file(from / ".env", "A=1\nDB_PASSWORD=hunter2\n");
    write_file(from / "compose.yml", "environment:\n  - PASSWORD=hunter2\n");
    write_file(from / "broken.json", "{\"password\": \"hunter2\"");
    write_file(from / "large.ini", "password=hunter2\n" + std::string(FilesReader::most_redacted, '#'));
    write_file(from / "notes.txt", "PASSWORD=not a secret here\n");
    fs::create_hard_link(from / ".env", from / "0 hard link.env");
    fs::permissions(from / ".env", fs::perms(0640));
    const auto stored = store(options_for({from.path()}, {}, {"*PASSWORD*"}));
    CHECK(unpack(stored.tar, to.path()).empty());
    const auto result = below(to.path(), from.path());
    CHECK(read_text(result / ".env") == "A=1\nDB_PASSWORD=***\n");
    CHECK(read_text(result / "0 hard link.env") == "A=1\nDB_PASSWORD=***\n");
    CHECK(fs::status(result / ".env").permissions() == fs::perms(0640));
    CHECK(read_text(result / "compose.yml") == "environment:\n  - PASSWORD=***\n");
    CHECK(read_text(result / "notes.txt") == "PASSWORD=not a secret here\n");
    CHECK(!fs::exists(result / "broken.json"));
    CHECK(!fs::exists(result / "large.ini"));
    const auto top = from.path().native();
    CHECK(stored.report.lines() ==
          Lines{top + "/broken.json: left out, as its secrets cannot be taken out: line 1: no comma between values",
                top + "/large.ini: left out, as its secrets cannot be taken out: larger than 8388608 bytes"});
    CHECK(stored.report.verdict() == FilesReport::Verdict::incomplete);
    const std::string_view tar(reinterpret_cast<const char*>(stored.tar.data()), stored.tar.size());
    CHECK(tar.find("hunter2") == std::string_view::npos);
    // Nobody asked for it: then all is stored.
    CHECK(store(options_for({from.path()})).report.lines().empty());
}

TEST_CASE("what may not be read is named, and the rest is stored") {
    const support::TemporaryDirectory from;
    for (const char* name : {"a", "b", "c"}) write_file(from / name, "x");
    fs::create_directory(from / "closed");
    write_file(from / "closed/x", "x");
    fs::permissions(from / "b", fs::perms::none);
    fs::permissions(from / "closed", fs::perms::none);
    fs::permissions(from.path(), fs::perms(0755));
    const bool is_root = ::geteuid() == 0;
    if (is_root) REQUIRE(::seteuid(65'534) == 0);
    const auto stored = store(options_for({from.path()}));
    if (is_root) REQUIRE(::seteuid(0) == 0);
    fs::permissions(from / "closed", fs::perms::owner_all);
    const auto top = from.path().native();
    CHECK(members(stored.tar) ==
          Lines{top.substr(1) + "/", top.substr(1) + "/a", top.substr(1) + "/c", top.substr(1) + "/closed/"});
    CHECK(stored.report.failures() == 2);
    const auto lines = stored.report.lines();
    CHECK(lines.front().starts_with(top + "/b: "));
    CHECK(lines.back().starts_with(top + "/closed: "));
    CHECK(stored.report.verdict() == FilesReport::Verdict::incomplete);
}
