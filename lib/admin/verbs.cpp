#include "admin/verbs.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgbakd::admin {

const std::vector<Verb>& verbs() {
    static const std::vector<Verb> table{
        {"check",
         "validate the configuration, and what it relies on",
         {},
         {{"--connect", "", "also ask the servers and the targets: versions, privileges, client programs, free space"},
          {"--effective", "", "print the configuration with every default filled in, secrets as ***"}},
         perform_check},
        {"next",
         "show the coming fires",
         {{"JOB", "one job only", Values::jobs}},
         {{"-n,--number", "N", "how many fires of each job (default 10)"},
          {"--after", "TIME", "fires after this time (RFC 3339) instead of now"},
          {"--schedule", "TEXT", "the fires of this schedule instead of a job's"},
          {"--timezone", "ZONE", "the zone for --schedule (default: the configuration's)", Values::zones}},
         perform_next},
        {"status", "what runs now, what comes next, how each job stands", {}, {}, perform_status},
        {"run",
         "start a run now",
         {{"JOB", "the job to run", Values::jobs, true}},
         {{"--wait", "", "follow the run and exit with its outcome"}},
         perform_run},
        {"milestone",
         "start a run now whose set has a name and is kept for ever",
         {{"JOB", "the job to run", Values::jobs, true}, {"NAME", "what to call the set", Values::anything, true}},
         {{"--wait", "", "follow the run and exit with its outcome"}},
         perform_milestone},
        {"cancel",
         "end a run, leaving nothing behind",
         {{"RUN", "the run's id, or the name of the job that runs", Values::runs, true}},
         {},
         perform_cancel},
        {"reload", "make the daemon read its configuration again", {}, {}, perform_reload},
        {"test-alert",
         "send a test message to a channel, or to all",
         {{"CHANNEL", "one channel only", Values::channels}},
         {},
         perform_test_alert},
        {"runs",
         "show past runs, newest first",
         {{"JOB", "one job only", Values::jobs}},
         {{"--status", "STATUS", "only runs that ended so: SUCCESS, FAILED, …", Values::statuses},
          {"--limit", "N", "how many at most (default 50)"}},
         perform_runs},
        {"list",
         "show backup sets, and why each is kept",
         {{"JOB", "the sets of this job, and those that hold the database of this name", Values::jobs}},
         {{"--from", "TARGET", "what this target has, asked of it", Values::targets}},
         perform_list},
        {"show",
         "show what is in a set",
         {{"SET", "JOB/20260113_000001 or JOB/latest", Values::sets, true}},
         {{"--from", "TARGET", "the copy on this target", Values::targets}},
         perform_show},
        {"verify",
         "read a set or file again, to its end",
         {{"SET", "JOB/20260113_000001, JOB/latest or a file", Values::sets, true}},
         {{"--from", "TARGET", "the copy on this target", Values::targets},
          {"--identity", "FILE", "the secret key of what is encrypted: age's file, or gpg's directory", Values::files}},
         perform_verify},
        {"download",
         "fetch a set from a target, and check it",
         {{"SET", "JOB/20260113_000001 or JOB/latest", Values::sets, true}},
         {{"--from", "TARGET", "the target that has it", Values::targets},
          {"--into", "DIR", "where JOB/SET is made (default: here)", Values::files}},
         perform_download},
        {"prune",
         "show what retention keeps and deletes, and why",
         {{"JOB", "one job only", Values::jobs}},
         {{"--apply", "", "delete what the plan deletes"}},
         perform_prune},
        {"pin",
         "keep a set whatever retention says",
         {{"SET", "JOB/20260113_000001", Values::sets, true}},
         {},
         perform_pin},
        {"unpin",
         "leave a pinned set to retention again",
         {{"SET", "JOB/20260113_000001", Values::sets, true}},
         {},
         perform_unpin},
        {"rescan",
         "rebuild the catalog from the repository, or from a target",
         {},
         {{"--from", "TARGET", "enter what this target has", Values::targets},
          {"--adopt", "HOST", "with --from: this host has taken the place of that one, and prunes its sets"}},
         perform_rescan},
        {"completion",
         "print a shell's completion script",
         {{"SHELL", "bash, zsh or fish", Values::shells, true}},
         {},
         perform_completion},
        {"names",
         "print names for a shell",
         {{"KIND", "jobs, sets, runs, targets or channels", Values::anything, true}},
         {},
         perform_names,
         true},
        {"manual",
         "print a manual page in roff, for the build",
         {{"PAGE", "pgbakd.8, pgbakctl.1 or pgbakd.yaml.5", Values::anything, true}},
         {},
         perform_manual,
         true},
    };
    return table;
}

const Verb* find_verb(std::string_view name) {
    for (const auto& verb : verbs())
        if (verb.name == name) return &verb;
    return nullptr;
}

const std::vector<Flag>& global_flags() {
    static const std::vector<Flag> table{
        {"--config", "FILE", "the configuration (default /etc/pgbakd.yaml)", Values::files},
        {"--socket", "FILE", "the daemon's control socket (default: the configuration's api.socket)", Values::files},
        {"--json", "", "print one JSON document"},
    };
    return table;
}

int Arguments::number(const std::string& name, int otherwise, int least, int most) const {
    const auto given = find(name);
    if (!given) return otherwise;
    int value = 0;
    const auto* end = given->data() + given->size();
    const auto [stop, failure] = std::from_chars(given->data(), end, value);
    if (failure != std::errc{} || stop != end || value < least || value > most)
        throw usage_error(fmt::format("{}: \"{}\" is not a number from {} to {}", name,
                                      base::printable(base::clamp_utf8(*given, 40)), least, most));
    return value;
}

}  // namespace pgbakd::admin
