#include "source/connection.hpp"
#include "source/pg_dump_arguments.hpp"
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
