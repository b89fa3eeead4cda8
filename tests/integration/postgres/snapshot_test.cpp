// Row counts taken in the snapshot that a dump uses.
#include "postgres/snapshot.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "integration/postgres/cluster.hpp"
#include "postgres/row_counts.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using base::ErrorCode;
using model::TableCount;
using postgres::Snapshot;
using test::Cluster;
using test::Reactor;
using test::Sql;

namespace {

std::unique_ptr<Snapshot> open(Reactor& reactor, const postgres::ConnectOptions& options) {
    return reactor.run(Snapshot::open(options, {}));
}

std::vector<TableCount> counts(const Cluster& cluster, const std::string& database = "postgres") {
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options(database));
    return reactor.run(snapshot->count_rows({}, {})).tables;
}

}  // namespace

TEST_CASE("counts are those of the snapshot, whatever a writer commits meanwhile") {
    Cluster cluster;
    cluster.start();
    Sql writer(cluster.options());
    writer("CREATE TABLE public.orders (id int)");
    writer("INSERT INTO public.orders SELECT generate_series(1, 1000)");
    writer("CREATE TABLE public.short (id int)");
    writer("INSERT INTO public.short VALUES (1)");

    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options());
    CHECK_FALSE(snapshot->id().empty());
    CHECK(snapshot->facts().snapshot == snapshot->id());
    CHECK(snapshot->facts().database == "postgres");
    CHECK(snapshot->server_version() == writer.server_version());

    writer("INSERT INTO public.orders SELECT generate_series(1, 77)");
    writer("DELETE FROM public.orders WHERE id < 10");
    writer("CREATE TABLE public.later (id int)");
    // Another session sees the same rows in the exported snapshot: this is what pg_dump --snapshot does.
    Sql dump(cluster.options());
    dump("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    dump("SET TRANSACTION SNAPSHOT '" + snapshot->id() + "'");
    CHECK(dump.value("SELECT count(*) FROM public.orders") == "1000");
    dump("COMMIT");
    const std::vector<TableCount> expected{{"public", "orders", 1000}, {"public", "short", 1}};
    const auto counted = reactor.run(snapshot->count_rows({}, {}));
    CHECK(counted.tables == expected);
    CHECK(counted.left_out.empty());
    // Once it was counted nobody waits for us: neither for the table nor for its indexes.
    CHECK(writer.value("SELECT count(*) FROM pg_locks JOIN pg_class c ON c.oid = relation "
                       "WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace") == "0");
    writer("TRUNCATE public.short");
    CHECK(reactor.run(snapshot->changed_tables({}, {})) == "\"public\".\"short\"");
}

TEST_CASE("the tables counted are those that pg_dump dumps the rows of") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE SCHEMA \"Ödes \"\"Schema\"\"\"");
    admin("CREATE TABLE \"Ödes \"\"Schema\"\"\".\"a'b; -- \\ $1\" AS SELECT generate_series(1, 3)");
    const std::string longest(63, 'n');
    admin("CREATE TABLE public." + longest + " ()");
    admin("INSERT INTO public." + longest + " DEFAULT VALUES");  // rows without columns count too
    admin("CREATE TABLE public.parent (id int) PARTITION BY RANGE (id)");
    admin("CREATE TABLE public.low PARTITION OF public.parent FOR VALUES FROM (0) TO (10)");
    admin("CREATE TABLE public.high PARTITION OF public.parent FOR VALUES FROM (10) TO (20)");
    admin("INSERT INTO public.parent SELECT generate_series(0, 14)");
    admin("CREATE TABLE public.base (id int)");
    admin("CREATE TABLE public.derived () INHERITS (public.base)");
    admin("INSERT INTO public.base VALUES (1)");
    admin("INSERT INTO public.derived VALUES (2), (3)");
    admin("CREATE UNLOGGED TABLE public.unlogged AS SELECT 1");
    admin("CREATE TEMPORARY TABLE temporary AS SELECT 1");
    admin("CREATE MATERIALIZED VIEW public.materialized AS SELECT 1");
    admin("CREATE VIEW public.view AS SELECT 1");
    admin("CREATE EXTENSION citext SCHEMA public");
    admin("CREATE TABLE public.internal AS SELECT 1");
    admin("CREATE TABLE public.configuration AS SELECT i AS id, i > 2 AS custom FROM generate_series(1, 5) i");
    admin("ALTER EXTENSION citext ADD TABLE public.internal");
    admin("ALTER EXTENSION citext ADD TABLE public.configuration");
    admin(
        "UPDATE pg_extension SET extconfig = ARRAY['public.configuration'::regclass::oid], "
        "extcondition = ARRAY['WHERE custom'] WHERE extname = 'citext'");

    const std::vector<TableCount> expected{{"public", "base", 1},     {"public", "configuration", 3},
                                           {"public", "derived", 2},  {"public", "high", 5},
                                           {"public", "low", 10},     {"public", longest, 1},
                                           {"public", "unlogged", 1}, {"Ödes \"Schema\"", "a'b; -- \\ $1", 3}};
    CHECK(counts(cluster) == expected);

    // Exactly the tables of an archive, in any order; one that is gone is missing in the answer.
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options());
    const auto id = [&admin](const std::string& name) {
        return postgres::table_id(admin.value("SELECT '" + name + "'::regclass::oid")).value();
    };
    const std::vector<postgres::TableId> wanted{id("public.low"), postgres::TableId{4'000'000'000}, id("public.base")};
    const std::vector<TableCount> two{{"public", "base", 1}, {"public", "low", 10}};
    CHECK(reactor.run(snapshot->count_rows(wanted, {})).tables == two);
    CHECK(reactor.run(snapshot->list_tables({})).size() == expected.size());
}

TEST_CASE("many tables are counted in few round trips") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin(
        "DO $$BEGIN FOR i IN 1..320 LOOP EXECUTE format('CREATE TABLE public.t%s AS SELECT generate_series(1, %s)', "
        "lpad(i::text, 3, '0'), i % 7); END LOOP; END$$ LANGUAGE plpgsql");
    const auto found = counts(cluster);
    REQUIRE(found.size() == 320);
    CHECK(found[0] == TableCount{"public", "t001", 1});
    CHECK(found[319] == TableCount{"public", "t320", 320 % 7});
}

