// The table of verbs. Parsing, help, shell completion and the manual page all come from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/arguments.hpp"
#include "admin/context.hpp"

namespace pgbakd::admin {

// What a value is: how a shell completes it.
enum class Values { anything, jobs, sets, runs, targets, channels, files, statuses, zones, shells };

struct Positional {
    std::string name;  // "JOB"
    std::string help;
    Values values = Values::anything;
    bool required = false;
};

struct Flag {
    std::string spelling;  // "-n,--number"
    std::string value;     // "N"; empty: a switch
    std::string help;
    Values values = Values::anything;
    // "--number": its name among the arguments.
    [[nodiscard]] std::string name() const { return spelling.substr(spelling.rfind(',') + 1); }
};

using Perform = ExitCode (*)(Context& context, const Arguments& arguments);

struct Verb {
    std::string name;
    std::string summary;
    std::vector<Positional> positionals;
    std::vector<Flag> flags;
    Perform perform = nullptr;
    bool hidden = false;
};

[[nodiscard]] const std::vector<Verb>& verbs();
[[nodiscard]] const Verb* find_verb(std::string_view name);
// Those of every verb: --config, --socket, --json. (--help and --version besides.)
[[nodiscard]] const std::vector<Flag>& global_flags();

// One function per verb, each in the file of its name or group.
ExitCode perform_check(Context& context, const Arguments& arguments);
ExitCode perform_next(Context& context, const Arguments& arguments);
ExitCode perform_status(Context& context, const Arguments& arguments);
ExitCode perform_run(Context& context, const Arguments& arguments);
ExitCode perform_milestone(Context& context, const Arguments& arguments);
ExitCode perform_cancel(Context& context, const Arguments& arguments);
ExitCode perform_reload(Context& context, const Arguments& arguments);
ExitCode perform_test_alert(Context& context, const Arguments& arguments);
ExitCode perform_runs(Context& context, const Arguments& arguments);
ExitCode perform_list(Context& context, const Arguments& arguments);
ExitCode perform_show(Context& context, const Arguments& arguments);
ExitCode perform_verify(Context& context, const Arguments& arguments);
ExitCode perform_download(Context& context, const Arguments& arguments);
ExitCode perform_prune(Context& context, const Arguments& arguments);
ExitCode perform_pin(Context& context, const Arguments& arguments);
ExitCode perform_unpin(Context& context, const Arguments& arguments);
ExitCode perform_rescan(Context& context, const Arguments& arguments);
ExitCode perform_completion(Context& context, const Arguments& arguments);
// Hidden: prints the names that a shell offers, one a line.
ExitCode perform_names(Context& context, const Arguments& arguments);
// Hidden: prints a manual page; the build asks for it.
ExitCode perform_manual(Context& context, const Arguments& arguments);

}  // namespace pgbakd::admin
