// What a backup asks a server about itself, its databases and its backends.
#include "postgres/facts.hpp"

#include <algorithm>

#include "integration/postgres/cluster.hpp"
#include "postgres/programs.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using base::ErrorCode;
using test::Cluster;
using test::Reactor;
using test::Sql;

TEST_CASE("facts of a server, as a superuser and as anybody") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE \"Back up\" LOGIN");
    Reactor reactor;
    for (const std::string role : {"postgres", "Back up"}) {
        const auto session = reactor.run(postgres::Session::connect(cluster.options("postgres", role), {}));
        const auto facts = reactor.run(postgres::server_facts(*session, {}));
        CHECK(facts.version_number == admin.server_version());
        CHECK(facts.version == admin.value("SHOW server_version"));
        CHECK(facts.system_identifier == admin.value("SELECT system_identifier FROM pg_control_system()"));
        CHECK_FALSE(facts.in_recovery);
        CHECK(facts.is_superuser == (role == "postgres"));
        CHECK(facts.role == role);
        CHECK(reactor.run(postgres::can_read_role_passwords(*session, {})) == (role == "postgres"));
    }
    admin("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    const auto session = reactor.run(postgres::Session::connect(cluster.options("postgres", "Back up"), {}));
    CHECK(reactor.run(postgres::server_facts(*session, {})).system_identifier.empty());
}

TEST_CASE("databases, with what the role may do there") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN");
    admin("CREATE DATABASE shop");
    admin("CREATE DATABASE \"Zum \"\"Bären\"\"\"");
    admin("CREATE DATABASE closed");
    admin("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    admin("CREATE DATABASE broken");
    admin("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'");

    Reactor reactor;
    const auto session = reactor.run(postgres::Session::connect(cluster.options("postgres", "backup"), {}));
    const auto databases = reactor.run(postgres::list_databases(*session, {}));
    std::vector<std::string> names;
    for (const auto& database : databases) names.push_back(database.name);
    CHECK(names ==
          std::vector<std::string>{"Zum \"Bären\"", "broken", "closed", "postgres", "shop", "template0", "template1"});
    const auto find = [&databases](const std::string& name) {
        return *std::ranges::find(databases, name, &postgres::DatabaseInfo::name);
    };
    CHECK(find("shop").allows_connections);
    CHECK(find("shop").may_connect);
    CHECK_FALSE(find("shop").is_template);
    CHECK(std::to_string(find("shop").bytes) == admin.value("SELECT pg_database_size('shop')"));
    CHECK_FALSE(find("closed").may_connect);
    CHECK(find("closed").bytes == 0);
    CHECK_FALSE(find("template0").allows_connections);
    CHECK(find("template1").is_template);
    CHECK_FALSE(find("broken").allows_connections);
}

TEST_CASE("facts of a database") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    Reactor reactor;
    const auto session = reactor.run(postgres::Session::connect(cluster.options("latin"), {}));
    auto facts = reactor.run(postgres::database_facts(*session, {}));
    CHECK(facts.database == "latin");
    CHECK(facts.encoding == "LATIN1");
    CHECK(facts.collation == "C");
    CHECK(facts.extensions == std::vector<std::string>{"plpgsql 1.0"});
    CHECK(facts.snapshot_lsn.find('/') != std::string::npos);
    CHECK_FALSE(facts.fingerprinted);

    if (admin.server_version() < 150000) return;
    admin("CREATE DATABASE icu LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' TEMPLATE template0");
    const auto other = reactor.run(postgres::Session::connect(cluster.options("icu"), {}));
    CHECK(reactor.run(postgres::database_facts(*other, {})).collation == "icu:de-DE");
}

