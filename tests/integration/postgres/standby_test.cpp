// A standby is a good place to dump from.
#include "integration/postgres/cluster.hpp"
#include "postgres/facts.hpp"
#include "postgres/snapshot.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using test::Cluster;
using test::Reactor;
using test::Sql;

TEST_CASE("a snapshot is exported and rows are counted on a standby, unlogged tables left out") {
    Cluster primary;
    primary.start();
    {
        Sql admin(primary.options());
        admin("CREATE TABLE public.logged AS SELECT generate_series(1, 10)");
        admin("CREATE UNLOGGED TABLE public.unlogged AS SELECT 1");
    }
    primary.stop();
    Cluster standby(primary, {"hot_standby = on"});
    standby.write_file("standby.signal", "");
    standby.start();

    Reactor reactor;
    const auto session = reactor.run(postgres::Session::connect(standby.options(), {}));
    CHECK(reactor.run(postgres::server_facts(*session, {})).in_recovery);
    const auto snapshot = reactor.run(postgres::Snapshot::open(standby.options(), {}));
    CHECK_FALSE(snapshot->id().empty());
    CHECK_FALSE(snapshot->facts().snapshot_lsn.empty());
    const std::vector<model::TableCount> expected{{"public", "logged", 10}};
    CHECK(reactor.run(snapshot->count_rows({}, {})).tables == expected);
}
