// What is asked of TDengine's programs elsewhere, and what real shells make of it.
#include "source/taosdump_there.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;
using base::ErrorCode;

namespace {

constexpr const char* version = "taosdump version: 3.3.6.3";

void write_program(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

struct Ran {
    std::string output;
    std::string ending;
};
Ran run(os::Command command, const std::filesystem::path& directory) {
    command.environment = {{"TMPDIR", base::Secret(directory.native())}};
    auto child = os::Child::spawn(command);
    Ran ran;
    const int flags = ::fcntl(child.output().get(), F_GETFL);
    ::fcntl(child.output().get(), F_SETFL, flags & ~O_NONBLOCK);
    for (char buffer[4096];;) {
        const auto count = ::read(child.output().get(), buffer, sizeof buffer);
        if (count <= 0) break;
        ran.output.append(buffer, static_cast<std::size_t>(count));
    }
    ran.ending = child.reap().text();
    return ran;
}

std::size_t entries(const std::filesystem::path& directory) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("where TDengine's programs are is told by one question") {
    const support::TemporaryDirectory bin;
    const support::TemporaryDirectory scratch;
    model::ClientSpec client{model::ClientSpec::Where::docker, "tdengine", bin.path()};
    const auto ask = [&] {
        os::Command command;
        command.argv = source::taos_programs_question(client);
        return source::parse_taos_programs(client, run(command, scratch.path()).output);
    };
    CHECK(ask().error().message() == "in container tdengine there is no program taosdump in " + bin.path().native());
    CHECK(ask().error().code() == ErrorCode::client_missing);
    write_program(bin / "taosdump", std::string("echo ready; echo ") + version + "\n");
    REQUIRE(ask());
    CHECK(ask()->taosdump == bin / "taosdump");
    CHECK(ask()->version == version);
    CHECK(ask()->taos.empty());
    write_program(bin / "taos", "");
    CHECK(ask()->taos == bin / "taos");
    write_program(bin / "taosdump", "exit 3\n");
    CHECK(ask().error().message() == (bin / "taosdump").native() + " -V names no version in container tdengine");
    CHECK(source::parse_taos_programs(client, "Welcome!\n").error().code() == ErrorCode::invalid_configuration);
}

TEST_CASE("a dump is made in a directory of its own, and comes behind its result file") {
    const support::TemporaryDirectory scratch;
    std::filesystem::create_directory(scratch / "pgbakd-x.left00");
    std::filesystem::create_directory(scratch / "pgbakd-y.others");
    os::Command program;
    program.argv = {"/bin/sh", "-c",
                    "echo progress; [ -d dump ] && [ -d \"$TAOS_LOG_DIR\" ] && stat -c %a . >dump_result.txt; "
                    "echo sql >dump/dbs.sql; mkdir dump/e; echo 'a b' >\"dump/e/-x y\""};
    const auto ran = run(source::taosdump_there(program, "pgbakd-x"), scratch.path());
    CHECK(ran.ending == "exit code 0");
    const auto line = ran.output.substr(0, ran.output.find('\n'));
    REQUIRE(source::parse_dump_head(line).value() == 4);
    CHECK(ran.output.substr(line.size() + 1, 4) == "700\n");
    CHECK(ran.output.find("dbs.sql") == line.size() + 5);
    CHECK(ran.output.find("e/-x y") != std::string::npos);
    CHECK(entries(scratch.path()) == 1);  // another one's

    program.argv.back() = "touch dump/dbs.sql; exit 255";
    const auto failed = run(source::taosdump_there(program, "pgbakd-x"), scratch.path());
    CHECK(failed.output.empty());
    CHECK(failed.ending == "exit code 254");  // 255 is ssh's own
    program.argv.back() = "touch dump/dbs.sql";
    CHECK(run(source::taosdump_there(program, "pgbakd-x"), scratch.path()).output.starts_with("pgbakd-result 0\n"));
    program.argv.back() = "touch \"$HOME/history\"; echo \"$HOME\"";
    const auto asked = run(source::taos_there(program), scratch.path());
    CHECK(asked.ending == "exit code 0");
    CHECK(asked.output.starts_with((scratch / "pgbakd-taos.").native()));
    CHECK(entries(scratch.path()) == 1);
}

TEST_CASE("the first line of a dump from elsewhere") {
    CHECK(source::parse_dump_head("pgbakd-result 123").value() == 123);
    for (const char* line : {"", "pgbakd-result", "pgbakd-result ", "pgbakd-result -1", "pgbakd-result 1x", "motd",
                             "pgbakd-result 99999999999999999999"})
        CHECK(source::parse_dump_head(line).error().code() == ErrorCode::program_failed);
}
