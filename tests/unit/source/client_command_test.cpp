// Commands that run elsewhere: what is run here for them, and what real shells make of it.
#include "source/client_command.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "source/ssh_forward.hpp"
#include "support/catch.hpp"

namespace base = pgbakd::base;
namespace model = pgbakd::model;
namespace os = pgbakd::os;
namespace source = pgbakd::source;
using namespace std::chrono_literals;
using Where = model::ClientSpec::Where;
using Words = std::vector<std::string>;

namespace {

source::ClientWay way(Where where, const std::string& name) {
    return {{where, name, {}}, where == Where::docker ? "/usr/bin/docker" : "/usr/bin/ssh", 7s};
}

os::Command pg_dump(Words more = {}) {
    os::Command command;
    command.argv = {"/usr/lib/postgresql/15/bin/pg_dump", "--no-password"};
    command.argv.insert(command.argv.end(), more.begin(), more.end());
    command.environment = {{"PGPASSWORD", base::Secret(std::string("hunter2"))},
                           {"PGDATABASE", base::Secret(std::string("two\nlines"))},
                           {"PGAPPNAME", base::Secret(std::string("pgbakd/1"))}};
    return command;
}

// All that a program writes, until both its streams have ended.
struct Ran {
    std::string output;
    std::string errors;
    std::string ending;
};
Ran run(const os::Command& command) {
    auto child = os::Child::spawn(command);
    Ran ran;
    const auto drain = [](const os::Descriptor& file, std::string& text) {
        for (char buffer[65536];;) {
            struct pollfd wanted {
                file.get(), POLLIN, 0
            };
            ::poll(&wanted, 1, 60'000);
            const auto count = ::read(file.get(), buffer, sizeof buffer);
            if (count <= 0) return;
            text.append(buffer, static_cast<std::size_t>(count));
        }
    };
    drain(child.output(), ran.output);
    drain(child.errors(), ran.errors);
    struct pollfd ended {
        child.pidfd().get(), POLLIN, 0
    };
    ::poll(&ended, 1, 60'000);
    ran.ending = child.reap().text();
    return ran;
}

// The shells of this machine that an account may have.
Words shells() {
    Words found;
    for (const std::string shell :
         {"/bin/sh", "/bin/dash", "/bin/bash", "/bin/zsh", "/usr/bin/fish", "/bin/ksh", "/bin/mksh", "/bin/tcsh"})
        if (std::filesystem::exists(shell)) found.push_back(shell);
    return found;
}

// As sshd runs what ssh sends: one text, for the account's shell.
os::Command as_sshd_runs(const std::string& shell, os::Command sent) {
    sent.argv = {shell, "-c", sent.argv.back()};
    return sent;
}

Words nasty_words() {
    Words words{"",
                "with space",
                "$(touch /tmp/pgbakd-pwned)",
                "`id`",
                "'",
                "\"",
                "\\",
                "\\'",
                "it's \"a\" $HOME",
                "-rf",
                "--",
                "!",
                "!!",
                "a!b",
                "*",
                "~",
                "~root",
                "{a,b}",
                "a;b&c|d>e<f",
                "=ls",
                "#x",
                "tab\there",
                "Zürich 数据库",
                "%s%n",
                "\xff\xfe invalid \x80\x81\x88",
                std::string(63, 'n'),
                "${IFS}",
                "a\\nb",
                "^a^b",
                "[x]?",
                "(sub)"};
    std::string all;
    for (int c = 1; c < 256; ++c)
        if (c != '\n') all.push_back(static_cast<char>(c));
    words.push_back(all);
    return words;
}

}  // namespace

TEST_CASE("a command that runs here is left alone") {
    CHECK(source::command_there({}, pg_dump()).argv == pg_dump().argv);
}

TEST_CASE("docker gets the names of the variables, and takes their values from its environment") {
    const auto here = source::command_there(way(Where::docker, "erp_postgres"), pg_dump({"-T", "a b"}));
    const Words begin(here.argv.begin(), here.argv.begin() + 12);
    CHECK(begin == Words{"/usr/bin/docker", "exec", "-i", "-e", "PGPASSWORD", "-e", "PGDATABASE", "-e", "PGAPPNAME",
                         "erp_postgres", "/bin/sh", "-c"});
    const Words end(here.argv.begin() + 13, here.argv.end());
    CHECK(end == Words{"pgbakd", "/usr/lib/postgresql/15/bin/pg_dump", "--no-password", "-T", "a b"});
    for (const auto& word : here.argv) CHECK(word.find("hunter2") == std::string::npos);
    REQUIRE(here.environment.size() == 3);
    CHECK(here.environment[0].value.reveal() == "hunter2");
    CHECK(here.first_input.reveal() == ".\n");
}

TEST_CASE("ssh gets one text, and the environment by the program's input") {
    const auto here = source::command_there(way(Where::ssh, "backup@db1"), pg_dump());
    const auto dashes = std::find(here.argv.begin(), here.argv.end(), "--");
    REQUIRE(here.argv.end() - dashes == 3);
    CHECK(*(dashes + 1) == "backup@db1");
    CHECK((dashes + 2)->starts_with("exec /bin/sh -c '"));
    CHECK((dashes + 2)->ends_with(" pgbakd /usr/lib/postgresql/15/bin/pg_dump --no-password"));
    for (const std::string option : {"-T", "-x", "-a", "-oBatchMode=yes", "-oConnectTimeout=7", "-oControlPath=none",
                                     "-oServerAliveInterval=15", "-oClearAllForwardings=yes"})
        CHECK(std::find(here.argv.begin(), dashes, option) != dashes);
    for (const auto& word : here.argv) CHECK(word.find("hunter2") == std::string::npos);
    CHECK(here.first_input.reveal() ==
          "PGPASSWORD\n0\nhunter2\nPGDATABASE\n1\ntwo\nlines\nPGAPPNAME\n0\npgbakd/1\n.\n");
    // What the process is known by, and nothing else.
    REQUIRE(here.environment.size() == 1);
    CHECK(here.environment[0].name == "PGAPPNAME");
}

TEST_CASE("what belongs to the process here stays with it") {
    for (const auto where : {Where::docker, Where::ssh}) {
        auto there = pg_dump();
        there.nice = 10;
        there.capture_output = false;
        there.feed_input = true;
        const auto here = source::command_there(way(where, "db1"), there);
        CHECK(here.nice == 10);
        CHECK_FALSE(here.capture_output);
        CHECK(here.feed_input);
    }
}

TEST_CASE("a variable that no shell could have is refused") {
    for (const std::string name : {"", "A B", "1A", "A=B", "x;rm", "A\n"}) {
        auto there = pg_dump();
        there.environment.push_back({name, {}});
        CHECK_THROWS_AS(source::command_there(way(Where::ssh, "db1"), there), base::Error);
    }
    auto there = pg_dump();
    there.environment.push_back({"A", base::Secret(std::string("x\0y", 3))});
    CHECK_THROWS_AS(source::command_there(way(Where::ssh, "db1"), there), base::Error);
}

TEST_CASE("every shell of an account hands on arguments and environment as they are") {
    const auto words = nasty_words();
    std::string expected;
    for (const auto& word : words) expected += word + '\0';
    std::string value;
    for (int c = 1; c < 256; ++c) value.push_back(static_cast<char>(c));
    value += "\n\n$(id) 'x' \\ end\n";
    for (const auto& shell : shells()) {
        CAPTURE(shell);
        os::Command there;
        there.argv = {
            "/usr/bin/env", "-u", "PWD", "/bin/sh", "-c", R"(printf "%s\0" "$@"; printf "%s" "$NASTY")", "sh"};
        there.argv.insert(there.argv.end(), words.begin(), words.end());
        there.environment = {{"NASTY", base::Secret(value)}, {"EMPTY", {}}};
        const auto sent = source::command_there(way(Where::ssh, "db1"), there);
        const auto ran = run(as_sshd_runs(shell, sent));
        CHECK(ran.output == expected + value);
        CHECK(ran.errors == "");
        CHECK(ran.ending == "exit code 0");
    }
    CHECK_FALSE(std::filesystem::exists("/tmp/pgbakd-pwned"));
}

TEST_CASE("line ends in an argument arrive too") {
    for (const auto& shell : shells()) {
        if (shell == "/bin/tcsh") continue;  // which has no way to write one
        CAPTURE(shell);
        os::Command there;
        there.argv = {"/usr/bin/printf", "%s|", "a\nb", "\n", "c\n"};
        CHECK(run(as_sshd_runs(shell, source::command_there(way(Where::ssh, "db1"), there))).output == "a\nb|\n|c\n|");
    }
}

TEST_CASE("exit codes, signals, a working directory and a program that is not there") {
    struct Row {
        Words argv;
        std::string directory;
        std::string output;
        std::string ending;
    };
    const std::vector<Row> rows{
        {{"/bin/sh", "-c", "exit 3"}, "", "", "exit code 3"},
        {{"/bin/sh", "-c", "kill -KILL $$"}, "", "", "exit code 137"},
        {{"/bin/pwd"}, "/usr/lib", "/usr/lib\n", "exit code 0"},
        {{"/bin/pwd"}, "/no where", "", "exit code 126"},
        {{"/nowhere/pg_dump"}, "", "", "exit code 127"},
        {{"nice"}, "", "10\n", "exit code 0"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.argv, row.directory);
        os::Command there;
        there.argv = row.argv;
        there.working_directory = row.directory;
        there.nice = 10;
        auto sent = as_sshd_runs("/bin/sh", source::command_there(way(Where::ssh, "db1"), there));
        sent.nice = 0;  // ours, not that of over there
        const auto ran = run(sent);
        CHECK(ran.output == row.output);
        CHECK(ran.ending == row.ending);
    }
}

TEST_CASE("a program that ends at once leaves nobody waiting") {
    os::Command there;
    there.argv = {"/bin/true"};
    const auto sent = as_sshd_runs("/bin/sh", source::command_there(way(Where::ssh, "db1"), there));
    for (int i = 0; i < 100; ++i) REQUIRE(run(sent).ending == "exit code 0");
}

TEST_CASE("a program ends with its input, and so does one that would not") {
    for (const std::string script : {"exec /bin/sleep 1000", "trap '' TERM; while :; do /bin/sleep 1; done"}) {
        os::Command there;
        there.argv = {"/bin/sh", "-c", "echo begun; " + script};
        auto child = os::Child::spawn(as_sshd_runs("/bin/sh", source::command_there(way(Where::ssh, "db1"), there)));
        struct pollfd begun {
            child.output().get(), POLLIN, 0
        };
        REQUIRE(::poll(&begun, 1, 60'000) == 1);
        child.input().reset();
        struct pollfd ended {
            child.pidfd().get(), POLLIN, 0
        };
        REQUIRE(::poll(&ended, 1, 60'000) == 1);
        CHECK(child.reap().exit_code > 128);
    }
}

TEST_CASE("what is fed reads what is written behind the environment") {
    os::Command there;
    there.argv = {"/bin/sh", "-c", "echo \"$A\"; cat"};
    there.environment = {{"A", base::Secret(std::string("a"))}};
    there.feed_input = true;
    auto child = os::Child::spawn(as_sshd_runs("/bin/sh", source::command_there(way(Where::ssh, "db1"), there)));
    REQUIRE(::write(child.input().get(), "one\ntwo", 7) == 7);
    child.input().reset();
    std::string text;
    for (char buffer[256];;) {
        struct pollfd wanted {
            child.output().get(), POLLIN, 0
        };
        ::poll(&wanted, 1, 60'000);
        const auto count = ::read(child.output().get(), buffer, sizeof buffer);
        if (count <= 0) break;
        text.append(buffer, static_cast<std::size_t>(count));
    }
    CHECK(text == "a\none\ntwo");
}

TEST_CASE("a line is the whole input of what is not fed, and its end is still that of the connection") {
    const std::string secret = R"(geheim $(id) `id` "'\n%s\ -n)";
    for (const auto& shell : shells()) {
        CAPTURE(shell);
        os::Command there;
        there.argv = {"/bin/sh", "-c",
                      "cat; echo \"[$i]\"; env | grep -c \"geh[e]im\"; tr '\\0' ' ' </proc/$PPID/cmdline"};
        there.first_input = base::Secret(secret + "\n");
        const auto ran = run(as_sshd_runs(shell, source::command_there(way(Where::ssh, "db1"), there)));
        CHECK(ran.output.starts_with(secret + "\n[]\n0\n"));
        CHECK(ran.output.find("geheim", secret.size()) == std::string::npos);
        CHECK(ran.errors == "");
        CHECK(ran.ending == "exit code 0");
    }
    os::Command there;
    there.argv = {"/bin/sh", "-c", "cat; exec sleep 1000"};
    there.first_input = base::Secret(std::string("x\n"));
    auto child = os::Child::spawn(as_sshd_runs("/bin/sh", source::command_there(way(Where::ssh, "db1"), there)));
    struct pollfd waited {
        child.output().get(), POLLIN, 0
    };
    REQUIRE(::poll(&waited, 1, 60'000) == 1);
    child.input().reset();
    waited.fd = child.pidfd().get();
    REQUIRE(::poll(&waited, 1, 60'000) == 1);
    CHECK(child.reap().exit_code > 128);
}

TEST_CASE("the account in a destination of ssh") {
    CHECK(source::account_of("backup@db1") == "backup");
    CHECK(source::account_of("db1").empty());
    CHECK(source::account_of("ssh://backup@db1:2222") == "backup");
    CHECK(source::account_of("ssh://db1").empty());
    CHECK(source::account_of("a@corp@db1") == "a@corp");
}

TEST_CASE("a server as another host sees it, as ssh's -L takes it") {
    CHECK(source::forward_argument("/tmp/x", {}) == "/tmp/x/.s.PGSQL.5432:/var/run/postgresql/.s.PGSQL.5432");
    CHECK(source::forward_argument("/tmp/x", {"", 6543}) == "/tmp/x/.s.PGSQL.6543:/var/run/postgresql/.s.PGSQL.6543");
    CHECK(source::forward_argument("/tmp/x", {"/srv/a:b%", 5433}) == "/tmp/x/.s.PGSQL.5433:/srv/a\\:b%%/.s.PGSQL.5433");
    CHECK(source::forward_argument("/tmp/x", {"10.1.0.4", 0}) == "/tmp/x/.s.PGSQL.5432:10.1.0.4:5432");
    CHECK(source::forward_argument("/tmp/x", {"::1", 5433}) == "/tmp/x/.s.PGSQL.5433:[::1]:5433");
}
