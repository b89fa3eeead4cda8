// What TDengine's programs say, and what it means. Pure.
//
// Sources: taosdump's dumpOut(), dumpEntry(), taosConnect() and taosQuery() in src/taosdump.c and src/dumpUtil.c of
// taosdata/taos-tools (2.5) and of tools/taos-tools in taosdata/TDengine (3.3); the shell's shellVerticalPrintResult()
// and shellExecute() in tools/shell/src/shellEngine.c of the latter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace pgbakd::source {

// What taosdump says on its standard error. Its exit code tells little: a table that could not be read, or a connection
// that was lost in the middle, leaves an ERROR line, an incomplete dump and the exit code 0. On the other hand it tries
// connections and queries again, and says so when that has helped.
class TaosdumpMessages {
  public:
    // `password`: what no line may show.
    explicit TaosdumpMessages(base::Secret password) : password_(std::move(password)) {}

    // A line, printable; colours are taken off.
    void take(const std::string& line);
    // Whether it met an error that it did not get over.
    [[nodiscard]] bool failed() const noexcept;
    // Its first ERROR lines, or without any the last ones that it said, joined by "; ".
    [[nodiscard]] std::string words() const;
    // Everything that its ERROR lines say, for their causes.
    [[nodiscard]] const std::string& errors() const noexcept { return errors_; }
    // What is told although it ended well: warnings, and errors that it got over.
    [[nodiscard]] std::vector<std::string> remarks() const;
    // "OK: 1200 row(s) dumped out!"
    [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept { return rows_; }

  private:
    struct Attempts {
        std::uint64_t failed = 0;
        std::uint64_t made_good = 0;  // of these
    };
    void take_error(const std::string& text);

    base::Secret password_;
    Attempts connections_;
    Attempts queries_;
    std::uint64_t other_errors_ = 0;
    std::string errors_;
    std::vector<std::string> first_errors_;
    std::vector<std::string> last_lines_;
    std::vector<std::string> warnings_;
    std::size_t more_warnings_ = 0;
    std::optional<std::uint64_t> rows_;
};

// Why taosdump failed, with its own words in it. `ending`: "exit code 255"; `was_killed` by a signal.
[[nodiscard]] base::Error taosdump_failure(const std::string& what, const std::string& ending, bool was_killed,
                                           const TaosdumpMessages& messages);

// The rows of a dump that by its result file (dump_result.txt) is one of just this database, and ended. Errors:
// program_failed, with what the file says or lacks.
[[nodiscard]] base::Result<std::uint64_t> parse_taosdump_result(std::string_view text, const std::string& database);

// "taosdump version: 3.3.6.3" of what `taosdump -V` printed; empty if it printed none.
[[nodiscard]] std::string taosdump_version(std::string_view output);

// What the server told the shell, asked by taos_question().
struct TaosAnswer {
    std::string server_version;
    std::vector<std::string> databases;  // without the server's own
};
[[nodiscard]] std::string taos_question();
// `ending`: "exit code 255"; `errors`: its standard error. Errors: authentication_failed, unreachable, server_error.
[[nodiscard]] base::Result<TaosAnswer> parse_taos_answer(std::string_view output, const std::string& ending,
                                                         std::string_view errors);

// Whether taosdump reads it as it is: it takes one word of at most 255 bytes (scanf's "%255s").
[[nodiscard]] base::Status check_taos_password(const base::Secret& password);
// The same for the shell ("%128s").
[[nodiscard]] bool fits_taos_shell(const base::Secret& password);
// Whether it must be written with backquotes (taosdump's -e): TDengine takes other names as lower case.
[[nodiscard]] bool needs_quotes(std::string_view database);

}  // namespace pgbakd::source
