// Statements: values, errors, and being stopped in the middle.
#include <thread>

#include "async/timer.hpp"
#include "integration/postgres/cluster.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using base::ErrorCode;
using test::Cluster;
using test::Reactor;
using test::Sql;

namespace {

using SessionPointer = std::unique_ptr<postgres::Session>;

SessionPointer connect(Reactor& reactor, const postgres::ConnectOptions& options) {
    return reactor.run(postgres::Session::connect(options, async::StopToken{}));
}

postgres::Rows query(Reactor& reactor, postgres::Session& session, const std::string& sql,
                     const std::vector<std::string>& parameters = {}) {
    return reactor.run(session.query(sql, parameters, async::StopToken{}));
}

base::Error failure_of(Reactor& reactor, asio::awaitable<postgres::Rows> task) {
    try {
        reactor.run(std::move(task));
    } catch (const base::Error& error) {
        return error;
    }
    return {ErrorCode::internal, "it succeeded"};
}

// Runs a statement until a deadline or, without one, until somebody else stops it.
asio::awaitable<postgres::Rows> query_within(postgres::Session& session, std::string sql,
                                             std::chrono::milliseconds within) {
    const async::Deadline deadline(co_await asio::this_coro::executor, async::StopToken{}, within, "the statement");
    co_return co_await session.query(std::move(sql), {}, deadline.token());
}

constexpr const char* others_active =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test' AND state <> 'idle' "
    "AND pid <> pg_backend_pid()";
constexpr const char* others =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test' AND pid <> pg_backend_pid()";

}  // namespace

TEST_CASE("values come back as text, NULL as nothing, parameters as they were") {
    Cluster cluster;
    cluster.start();
    Reactor reactor;
    const auto session = connect(reactor, cluster.options());
    const auto rows = query(reactor, *session, "SELECT $1::text, NULL, '', $2::int + 1", {"it's \"ä\" \\ ok", "41"});
    REQUIRE(rows.size() == 1);
    CHECK(rows[0][0] == "it's \"ä\" \\ ok");
    CHECK_FALSE(rows[0][1].has_value());
    CHECK(rows[0][2] == "");
    CHECK(rows[0][3] == "42");
    CHECK(query(reactor, *session, "SELECT 1 WHERE false").empty());
    CHECK(query(reactor, *session, "CREATE TABLE public.t ()").empty());
    CHECK(query(reactor, *session, "SELECT generate_series(1, 100000)").size() == 100000);
    // Larger than any socket buffer, in both directions.
    const std::string large(8U << 20U, 'x');
    CHECK(query(reactor, *session, "SELECT $1::text", {large})[0][0] == large);
    // A notice goes nowhere, also not to standard error.
    CHECK(query(reactor, *session, "DROP TABLE IF EXISTS nothing").empty());
    CHECK(session->server_version() / 10000 >= 13);
    CHECK(session->server_version_text().starts_with(std::to_string(session->server_version() / 10000)));
    CHECK(query(reactor, *session, "SELECT pg_backend_pid()")[0][0] == std::to_string(session->backend_pid()));
}

TEST_CASE("an error names the place and the SQLSTATE, and the session goes on") {
    Cluster cluster({"lc_messages = 'C.UTF-8'"});
    cluster.start();
    Reactor reactor;
    const auto session = connect(reactor, cluster.options());
    const auto missing = failure_of(reactor, session->query("SELECT * FROM nothing", {}, async::StopToken{}));
    CHECK(missing.code() == ErrorCode::not_found);
    CHECK(missing.message() == "server main (" + cluster.directory().native() + ":" + std::to_string(cluster.port()) +
                                   "), database \"postgres\": relation \"nothing\" does not exist (SQLSTATE 42P01)");
    CHECK(query(reactor, *session, "SELECT 1")[0][0] == "1");

    query(reactor, *session, "CREATE TABLE public.locked ()");
    Sql other(cluster.options());
    other("BEGIN");
    other("LOCK TABLE public.locked");
    query(reactor, *session, "SET lock_timeout = '50ms'");
    const auto waited = failure_of(reactor, session->query("SELECT FROM public.locked", {}, async::StopToken{}));
    CHECK(waited.code() == ErrorCode::conflict);
    CHECK(waited.is_passing());

    const auto copy = failure_of(reactor, session->query("COPY (SELECT 1) TO STDOUT", {}, async::StopToken{}));
    CHECK(copy.code() == ErrorCode::unsupported);
    CHECK_FALSE(session->is_open());
}

TEST_CASE("an answer without bounds is refused") {
    Cluster cluster;
    cluster.start();
    Reactor reactor;
    const auto session = connect(reactor, cluster.options());
    const auto error =
        failure_of(reactor, session->query("SELECT generate_series(1, 100000000)", {}, async::StopToken{}));
    CHECK(error.code() == ErrorCode::unsupported);
    Sql admin(cluster.options());
    CHECK(eventually(admin, others, "0"));
}