TEST_CASE("what the role may not read is not counted, unless it was dumped") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN");
    admin("CREATE TABLE public.seen AS SELECT 1");
    admin("CREATE TABLE public.unseen AS SELECT 1");
    admin("CREATE TABLE public.filtered AS SELECT 1");
    admin("GRANT SELECT ON public.seen, public.filtered TO backup");
    admin("ALTER TABLE public.filtered ENABLE ROW LEVEL SECURITY");
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options("postgres", "backup"));
    CHECK(reactor.run(snapshot->list_tables({})).size() == 3);
    const std::vector<TableCount> seen{{"public", "seen", 1}};
    CHECK(reactor.run(snapshot->count_rows({}, {})).tables == seen);
    try {
        const auto filtered = postgres::table_id(admin.value("SELECT 'public.filtered'::regclass::oid")).value();
        reactor.run(snapshot->count_rows(std::vector{filtered}, {}));
        FAIL("row security would have hidden rows");
    } catch (const base::Error& error) {
        CHECK(error.code() == ErrorCode::permission_denied);
        CHECK(error.message().starts_with("counting the rows of \"public\".\"filtered\": "));
    }
}

TEST_CASE("nobody is waited for: a table that another session holds or wants is left out") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE TABLE public.free AS SELECT 1");
    admin("CREATE TABLE public.held AS SELECT 1");
    admin("CREATE TABLE public.wanted AS SELECT 1");
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options());
    admin("BEGIN");
    admin("LOCK TABLE public.held");
    // As pg_dump holds it; who wants to change it waits, and whoever asks after him would wait behind him.
    Sql dump(cluster.options());
    dump("BEGIN");
    dump("LOCK TABLE public.wanted IN ACCESS SHARE MODE");
    Sql waiting(cluster.options());
    std::thread alter([&waiting] { waiting("ALTER TABLE public.wanted ADD COLUMN more int"); });
    while (admin.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "1") std::this_thread::yield();
    const auto counted = reactor.run(snapshot->count_rows({}, {}));
    dump("COMMIT");
    alter.join();  // nothing of ours stands in its way
    const std::vector<TableCount> expected{{"public", "free", 1}};
    CHECK(counted.tables == expected);
    CHECK(counted.left_out == "\"public\".\"held\" and 1 more table");
}

