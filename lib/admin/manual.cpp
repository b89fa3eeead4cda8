// manual: the manual pages, which the build keeps beside the programs.
#include "admin/manual.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "admin/verbs.hpp"
#include "base/roff.hpp"
#include "base/text.hpp"
#include "config/manual.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::admin {
namespace {

using base::Roff;
using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::string_view product = "pgbakd " PGBAKD_VERSION;

template <std::size_t N>
void describe(Roff& page, const std::array<Pair, N>& pairs) {
    for (const auto& [tag, text] : pairs) page.term(tag, text);
}

// "`-n`, `--number` N"
std::string tag_of(const Flag& flag) {
    std::string tag;
    for (const auto spelling : base::split(flag.spelling, ','))
        tag += fmt::format("{}`{}`", tag.empty() ? "" : ", ", spelling);
    return flag.value.empty() ? tag : tag + " " + flag.value;
}

std::string usage_of(const Verb& verb) {
    auto usage = fmt::format("`{}`", verb.name);
    for (const auto& word : verb.positionals)
        usage += word.required ? " " + word.name : fmt::format(" [{}]", word.name);
    return verb.flags.empty() ? usage : usage + " [OPTION…]";
}

void describe(Roff& page, const Verb& verb) {
    page.subheading(verb.name);
    page.paragraph(usage_of(verb));
    page.paragraph(fmt::format("{}{}.", static_cast<char>(verb.summary.front() - 'a' + 'A'), verb.summary.substr(1)));
    for (const auto& word : verb.positionals) page.term(fmt::format("`{}`", word.name), word.help);
    for (const auto& flag : verb.flags) page.term(tag_of(flag), flag.help);
}

constexpr std::array<Pair, 8> tool_exits{{
    {"0", "It is done, and all is well."},
    {"1", "The operation failed."},
    {"2", "The words on the command line are wrong."},
    {"3", "The configuration is wrong; each problem is told with its file, line and column."},
    {"4", "A backup is not what it must be."},
    {"5", "The daemon does not answer."},
    {"6", "There is no such job, set, run or file."},
    {"75", "Another run holds the job: try again later."},
}};

constexpr std::array<Pair, 7> files{{
    {"`/etc/pgbakd.yaml`", "The configuration; see `pgbakd.yaml`(5)."},
    {"`/etc/pgbakd.d/*.yaml`", "More of it, merged in the order of the names."},
    {"`/var/lib/pgbakd/repository`", "The backup sets, each a directory of standard files with a manifest.json."},
    {"`/var/lib/pgbakd/reports`", "A report in JSON for each run."},
    {"`/var/lib/pgbakd/state.db`", "History, places of schedules, copies owed. Without it no backup is lost."},
    {"`/run/pgbakd/control.sock`", "The control socket: for root, the daemon's account and the group pgbakd."},
    {"`/usr/share/doc/pgbakd`", "The manual, and examples of configurations and of drop-ins for the unit."},
}};

std::string tool_page() {
    Roff page("PGBAKCTL", 1, product, "Backups");
    page.heading("NAME").paragraph("pgbakctl - administer the backup daemon pgbakd");
    page.heading("SYNOPSIS").paragraph("`pgbakctl` [OPTION…] VERB [WORD…]");
    page.heading("DESCRIPTION")
        .paragraph(
            "Shows and starts backups, looks into them and checks them. Verbs that concern what runs ask the "
            "daemon by its control socket; the others read the repository or a target themselves, and work on "
            "a machine that has nothing but the configuration.")
        .paragraph("A SET is written JOB/20260113_000001, or JOB/latest for the newest good one.");
    page.heading("OPTIONS");
    for (const auto& flag : global_flags()) page.term(tag_of(flag), flag.help);
    page.term("`-h`, `--help`", "print help and exit; behind a verb, of that verb");
    page.term("`--version`", "print the version and exit");
    page.heading("VERBS");
    for (const auto& verb : verbs())
        if (!verb.hidden) describe(page, verb);
    page.heading("EXIT STATUS");
    describe(page, tool_exits);
    page.heading("ENVIRONMENT").term("`NO_COLOR`", "Not empty: no colours, on a terminal either.");
    page.heading("FILES");
    describe(page, files);
    page.heading("SEE ALSO").paragraph("`pgbakd`(8), `pgbakd.yaml`(5), `pg_restore`(1)");
    return page.text();
}

constexpr std::array<Pair, 5> daemon_options{{
    {"`--config` FILE", "the configuration (default: /etc/pgbakd.yaml)"},
    {"`--check`", "validate the configuration and exit"},
    {"`--foreground-log`", "log to standard error even if it leads to the journal"},
    {"`--version`", "print the version and exit"},
    {"`--help`", "print help and exit"},
}};

constexpr std::array<Pair, 5> daemon_exits{{
    {"0", "It was told to stop, and has."},
    {"1", "It failed, or what it wound up took longer than `shutdown_grace`."},
    {"2", "The words on the command line are wrong."},
    {"3", "The configuration is wrong. The unit does not start it again for that."},
    {"75", "Another daemon works on the repository."},
}};

constexpr std::array<Pair, 2> signals{{
    {"SIGHUP", "Reads the configuration again, as `pgbakctl reload` does, whose exit status is the verdict."},
    {"SIGTERM, SIGINT", "Stops: runs that go on are wound up within `shutdown_grace` and leave nothing half-done."},
}};

constexpr std::array<Pair, 7> journal_fields{{
    {"`PGBAKD_JOB`", "The job's name."},
    {"`PGBAKD_RUN`", "The run's id."},
    {"`PGBAKD_STAGE`", "preflight, dump, verify, upload, prune or report."},
    {"`PGBAKD_TARGET`", "The target's name."},
    {"`PGBAKD_SET`", "The set, JOB/TIME."},
    {"`PGBAKD_BYTES`", "How many bytes were written or sent."},
    {"`PGBAKD_DURATION_MS`", "How long it took, in milliseconds."},
}};

void describe_systemd(Roff& page) {
    page.heading("SYSTEMD")
        .paragraph(
            "`systemctl enable --now pgbakd` starts it now and at each boot; `systemctl reload pgbakd` takes over "
            "an edited configuration, or fails and says why while the old one stays in force; `systemctl status "
            "pgbakd` tells what runs and what comes next. The unit is of Type=notify, with a watchdog that is "
            "fed only while the daemon makes progress.")
        .paragraph(
            "The unit is sandboxed: it may write to /var/lib/pgbakd and /run/pgbakd, and sees neither home "
            "directories nor other programs' /tmp. What a configuration needs more stands in a drop-in "
            "(`systemctl edit pgbakd`); there are examples in /usr/share/doc/pgbakd/examples/units.");
    page.heading("JOURNAL").paragraph(
        "`journalctl -u pgbakd` reads as a story; `-x` explains each kind of event. Fields "
        "to look for, as in `journalctl -u pgbakd PGBAKD_JOB=shop-daily`:");
    describe(page, journal_fields);
    page.paragraph("Each kind of event has a MESSAGE_ID:");
    for (const auto& message : systemd::all_message_ids) page.term(fmt::format("`{}`", message.id), message.name);
}

std::string daemon_page() {
    Roff page("PGBAKD", 8, product, "Backups");
    page.heading("NAME").paragraph("pgbakd - back up PostgreSQL servers, and what belongs to them, on time");
    page.heading("SYNOPSIS").paragraph("`pgbakd` [`--config` FILE] [`--check`] [`--foreground-log`]");
    page.heading("DESCRIPTION")
        .paragraph(
            "The daemon runs in the foreground, under systemd or not. It dumps databases, clusters, files and "
            "the output of programs when they are due, checks each artifact to its end, keeps it as a backup "
            "set that appears whole or not at all, copies it to other places, expires old sets, and tells people "
            "when something is wrong. What it does is said by its configuration: `pgbakd.yaml`(5).")
        .paragraph(
            "Sets are standard files. `pg_restore`(1), `psql`(1), `tar`(1), `gunzip`(1), `zstd`(1) and "
            "`sha256sum`(1) are all that a restore needs; each manifest.json holds the commands.");
    page.heading("OPTIONS");
    describe(page, daemon_options);
    describe_systemd(page);
    page.heading("SIGNALS");
    describe(page, signals);
    page.heading("EXIT STATUS");
    describe(page, daemon_exits);
    page.heading("FILES");
    describe(page, files);
    page.heading("SEE ALSO")
        .paragraph("`pgbakctl`(1), `pgbakd.yaml`(5), `systemctl`(1), `journalctl`(1), `pg_dump`(1), `pg_restore`(1)");
    return page.text();
}

std::string configuration_page() {
    Roff page("PGBAKD.YAML", 5, product, "Backups");
    page.heading("NAME").paragraph("pgbakd.yaml - configuration of the backup daemon pgbakd");
    page.heading("SYNOPSIS").paragraph("/etc/pgbakd.yaml, /etc/pgbakd.d/*.yaml");
    page.heading("DESCRIPTION")
        .paragraph(
            "One file in YAML, and a directory of more that are merged into it in the order of their names; what "
            "is defined twice is an error. Nearly every key has a default, so this is a whole configuration:")
        .example(
            "servers:\n  local: {}\njobs:\n  all-databases:\n    schedule: daily at 02:00\n"
            "    source: {type: pg_dump, server: local, databases: all, globals: true}\n")
        .paragraph(
            "`pgbakctl check` tells all that is wrong with it at once, by file, line, column and key; `systemctl "
            "reload pgbakd` puts it into force. A file with a mistake is never taken half. Keys that are not "
            "known are errors.");
    page.heading("VALUES")
        .term("Durations", "`90s`, `15m`, `12h`, `1h 30m`, `30 days`, `2 weeks`")
        .term("Sizes", "`512 KiB`, `10 MiB`, `1.5 GiB` in powers of 1024; `1 GB` in powers of 1000")
        .term("Paths", "are absolute; nothing in them is expanded")
        .term("Names", "have 1 to 63 letters, digits, `_`, `.` and `-`, and begin with a letter or digit")
        .term("Secrets",
              "`{credential: NAME}` (a systemd credential), `{file: PATH}`, `{env: NAME}`, or a text where "
              "the file can be read by its owner alone");
    page.heading("SCHEDULES")
        .term("`daily at 00:00`, `weekdays at 00:00, 12:00`", "each day; each day from Monday to Friday")
        .term("`twice-daily at 01:00, 13:00`", "at two times each day")
        .term("`weekly on sunday at 02:00`", "on each of these days of the week")
        .term("`monthly on 1 at 03:00`, `monthly on last-day at 03:00`, `monthly on first sunday at 03:00`",
              "on a day of each month")
        .term("`yearly on 12-31 at 23:00`", "on a day of each year")
        .term("`hourly`, `hourly at :15`, `every 6 hours`, `every 15 minutes`", "in equal steps from local midnight")
        .term("`once at 2099-12-01 02:00`", "one time")
        .term("`0 17,5 * * *`, `@daily`", "as in a crontab: five fields, or a macro")
        .term("`calendar Sun *-*-* 02:00:00`", "as OnCalendar in `systemd.timer`(5), in whole seconds")
        .term("`on change`", "when files of the source change")
        .term("`milestone`", "by name, when somebody asks, and on the dates that the job names")
        .paragraph(
            "`pgbakctl next` shows how a schedule is understood, and `pgbakctl next --schedule TEXT` one that is "
            "in no file.");
    page.heading("KEYS");
    config::describe_keys(page);
    page.heading("FILES");
    describe(page, files);
    page.heading("SEE ALSO").paragraph("`pgbakd`(8), `pgbakctl`(1), `systemd.exec`(5) for credentials");
    return page.text();
}

}  // namespace

std::string manual_page(std::string_view page) {
    if (page == "pgbakd.8") return daemon_page();
    if (page == "pgbakctl.1") return tool_page();
    if (page == "pgbakd.yaml.5") return configuration_page();
    throw usage_error(fmt::format("there is no manual page \"{}\"", base::printable(base::clamp_utf8(page, 40))),
                      "there are pgbakd.8, pgbakctl.1 and pgbakd.yaml.5");
}

ExitCode perform_manual(Context& context, const Arguments& arguments) {
    context.out << manual_page(arguments.text("PAGE"));
    return ExitCode::good;
}

}  // namespace pgbakd::admin
