// pg_dump's options as the program itself reads them: which there are, which of them are pgbakd's own, and what each
// does that others must know. Whoever asks something about a job's options asks here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::config {

enum class OptionRule {
    free,     // the administrator's business
    owned,    // pgbakd sets it or depends on its default
    partial,  // allowed, but what comes out is no whole database
};
enum class OptionValue { none, needed };
enum class OptionEffect {
    none,
    chooses_data,    // the rows of some tables are left out
    makes_database,  // plain SQL drops or creates the database itself, or what is in it
    takes_role,
    row_security,
    no_owner,
    no_privileges,
    no_comments,
    no_tablespaces,
    verbose,
};

struct DumpOption {
    std::string_view name;
    char letter = 0;  // 0: no short form
    OptionValue value{};
    OptionRule rule{};
    OptionEffect effect{};
    std::string_view hint;  // for one that is owned: what to do instead
};
// Those of all versions from 12 to 18 (src/bin/pg_dump/pg_dump.c).
[[nodiscard]] std::span<const DumpOption> dump_options_known() noexcept;

// One use of an option, or something that is none.
struct OptionUse {
    enum class Kind {
        known,
        unknown,         // a long option that no version known to us has
        unknown_letter,  // refused by every pg_dump
        no_option,       // a word that belongs to nothing
        value_missing,   // the last word is an option whose value does not follow
    };
    Kind kind{};
    std::size_t word = 0;  // where it stands
    std::string spelling;  // "-t", "--tab", or the word that is no option
    // What it may mean: pg_dump takes every beginning of a long option that only one option of its version has. One
    // that is pgbakd's own comes first.
    std::vector<const DumpOption*> meanings;
    bool abbreviated = false;
    std::string value;
};
// As getopt_long does: clusters of short options, abbreviated long ones, values in the same word or in the next.
[[nodiscard]] std::vector<OptionUse> read_options(std::span<const std::string> words);

// What a job's options mean for all that is done beside pg_dump.
struct DumpTraits {
    bool chooses_data = false;  // the dump may lack the rows of some tables; also where an option is not known
    bool row_security = false;  // rows that a policy hides are left out, and that is no failure
    std::string role;           // by whose rights it reads; empty: the connecting one's
    bool with_owner = true;
    bool with_privileges = true;
    bool with_comments = true;
    bool with_tablespaces = true;
    bool verbose = false;
};
[[nodiscard]] DumpTraits dump_traits(std::span<const std::string> words);

}  // namespace pgbakd::config
