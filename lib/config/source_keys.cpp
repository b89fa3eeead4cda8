#include "config/source_keys.hpp"

#include "config/domain_types.hpp"
#include "config/source_types.hpp"

namespace pgbakd::config {
namespace {

using namespace std::chrono_literals;
using model::CommandSource;
using model::FilesSource;
using model::PgBasebackupSource;
using model::PgDumpSource;
using model::Source;
using model::TaosdumpSource;

constexpr auto day = 24h;

Fallback type_is(const std::string& word) {
    return required("type: " + word);
}

const Section<Source>& pg_dump_keys() {
    static const Section<Source> section(
        PgDumpSource{},
        keys_of_variant<Source>(std::vector<Key<PgDumpSource>>{
            kind_key<PgDumpSource>("type", "pg_dump", {}, type_is("pg_dump"), "Databases, by `pg_dump`."),
            key<PgDumpSource>("server", &PgDumpSource::server, text("the name of a server", 63),
                              required("the name of an entry of servers, as in server: local"),
                              "Which entry of `servers` is dumped."),
            key<PgDumpSource>("databases", Same{}, databases(),
                              required("databases: all, or a list as in databases: [shop, crm]"),
                              "Which databases. `all` is every database of the server that accepts connections and is "
                              "no template, asked anew at each run."),
            key<PgDumpSource>("exclude", &PgDumpSource::exclude, database_names("a list of database names"),
                              absent("none"), "Databases to leave out; only with `databases: all`."),
            key<PgDumpSource>("format", &PgDumpSource::format,
                              choice<model::DumpFormat>({{"custom", model::DumpFormat::custom},
                                                         {"plain", model::DumpFormat::plain},
                                                         {"directory", model::DumpFormat::directory}}),
                              is("custom"),
                              "`custom`: one archive per database for `pg_restore`. `plain`: SQL for `psql`. "
                              "`directory`: for `pg_restore`, dumped by several connections at once."),
            key<PgDumpSource>("globals", &PgDumpSource::globals, yes_or_no(), is("false"),
                              "Also dump roles and tablespaces (`pg_dumpall --globals-only`)."),
            key<PgDumpSource>("jobs", &PgDumpSource::jobs, whole_number<int>(1, 64), is("1"),
                              "Parallel connections of one dump; more than one only with `format: directory`."),
            key<PgDumpSource>("lock_wait_timeout", &PgDumpSource::lock_wait_timeout, duration(1s, day), is("60s"),
                              "How long a dump waits for the lock on a table before it gives up, so that it does not "
                              "hold up a change of the schema for longer."),
            key<PgDumpSource>("options", &PgDumpSource::options, dump_options(), is("[]"),
                              "More options for `pg_dump`, one element per word: "
                              "`[\"--exclude-table-data=audit_log\"]`. Those that pgbakd sets itself are refused."),
            key<PgDumpSource>("fingerprint", &PgDumpSource::fingerprint,
                              choice<model::FingerprintKind>(
                                  {{"counts", model::FingerprintKind::counts}, {"none", model::FingerprintKind::none}}),
                              is("counts"),
                              "`counts`: count the rows of each table in the dump's own snapshot, so that a restored "
                              "copy can be compared, and look whether tables were changed just when they were "
                              "dumped. `none`: neither."),
        }));
    return section;
}

const Section<Source>& pg_basebackup_keys() {
    static const Section<Source> section(
        PgBasebackupSource{},
        keys_of_variant<Source>(std::vector<Key<PgBasebackupSource>>{
            kind_key<PgBasebackupSource>(
                "type", "pg_basebackup", {}, type_is("pg_basebackup"),
                "A whole cluster as it lies on the server's disk, with the WAL that makes it consistent: one tar, one "
                "more for each tablespace, and the backup manifest, which all of it is compared with while it comes. "
                "PostgreSQL 15 or newer; needs no client program."),
            key<PgBasebackupSource>("server", &PgBasebackupSource::server, text("the name of a server", 63),
                                    required("the name of an entry of servers, as in server: local"),
                                    "Which entry of `servers` is backed up. Its role needs `REPLICATION`, and "
                                    "`pg_hba.conf` a line for `replication`."),
            key<PgBasebackupSource>(
                "checkpoint", &PgBasebackupSource::checkpoint,
                choice<model::Checkpoint>({{"fast", model::Checkpoint::fast}, {"spread", model::Checkpoint::spread}}),
                is("fast"),
                "The checkpoint that the server makes first: `fast`, at once, or `spread` over the time that its "
                "checkpoints usually take, for which the run then waits."),
            key<PgBasebackupSource>("max_rate", &PgBasebackupSource::max_rate, server_rate(), absent("unlimited"),
                                    "How fast the server may send: `100 MiB/s`; from `32 KiB/s` to `1 GiB/s`."),
        }));
    return section;
}

const Section<Source>& command_keys() {
    static const Section<Source> section(
        CommandSource{},
        keys_of_variant<Source>(std::vector<Key<CommandSource>>{
            kind_key<CommandSource>("type", "command", {}, type_is("command"),
                                    "Whatever a program writes to its standard output. No shell runs it."),
            key<CommandSource>("argv", &CommandSource::argv, argument_vector(),
                               required("as in argv: [redis-cli, --rdb, \"-\"]"),
                               "The program and its arguments, one element per word: a path from `/` on, or a name "
                               "that the `PATH` of the daemon finds."),
            key<CommandSource>("environment", &CommandSource::environment, environment(), absent("none"),
                               "Variables of the program beside `PATH`, `HOME`, `USER`, `LANG`, `LC_*`, `TZ` and "
                               "`TMPDIR`: texts, or secrets as in \"Secrets\" above."),
            key<CommandSource>("working_directory", &CommandSource::working_directory, absolute_path(), is("/"),
                               "Where the program runs."),
            key<CommandSource>("exit_codes", &CommandSource::exit_codes, exit_codes(), is("[0]"),
                               "What the program exits with when all is well."),
            key<CommandSource>("extension", &CommandSource::extension, file_extension(), is("out"),
                               "Of the file that is made: `rdb` for `JOB_TIME.rdb.gz`."),
        }));
    return section;
}

const Section<Source>& files_keys() {
    static const Section<Source> section(
        FilesSource{},
        keys_of_variant<Source>(std::vector<Key<FilesSource>>{
            kind_key<FilesSource>("type", "files", {}, type_is("files"),
                                  "Files and trees of this host, as one tar with owners, modes, times, ACLs, extended "
                                  "attributes, hard links and holes. Symbolic links are stored, never followed."),
            key<FilesSource>("paths", &FilesSource::paths, path_list(), required("as in paths: [/srv/erp/data]"),
                             "Files and directories, from `/` on."),
            key<FilesSource>("exclude", &FilesSource::exclude, path_patterns(), is("[]"),
                             "What is left out: `*.tmp` is a name anywhere below the paths, `cache/**` is relative to "
                             "each path, `/srv/erp/cache` is a whole path, and a `/` at the end means directories "
                             "only. `**` stands for any number of directories."),
            key<FilesSource>("redact", &FilesSource::redact, key_patterns(), is("[]"),
                             "Keys whose values become `***`, in letters of either case, in `.env`, YAML, JSON and INI "
                             "files; nothing else in such a file changes. One that is not understood is not stored, "
                             "and the run says so."),
            key<FilesSource>("other_file_systems", &FilesSource::other_file_systems, yes_or_no(), is("false"),
                             "Also what is mounted below a path."),
        }));
    return section;
}

const Section<Source>& taosdump_keys() {
    static const Section<Source> section(
        TaosdumpSource{},
        keys_of_variant<Source>(std::vector<Key<TaosdumpSource>>{
            kind_key<TaosdumpSource>("type", "taosdump", {}, type_is("taosdump"),
                                     "Databases of a TDengine server, by `taosdump`: one tar for each."),
            key<TaosdumpSource>("server", &TaosdumpSource::server, text("the name of a server", 63),
                                required("the name of an entry of servers, as in server: ticks"),
                                "Which entry of `servers` with `type: tdengine` is dumped."),
            key<TaosdumpSource>("databases", Same{}, tdengine_databases(),
                                required("databases: all, or a list as in databases: [market_data]"),
                                "Which databases. `all` is every database of the server but its own "
                                "(`information_schema`, `performance_schema`), asked anew at each run with `taos`, the "
                                "shell that comes with TDengine's client."),
        }));
    return section;
}

template <class Alternative>
bool is_a(const Source& source) {
    return std::holds_alternative<Alternative>(source);
}

}  // namespace

std::vector<Kind<Source>> source_kinds() {
    return {{"pg_dump", &pg_dump_keys(), is_a<PgDumpSource>},
            {"pg_basebackup", &pg_basebackup_keys(), is_a<PgBasebackupSource>},
            {"taosdump", &taosdump_keys(), is_a<TaosdumpSource>},
            {"command", &command_keys(), is_a<CommandSource>},
            {"files", &files_keys(), is_a<FilesSource>}};
}

}  // namespace pgbakd::config