TEST_CASE("what was said of a database is known, to any role") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN");
    admin("CREATE ROLE \"O'wn\"");
    admin("CREATE DATABASE shop OWNER \"O'wn\" CONNECTION LIMIT 3 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    Reactor reactor;
    const auto properties = [&] {
        const auto session = reactor.run(postgres::Session::connect(cluster.options("shop", "backup"), {}));
        return reactor.run(postgres::database_facts(*session, {})).properties.value();
    };
    auto found = properties();
    CHECK(found.owner == "O'wn");
    CHECK(found.locale_provider == "libc");
    CHECK(found.collate == "C");
    CHECK(found.ctype == "C");
    CHECK(found.locale.empty());
    CHECK(found.tablespace.empty());
    CHECK(found.connection_limit == 3);
    CHECK_FALSE(found.is_template);
    CHECK(found.comment.empty());
    CHECK_FALSE(found.privileges);
    CHECK(found.settings.empty());

    admin("ALTER DATABASE shop SET search_path TO a, 'B c'");
    admin("ALTER DATABASE shop SET my.x TO 'a=b'");
    admin("ALTER ROLE backup IN DATABASE shop SET work_mem TO '4MB'");
    admin("COMMENT ON DATABASE shop IS 'of ours'");
    admin("REVOKE ALL ON DATABASE shop FROM PUBLIC");
    admin("GRANT CONNECT ON DATABASE shop TO backup WITH GRANT OPTION");
    found = properties();
    CHECK(found.comment == "of ours");
    CHECK(found.settings == std::vector<model::DatabaseSetting>{
                                {"", "search_path", "a, \"B c\""}, {"", "my.x", "a=b"}, {"backup", "work_mem", "4MB"}});
    CHECK(found.privileges == std::vector<model::DatabasePrivilege>{{"O'wn", "O'wn", "CREATE", false},
                                                                    {"O'wn", "O'wn", "TEMPORARY", false},
                                                                    {"O'wn", "O'wn", "CONNECT", false},
                                                                    {"O'wn", "backup", "CONNECT", true}});
}

TEST_CASE("backends of a run are found by their name and ended") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN");
    admin("CREATE ROLE other LOGIN");
    // Longer than a name may be, and with a character that the server does not keep.
    const std::string name = "pgbakd/bäckup-of-the-shop-every-night/01JABCDEFGHJKMNPQRSTVWXYZ0-and-more";

    auto options = cluster.options("postgres", "backup");
    options.application_name = name;
    Reactor reactor;
    const auto first = reactor.run(postgres::Session::connect(options, {}));
    const auto second = reactor.run(postgres::Session::connect(options, {}));
    auto foreign_options = options;
    foreign_options.user = "other";
    Sql foreign(foreign_options);
    auto plain = cluster.options("postgres", "backup");
    plain.application_name = "somebody else";
    Sql bystander(plain);

    CHECK(reactor.run(postgres::count_backends(*first, name, {})) == 1);  // not itself
    const auto ours = reactor.run(postgres::Session::connect(plain, {}));
    CHECK(reactor.run(postgres::count_backends(*ours, name, {})) == 2);
    CHECK(reactor.run(postgres::terminate_backends(*ours, name, {})) == 2);
    CHECK(eventually(admin,
                     "SELECT count(*) FROM pg_stat_activity WHERE pid IN (" + std::to_string(first->backend_pid()) +
                         ", " + std::to_string(second->backend_pid()) + ")",
                     "0"));
    CHECK(reactor.run(postgres::terminate_backends(*ours, name, {})) == 0);
    CHECK(bystander.value("SELECT 1") == "1");
    CHECK(foreign.value("SELECT 1") == "1");

    const auto superuser = reactor.run(postgres::Session::connect(cluster.options(), {}));
    CHECK(reactor.run(postgres::terminate_backends(*superuser, name, {})) == 1);
    CHECK_THROWS_AS(foreign.value("SELECT 1"), base::Error);
}

TEST_CASE("the client programs of this machine are found") {
    Reactor reactor;
    const char* path = std::getenv("PATH");
    const auto search = postgres::ProgramSearch::standard(path == nullptr ? "/usr/bin" : path);
    const auto programs = reactor.run(postgres::find_programs(9, {}, search, {}));
    CHECK(programs.major >= 9);
    CHECK(programs.version_text.starts_with("pg_dump (PostgreSQL) "));
    CHECK(std::filesystem::exists(programs.pg_dumpall));
    const auto same = reactor.run(postgres::find_programs(programs.major, {}, search, {}));
    CHECK(same.pg_dump == programs.pg_dump);
}
