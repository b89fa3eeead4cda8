#include "source/connection.hpp"
#include "source/pg_dump_arguments.hpp"
#include "source/stock_restore.hpp"
#include "support/catch.hpp"

namespace codec = pgbakd::codec;
namespace model = pgbakd::model;
namespace source = pgbakd::source;
using namespace std::chrono_literals;
using Arguments = std::vector<std::string>;

namespace {

pgbakd::postgres::ClientPrograms programs(int major) {
    return {"/bin/pg_dump", "/bin/pg_dumpall", major, "pg_dump (PostgreSQL) " + std::to_string(major)};
}

model::Artifact artifact(std::string file, std::string kind, std::string database, std::string format) {
    model::Artifact result;
    result.file = std::move(file);
    result.kind = std::move(kind);
    result.database = std::move(database);
    result.format = std::move(format);
    return result;
}

}  // namespace

TEST_CASE("pg_dump is asked for just what the job says") {
    const codec::Compression gzip6{codec::Method::gzip, 6};
    CHECK(
        source::pg_dump_arguments(programs(15), {model::DumpFormat::custom, gzip6, 60s, 1, "0001-1", {}, {}}).value() ==
        Arguments{"/bin/pg_dump", "--no-password", "--format=custom", "--compress=6", "--lock-wait-timeout=60000",
                  "--snapshot=0001-1"});
    CHECK(source::pg_dump_arguments(programs(15), {model::DumpFormat::plain, gzip6, 0s, 1, {}, {}, {"-T", "log"}})
              .value() == Arguments{"/bin/pg_dump", "--no-password", "--format=plain", "--compress=0", "-T", "log"});
    CHECK(source::pg_dump_arguments(programs(17),
                                    {model::DumpFormat::directory, {codec::Method::zstd, 3}, 0s, 4, {}, "/w", {}})
              .value() == Arguments{"/bin/pg_dump", "--no-password", "--format=directory", "--compress=zstd:3",
                                    "--jobs=4", "--file=/w", "--no-sync"});
}

TEST_CASE("zstd in an archive needs pg_dump 16, and the error says what to do instead") {
    const auto refused = source::pg_dump_arguments(
        programs(15), {model::DumpFormat::custom, {codec::Method::zstd, 3}, 0s, 1, {}, {}, {}});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message() == "pg_dump 15 cannot compress an archive with zstd");
    CHECK(refused.error().hint().find("gzip:6") != std::string::npos);
}

TEST_CASE("roles come without passwords where the role may not read them") {
    CHECK(source::pg_dumpall_arguments(programs(15), 0s, false) ==
          Arguments{"/bin/pg_dumpall", "--globals-only", "--no-password", "--no-role-passwords"});
}

TEST_CASE("a password goes into the environment of the child and nowhere else") {
    model::ServerSpec server;
    server.name = "main";
    server.host = "db1";
    server.port = 5433;
    const auto options =
        source::connect_options(server, pgbakd::base::Secret(std::string("hunter2")), "a=b", "pgbakd/1");
    std::map<std::string, std::string> variables;
    for (const auto& variable : source::client_environment(options, 150000))
        variables[variable.name] = std::string(variable.value.reveal());
    CHECK(variables["PGPASSWORD"] == "hunter2");
    CHECK(variables["PGDATABASE"] == "a=b");  // not in argv, where it would be a connection string
    CHECK(variables["PGAPPNAME"] == "pgbakd/1");
    CHECK(variables["PGOPTIONS"].find("client_connection_check_interval") != std::string::npos);
    CHECK(source::client_environment(options, 130000).back().value.reveal().find("client_connection_check_interval") ==
          std::string::npos);
}

TEST_CASE("the stock commands quote what a shell would read, and nothing else") {
    CHECK(source::shell_word("shop_20260113.dump") == "shop_20260113.dump");
    CHECK(source::shell_word("a b") == "'a b'");
    CHECK(source::shell_word("it's; rm -rf $(x)") == "'it'\\''s; rm -rf $(x)'");
    CHECK(source::shell_word("") == "''");
}

TEST_CASE("the stock commands restore globals first, then each database by its format") {
    model::BackupSet set;
    set.artifacts.push_back(artifact("shop_1.dump", "database", "shop", "custom"));
    set.artifacts.push_back(artifact("a%20b_1.sql.gz", "database", "a b", "plain"));
    set.artifacts.push_back(artifact("big_1.dir.tar", "database", "big", "directory"));
    set.artifacts.push_back(artifact("globals_1.sql.zst", "globals", "", "plain"));
    model::DatabaseFacts facts;
    facts.database = "a b";
    facts.encoding = "UTF8";
    facts.collation = "C";
    set.databases.push_back(facts);
    CHECK(source::stock_restore(set) ==
          Arguments{
              "zstd --decompress --stdout globals_1.sql.zst | psql --no-psqlrc --quiet --dbname=postgres",
              "pg_restore --exit-on-error --create --dbname=postgres shop_1.dump",
              "createdb --template=template0 --encoding=UTF8 --locale=C -- 'a b'",
              "gunzip --stdout a%20b_1.sql.gz | PGDATABASE='a b' psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1",
              "mkdir big_1.dir",
              "tar --extract --file=big_1.dir.tar --directory=big_1.dir",
              "pg_restore --exit-on-error --create --dbname=postgres --jobs=2 big_1.dir",
          });
}

TEST_CASE("the database that every server has is not created again") {
    model::BackupSet set;
    set.artifacts.push_back(artifact("postgres_1.dump", "database", "postgres", "custom"));
    set.artifacts.push_back(artifact("postgres_2.sql", "database", "postgres", "plain"));
    CHECK(source::stock_restore(set) ==
          Arguments{"pg_restore --exit-on-error --dbname=postgres postgres_1.dump",
                    "cat postgres_2.sql | PGDATABASE=postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1"});
}

TEST_CASE("the role that pg_dump will take on is read off its options as getopt_long does") {
    struct Row {
        Arguments options;
        std::string role;
    };
    const std::vector<Row> rows{
        {{}, ""},
        {{"--role=backup"}, "backup"},
        {{"--role", "backup"}, "backup"},
        {{"--rol=a b"}, "a b"},
        {{"--role=a=b"}, "a=b"},
        {{"--role=first", "--no-owner", "--role", "last"}, "last"},
        {{"--rows-per-insert=5", "--ro=x", "--roles=x", "-O"}, ""},
        {{"--role"}, ""},
    };
    for (const auto& row : rows) CHECK(source::role_of(row.options) == row.role);
}

TEST_CASE("row security is on only where the options switch it on") {
    CHECK(source::enables_row_security({"--no-owner", "--enable-row-security"}));
    CHECK(source::enables_row_security({"--enable-row"}));
    CHECK_FALSE(source::enables_row_security({"--role=x"}));
}