TEST_CASE("a stopped statement is cancelled on the server, and the session can be used again") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    Reactor reactor;
    const auto session = connect(reactor, cluster.options());
    const auto begin = std::chrono::steady_clock::now();
    const auto error =
        failure_of(reactor, query_within(*session, "SELECT pg_sleep(100)", std::chrono::milliseconds(300)));
    CHECK(error.code() == ErrorCode::timed_out);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
    CHECK(admin.value(others_active) == "0");
    REQUIRE(session->is_open());
    CHECK(query(reactor, *session, "SELECT 7")[0][0] == "7");

    // A transaction is failed by it, as by any error.
    query(reactor, *session, "BEGIN");
    failure_of(reactor, query_within(*session, "SELECT pg_sleep(100)", std::chrono::milliseconds(100)));
    CHECK(failure_of(reactor, session->query("SELECT 7", {}, async::StopToken{})).code() == ErrorCode::server_error);
    query(reactor, *session, "ROLLBACK");
    CHECK(query(reactor, *session, "SELECT 7")[0][0] == "7");

    // Stopped before it starts, and in the middle of a long answer.
    async::StopSource source;
    source.stop({ErrorCode::cancelled, "asked to"});
    CHECK(failure_of(reactor, session->query("SELECT 7", {}, source.token())).message() == "asked to");
    failure_of(reactor, query_within(*session, "SELECT pg_sleep(0.01), generate_series(1, 100000)",
                                     std::chrono::milliseconds(200)));
    CHECK(query(reactor, *session, "SELECT 7")[0][0] == "7");
}

TEST_CASE("a session that goes away in the middle of a statement leaves no backend") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    if (admin.server_version() < 140000) return;  // cannot look for its client
    // A password that has changed meanwhile: no second session can come to cancel.
    admin("CREATE ROLE backup LOGIN PASSWORD 'old'");
    Reactor reactor;
    const auto session = connect(reactor, cluster.tcp_options("backup", "old"));
    admin("ALTER ROLE backup PASSWORD 'new'");
    failure_of(reactor, query_within(*session, "SELECT pg_sleep(100)", std::chrono::milliseconds(300)));
    CHECK_FALSE(session->is_open());
    CHECK(failure_of(reactor, session->query("SELECT 7", {}, async::StopToken{})).code() == ErrorCode::unreachable);
    CHECK(eventually(admin, others, "0"));
}

TEST_CASE("a server that hangs holds a stopped statement for a few seconds only") {
    Cluster cluster;
    cluster.start();
    Reactor reactor;
    const auto session = connect(reactor, cluster.options());
    cluster.pause(true);
    const auto begin = std::chrono::steady_clock::now();
    const auto error = failure_of(reactor, query_within(*session, "SELECT 1", std::chrono::milliseconds(300)));
    const auto took = std::chrono::steady_clock::now() - begin;
    cluster.pause(false);
    CHECK(error.code() == ErrorCode::timed_out);
    CHECK(error.message().starts_with("the statement took longer"));
    CHECK(took < std::chrono::seconds(60));
    CHECK_FALSE(session->is_open());
}

TEST_CASE("a connection that is lost is a passing failure") {
    Cluster cluster;
    cluster.start();
    Reactor reactor;
    const auto asleep = connect(reactor, cluster.options());
    const auto idle = connect(reactor, cluster.options());
    const auto pid = std::to_string(asleep->backend_pid());

    std::thread administrator([&cluster, &pid] {
        Sql admin(cluster.options());
        eventually(admin, "SELECT state FROM pg_stat_activity WHERE pid = " + pid, "active");
        admin("SELECT pg_terminate_backend(" + pid + ")");
    });
    const auto ended = failure_of(reactor, asleep->query("SELECT pg_sleep(100)", {}, async::StopToken{}));
    administrator.join();
    CHECK(ended.code() == ErrorCode::server_error);
    CHECK(ended.is_passing());
    CHECK(ended.message().find("57P01") != std::string::npos);
    CHECK_FALSE(asleep->is_open());

    cluster.stop();
    const auto gone = failure_of(reactor, idle->query("SELECT 1", {}, async::StopToken{}));
    CHECK(gone.is_passing());
    CHECK_FALSE(idle->is_open());
}

TEST_CASE("a database without an encoding gives and takes any bytes") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    Reactor reactor;
    const auto session = connect(reactor, cluster.options("bytes"));
    const auto rows = query(reactor, *session, "SELECT $1::text", {"caf\xe9"});
    CHECK(rows[0][0] == "caf\xe9");
}
