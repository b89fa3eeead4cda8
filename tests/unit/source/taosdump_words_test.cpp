// What TDengine's programs say, in the words of their sources, and what is made of it.
#include "source/taosdump_words.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using base::ErrorCode;
using source::TaosdumpMessages;
using Lines = std::vector<std::string>;

namespace {

constexpr const char* unreachable =
    "Failed to connect to server db, code: 0x8000000b, reason: Unable to establish connection! ";
constexpr const char* unreadable =
    "Failed to execute taosQuery, code: 0x80002603, reason: Table does not exist, sql=SELECT * FROM m.`d1` ";

// As async::Child hands them on: its escapes have become "?".
std::string coloured(int colour, const std::string& text) {
    return "?[0m?[" + std::to_string(colour) + "m" + text;
}

TaosdumpMessages messages(const Lines& lines, const std::string& password = "") {
    TaosdumpMessages found{base::Secret(password)};
    for (const auto& line : lines) found.take(line);
    return found;
}

std::string result(const std::string& body, int databases = 1, const std::string& rows = "12") {
    return "========== arguments config =========\ndatabasesSeq: m\n========== DUMP OUT ========== \n" + body +
           "\n============================== TOTAL STATISTICS ============================== \n"
           "# total database count:     " +
           std::to_string(databases) + "\n# total super table count:  0\n# total row count:          " + rows +
           "\nend time: 2026-11-22 05:22:26\n\n";
}
const std::string one = "\n#### database:                       m\n";

}  // namespace

TEST_CASE("taosdump: an ERROR line is a failure, whatever the exit code") {
    CHECK_FALSE(messages({}).failed());
    CHECK_FALSE(messages({"?[32mOK: Database m dumped", "?[0m"}).failed());
    CHECK_FALSE(messages({coloured(33, "WARN: database: m has 0 tables")}).failed());
    CHECK(messages({coloured(31, "ERROR: stable: s dump out failed")}).failed());
    CHECK(messages({std::string("\033[31mERROR: ") + unreadable}).failed());
}

TEST_CASE("taosdump: an error that it got over is none") {
    const auto error = [](const char* text) { return coloured(31, std::string("ERROR: ") + text); };
    const std::string connected = coloured(32, "OK: Retry 2 to connect db:6030 successfully!");
    CHECK_FALSE(messages({error(unreachable), error(unreachable), connected}).failed());
    CHECK(messages({error(unreachable), error(unreachable), error(unreachable), connected}).failed());
    CHECK_FALSE(
        messages({error(unreadable), coloured(32, "OK: Retry 1 to execute taosQuery SELECT successfully!")}).failed());
    // One kind does not make up for another.
    CHECK(messages({error(unreadable), coloured(32, "OK: Retry 1 to connect db:6030 successfully!")}).failed());
    CHECK(messages({error(unreachable), error(unreachable), connected}).remarks() ==
          Lines{std::string("2 attempts failed, and a later one did not: ") +
                "Failed to connect to server db, code: 0x8000000b, reason: Unable to establish connection!"});
}

TEST_CASE("taosdump: what is told of it, without colours and passwords") {
    const auto found =
        messages({"Cannot get the attribution of the terminal: Inappropriate ioctl for device",
                  coloured(33, "WARN: database: m has 0 tables"), coloured(32, "OK: 1200 row(s) dumped out!"),
                  coloured(31, "ERROR: bad hunter22, hunter22!")},
                 "hunter22");
    CHECK(found.remarks() == Lines{"database: m has 0 tables"});
    CHECK(found.rows() == 1200);
    CHECK(found.words() == "bad ***, ***!");
    CHECK(messages({"a", "b", "c", "d", "e", "?[0m", "f"}).words() == "b; c; d; e; f");
}

TEST_CASE("taosdump: causes and whether they pass") {
    struct Row {
        std::string error;
        ErrorCode code;
        bool passing;
    };
    for (const auto& row : std::vector<Row>{
             {"Failed to connect to server db, code: 0x80000357, reason: Authentication failure! ",
              ErrorCode::authentication_failed, false},
             {unreachable, ErrorCode::unreachable, true},
             {"0 database(s) valid to dump", ErrorCode::not_found, false},
             {"write to file. Errno is 28. Reason is No space left on device.", ErrorCode::no_space, false},
             {"reason: Permission denied", ErrorCode::permission_denied, false},
             {"something else", ErrorCode::program_failed, false},
         }) {
        CAPTURE(row.error);
        const auto error = source::taosdump_failure(
            "taosdump of \"m\"", "exit code 255", false,
            messages({coloured(31, "ERROR: " + row.error), coloured(31, "ERROR: 0 row(s) dumped out!")}));
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK(error.message().starts_with("taosdump of \"m\" failed: exit code 255: "));
        CHECK(error.message().find("0 row(s)") == std::string::npos);
    }
    CHECK(source::taosdump_failure("x", "killed by signal 9 (SIGKILL)", true, messages({})).is_passing());
}