TEST_CASE("a table that is no longer what the snapshot saw is told, and not counted") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    for (const std::string table : {"altered", "dropped", "remade", "renamed", "rewritten", "swapped", "truncated"})
        admin("CREATE TABLE public." + table + " AS SELECT generate_series(1, 3) AS id");
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options());
    CHECK(reactor.run(snapshot->changed_tables({}, {})).empty());
    admin("ALTER TABLE public.altered ADD COLUMN more int");
    admin("INSERT INTO public.altered VALUES (4)");
    admin("DROP TABLE public.dropped");
    admin("DROP TABLE public.remade");
    admin("CREATE TABLE public.remade AS SELECT 1");
    admin("ALTER TABLE public.renamed RENAME TO other");
    admin("ALTER TABLE public.rewritten ALTER COLUMN id TYPE bigint");
    admin("ALTER TABLE public.swapped RENAME TO former");
    admin("CREATE TABLE public.swapped AS SELECT 1");
    admin("TRUNCATE public.truncated");
    CHECK(reactor.run(snapshot->changed_tables({}, {})) == "\"public\".\"dropped\" and 5 more tables");
    const auto counted = reactor.run(snapshot->count_rows({}, {}));
    const std::vector<TableCount> expected{{"public", "altered", 3}};
    CHECK(counted.tables == expected);
    CHECK(counted.left_out == "\"public\".\"dropped\" and 5 more tables");
}

TEST_CASE("a large table is counted some blocks at a time") {
    Cluster cluster({"autovacuum = off"});
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE TABLE public.large AS SELECT i, repeat('x', 700) FROM generate_series(1, 1000) i");
    admin("DELETE FROM public.large WHERE i % 10 = 0");
    admin("CREATE TABLE public.small AS SELECT generate_series(1, 5)");
    // What the catalog says of its size may be of long ago.
    const int known = GENERATE(0, 40, 110);
    CAPTURE(known);
    admin("UPDATE pg_class SET relpages = " + std::to_string(known) + " WHERE relname = 'large'");
    Reactor reactor;
    const auto session = reactor.run(postgres::Session::connect(cluster.options(), {}));
    reactor.run(session->query("BEGIN ISOLATION LEVEL REPEATABLE READ", {}, {}));
    const auto tables = reactor.run(postgres::dumped_tables(*session, {}));
    admin("INSERT INTO public.large SELECT i, 'later' FROM generate_series(1, 1000) i");
    const std::vector<TableCount> expected{{"public", "large", 900}, {"public", "small", 5}};
    for (const std::uint64_t most : {1U, 7U, 50U, 100U, 1000U}) {
        CAPTURE(most);
        CHECK(reactor.run(postgres::count_rows(*session, tables, most, {})).tables == expected);
    }
}

TEST_CASE("a condition of an extension's table may be more than one, and one that fails costs no other count") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE EXTENSION citext SCHEMA public");
    for (const std::string table : {"limited", "ordered", "wrong"}) {
        admin("CREATE TABLE public." + table + " AS SELECT generate_series(1, 9) AS i");
        admin("ALTER EXTENSION citext ADD TABLE public." + table);
    }
    admin("CREATE TABLE public.usual AS SELECT 1");
    admin(
        "UPDATE pg_extension SET extconfig = ARRAY['public.limited'::regclass::oid, 'public.ordered'::regclass::oid, "
        "'public.wrong'::regclass::oid], extcondition = ARRAY['WHERE i > 3 LIMIT 2', 'WHERE i > 3 ORDER BY i', "
        "'WHERE nonsense'] WHERE extname = 'citext'");
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options());
    const auto counted = reactor.run(snapshot->count_rows({}, {}));
    const std::vector<TableCount> expected{{"public", "limited", 2}, {"public", "ordered", 6}, {"public", "usual", 1}};
    CHECK(counted.tables == expected);
    CHECK(counted.left_out == "\"public\".\"wrong\"");
    CHECK(counted.cause.find("nonsense") != std::string::npos);
}

TEST_CASE("what a damaged index says is no count") {
    Cluster cluster({"autovacuum = off"});
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE TABLE public.kept (id int PRIMARY KEY)");
    admin("INSERT INTO public.kept SELECT generate_series(1, 20000)");
    admin("VACUUM ANALYZE public.kept");
    // Entries of the index that are gone: it is told to be that of an empty table, and still believed.
    admin("CREATE TABLE public.other (id int PRIMARY KEY)");
    admin("SET allow_system_table_mods = on");
    admin(
        "UPDATE pg_class SET relfilenode = (SELECT relfilenode FROM pg_class WHERE relname = 'other_pkey') "
        "WHERE relname = 'kept_pkey'");
    Reactor reactor;
    const auto snapshot = open(reactor, cluster.options());
    const std::vector<TableCount> expected{{"public", "kept", 20000}, {"public", "other", 0}};
    CHECK(reactor.run(snapshot->count_rows({}, {})).tables == expected);
}

TEST_CASE("names of a database without an encoding stand in a manifest as text") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    Sql bytes(cluster.options("bytes"));
    bytes("CREATE TABLE public.\"caf\xe9\" AS SELECT 1");
    const std::vector<TableCount> expected{{"public", "caf\\xe9", 1}};
    CHECK(counts(cluster, "bytes") == expected);
}
