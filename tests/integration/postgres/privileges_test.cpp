// What a role lacks for pg_dump is listed beforehand, and what is proposed really makes pg_dump run.
#include <cstdlib>

#include "async/child.hpp"
#include "integration/postgres/cluster.hpp"
#include "postgres/facts.hpp"
#include "postgres/programs.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using test::Cluster;
using test::Reactor;
using test::Sql;

namespace {

postgres::PrivilegeReport report_for(const Cluster& cluster, const std::string& role, std::size_t limit = 100,
                                     const std::string& database = "postgres") {
    Reactor reactor;
    const auto session = reactor.run(postgres::Session::connect(cluster.options(database, role), {}));
    return reactor.run(postgres::missing_privileges(*session, limit, {}));
}

std::vector<std::string> objects(const postgres::PrivilegeReport& report) {
    std::vector<std::string> names;
    for (const auto& missing : report.missing) names.push_back(missing.object);
    return names;
}

// What pg_dump says as that role; "" if it succeeds, or if there is none for this server.
std::string dump_errors(const Cluster& cluster, const std::string& role, int server_version,
                        const std::string& database = "postgres") {
    Reactor reactor;
    const auto search = postgres::ProgramSearch::standard("");
    os::Command command;
    try {
        command.argv = {reactor.run(postgres::find_programs(server_version / 10000, {}, search, {})).pg_dump};
    } catch (const base::Error&) {
        return "";
    }
    for (const std::string argument : {"-h", cluster.directory().c_str(), "-U", role.c_str(), "-d", database.c_str()})
        command.argv.push_back(argument);
    command.argv.push_back("--port=" + std::to_string(cluster.port()));
    const auto captured = reactor.run(async::capture(command, 16U << 20U, {}));
    return captured.ending.good() ? "" : captured.errors;
}

void grant(Sql& admin, const std::string& statements) {
    // A DO block has semicolons of its own; it is always one statement.
    std::size_t begin = 0;
    while (begin < statements.size()) {
        const auto do_block = statements.compare(begin, 3, "DO ") == 0;
        const auto quoted_end = do_block ? statements.find("END$$", begin) : begin;
        const auto end = std::min(statements.find("; ", quoted_end), statements.size());
        admin(statements.substr(begin, end - begin));
        begin = end + 2;
    }
}

}  // namespace

TEST_CASE("missing privileges are listed, and the proposed grants fix them one by one") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE \"back up\" LOGIN");
    admin("CREATE TABLE public.orders (id serial)");
    admin("CREATE TABLE public.mine ()");
    admin("ALTER TABLE public.mine OWNER TO \"back up\"");
    admin("CREATE SCHEMA \"Hid den\"");
    admin("CREATE TABLE \"Hid den\".\"T \"\"q\"\"\" (id int)");
    admin("CREATE SCHEMA empty");
    admin("CREATE VIEW public.v AS SELECT * FROM public.orders");
    admin("CREATE TABLE public.parent (id int) PARTITION BY RANGE (id)");
    admin("CREATE TABLE public.part PARTITION OF public.parent FOR VALUES FROM (0) TO (10)");
    admin("SELECT lo_from_bytea(4711, 'secret')");

    auto report = report_for(cluster, "back up");
    CHECK(objects(report) == std::vector<std::string>{"schema \"Hid den\"", "table \"Hid den\".\"T \"\"q\"\"\"",
                                                      "table public.orders", "table public.parent", "table public.part",
                                                      "sequence public.orders_id_seq", "large object 4711"});
    CHECK(report.total == 7);
    CHECK(report.missing.at(2).grant == "GRANT SELECT ON TABLE public.orders TO \"back up\"");
    CHECK(report_for(cluster, "back up", 2).missing.size() == 2);
    CHECK(report_for(cluster, "back up", 0).total == 7);
    CHECK(report_for(cluster, "postgres").total == 0);
    for (const auto& missing : report.missing) grant(admin, missing.grant);
    report = report_for(cluster, "back up");
    CHECK(report.total == 0);
    CHECK(report.one_grant.empty());
    CHECK(dump_errors(cluster, "back up", admin.server_version()) == "");
}

TEST_CASE("one statement fixes all that is missing") {
    enum class Case { relations, large_objects, row_security };
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    const int version = admin.server_version();
    int number = 0;
    for (const bool inherits : {true, false}) {
        for (const auto what : {Case::relations, Case::large_objects, Case::row_security}) {
            const auto role = "backup" + std::to_string(++number);
            admin("CREATE ROLE " + role + (inherits ? " LOGIN INHERIT" : " LOGIN NOINHERIT"));
            admin("CREATE DATABASE " + role);
            Sql owner(cluster.options(role));
            owner("CREATE SCHEMA one");
            owner("CREATE SCHEMA two");
            owner("CREATE TABLE one.t (id serial)");
            owner("CREATE TABLE two.t (id int)");
            owner("INSERT INTO two.t VALUES (1)");
            if (what == Case::large_objects) owner("SELECT lo_from_bytea(0, 'secret') FROM generate_series(1, 30)");
            if (what == Case::row_security) {
                owner("ALTER TABLE two.t ENABLE ROW LEVEL SECURITY");
                const auto report = report_for(cluster, role, 100, role);
                CHECK(report.missing.back().object == "row security of table two.t");
                CHECK(report.missing.back().grant == "ALTER ROLE " + role + " BYPASSRLS");
            }
            const auto report = report_for(cluster, role, 100, role);
            INFO(report.one_grant);
            REQUIRE(report.total > 0);
            if (version >= 160000 || (version >= 140000 && inherits))
                CHECK(report.one_grant.starts_with("GRANT pg_read_all_data TO " + role));
            else
                CHECK(report.one_grant.starts_with("GRANT USAGE ON SCHEMA one"));
            grant(owner, report.one_grant);
            CHECK(objects(report_for(cluster, role, 100, role)).empty());
            CHECK(dump_errors(cluster, role, version, role) == "");
        }
    }
}

TEST_CASE("what pg_dump leaves to an extension is not asked for, its configuration tables are") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE EXTENSION citext SCHEMA public");
    admin("CREATE ROLE backup LOGIN");
    admin("CREATE TABLE public.internal (id int)");
    admin("CREATE TABLE public.configuration (id int)");
    admin("ALTER EXTENSION citext ADD TABLE public.internal");
    admin("ALTER EXTENSION citext ADD TABLE public.configuration");
    CHECK(report_for(cluster, "backup").total == 0);
    CHECK(dump_errors(cluster, "backup", admin.server_version()) == "");
    admin(
        "UPDATE pg_extension SET extconfig = ARRAY['public.configuration'::regclass::oid], extcondition = ARRAY[''] "
        "WHERE extname = 'citext'");
    CHECK(objects(report_for(cluster, "backup")) == std::vector<std::string>{"table public.configuration"});
    admin("GRANT SELECT ON public.configuration TO backup");
    CHECK(dump_errors(cluster, "backup", admin.server_version()) == "");
}