TEST_CASE("taosdump: its result file") {
    CHECK(source::parse_taosdump_result(result(one), "m").value() == 12);
    CHECK(source::parse_taosdump_result(result(one, 1, "0"), "m").value() == 0);
    CHECK(source::parse_taosdump_result(result("# SHOW VARIABLES failed, code: 0x1, reason:x\n" + one), "m").value() ==
          12);
    const auto said = [](const std::string& text) {
        const auto found = source::parse_taosdump_result(text, "m");
        return found ? std::string("good") : found.error().message();
    };
    CHECK(said("") == "its result file is not whole");
    CHECK(said(result(one).substr(0, 150)) == "its result file is not whole");
    CHECK(said(result(one, 1, "many")) == "its result file is not whole");
    CHECK(said(result(one, 1, "-5")) == "its result file is not whole");
    const auto whole = result(one);
    CHECK(said(whole.substr(0, whole.find("end time"))) == "its result file is not whole");
    CHECK(said(result("", 0)) == "its result file is not of \"m\" alone: 0 databases");
    CHECK(said(result(one + "\n#### database: n\n", 2)) == "its result file is not of \"m\" alone: 2 databases, m, n");
    CHECK(said(result("\n#### database: n\n")) == "its result file is not of \"m\" alone: 1 database, n");
    CHECK(said(result(one + "# table d0 failed\n")) == "its result file tells of a failure: # table d0 failed");
    CHECK(said(std::string(100'000, '#')) == "its result file is not whole");
}

TEST_CASE("taosdump: its version") {
    CHECK(source::taosdump_version("TDengine TSDB-OSS\r\ntaosdump version: 3.3.7.0\ngit: fdd22688\n") ==
          "taosdump version: 3.3.7.0");
    CHECK(source::taosdump_version("taosdump version 2.2.2\n") == "taosdump version 2.2.2");
    CHECK(source::taosdump_version("usage: taosdump\n").empty());
}

TEST_CASE("taos: the databases of a server") {
    const auto vertical = [](const Lines& names, std::size_t counted) {
        std::string text =
            "Enter password: Welcome\r\n\r\ntaos> show databases\\G\r\n*** 1.row ***\r\nserver_version(): 3.3.6.3\r\n"
            "Query OK, 1 row(s) in set (0.001s)\r\n\r\n";
        for (std::size_t i = 0; i < names.size(); ++i)
            text += "**** " + std::to_string(i + 1) + ".row ****\r\n   name: " + names[i] + "\r\nntables: 3\r\n";
        return text + "Query OK, " + std::to_string(counted) + " row(s) in set (0.001s)\r\n\r\n";
    };
    const Lines all{"information_schema", "performance_schema", "log", "a name: b", "m"};
    const auto answer = source::parse_taos_answer(vertical(all, 5), "exit code 0", "").value();
    CHECK(answer.server_version == "3.3.6.3");
    CHECK(answer.databases == Lines{"log", "a name: b", "m"});
    CHECK(source::parse_taos_answer(vertical({all[0], all[1]}, 2), "exit code 0", "").value().databases.empty());

    const auto said = [](std::string_view output, std::string_view errors = "") {
        return source::parse_taos_answer(output, "exit code 255", errors).error();
    };
    // Cut off, or of another count: not all of them.
    CHECK(said(vertical(all, 6)).code() == ErrorCode::server_error);
    CHECK(said(vertical(all, 5).substr(0, 300)).code() == ErrorCode::server_error);
    CHECK(said("").message() == "asking with taos failed: exit code 255: ");
    const auto refused = said("Welcome\r\nfailed to connect to server, reason: Authentication failure\n");
    CHECK(refused.code() == ErrorCode::authentication_failed);
    CHECK(refused.message() ==
          "asking with taos failed: exit code 255: failed to connect to server, reason: Authentication failure");
    CHECK(said("failed to connect to server, reason: Conn is broken\n").is_passing());
    CHECK(said("Welcome", "DB error: Permission denied (0.0s)").code() == ErrorCode::permission_denied);
}

TEST_CASE("taosdump: passwords and names that it takes as they are") {
    const auto takes = [](const std::string& text) {
        return source::check_taos_password(base::Secret(text)).has_value();
    };
    CHECK(takes(""));
    CHECK(takes("a!$'\"\\`~ü"));
    CHECK(takes(std::string(255, 'x')));
    CHECK_FALSE(takes(std::string(256, 'x')));
    CHECK_FALSE(takes("two words"));
    CHECK_FALSE(takes("a\n"));
    CHECK_FALSE(takes("a\tb"));
    CHECK(source::fits_taos_shell(base::Secret(std::string(128, 'x'))));
    CHECK_FALSE(source::fits_taos_shell(base::Secret(std::string(129, 'x'))));
    for (const auto* name : {"m", "market_data2", "_x"}) CHECK_FALSE(source::needs_quotes(name));
    for (const auto* name : {"Market", "2m", "a-b", "a b", "größe", ""}) CHECK(source::needs_quotes(name));
}
