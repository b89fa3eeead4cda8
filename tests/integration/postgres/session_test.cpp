// Connecting: what works, and what a person is told when it does not.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "async/timer.hpp"
#include "integration/postgres/cluster.hpp"
#include "os/user.hpp"
#include "support/catch.hpp"
#include "support/wait_for.hpp"

using namespace pgbakd;
using base::ErrorCode;
using test::Cluster;
using test::Reactor;
using test::Sql;

namespace {

// The error that connecting ends with.
base::Error refusal(const postgres::ConnectOptions& options) {
    Reactor reactor;
    try {
        reactor.run(postgres::Session::connect(options, async::StopToken{}));
    } catch (const base::Error& error) {
        return error;
    }
    return {ErrorCode::internal, "it connected"};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("connecting by socket and by TCP, with a password and a password file") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN PASSWORD 'right horse'");

    CHECK(admin.value("SELECT inet_server_addr() IS NULL") == "t");
    Sql tcp(cluster.tcp_options("backup", "right horse"));
    CHECK(tcp.value("SELECT host(inet_server_addr()) || ' ' || current_user") == "127.0.0.1 backup");

    auto named = cluster.tcp_options("backup", "right horse");
    named.host = "localhost";  // may have an address on which nobody listens
    Sql by_name(named);
    CHECK(by_name.value("SELECT host(inet_server_addr())") == "127.0.0.1");

    const auto passfile = cluster.directory() / "passfile";
    std::ofstream(passfile) << "localhost:*:*:backup:right horse\n";
    named.password = {};
    named.passfile = passfile;
    std::filesystem::permissions(passfile, std::filesystem::perms(0644));
    const auto open_to_all = refusal(named);
    CHECK(open_to_all.code() == ErrorCode::invalid_configuration);
    CHECK(open_to_all.hint() == "chmod 0600 " + passfile.native());
    std::filesystem::permissions(passfile, std::filesystem::perms(0600));
    Sql by_file(named);
    CHECK(by_file.value("SELECT current_user") == "backup");
}

TEST_CASE("a session's settings do not depend on what was set for the role") {
    Cluster cluster;
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE tuned LOGIN");
    admin("ALTER ROLE tuned SET statement_timeout = '1ms'");
    admin("ALTER ROLE tuned SET search_path = nowhere");
    admin("ALTER ROLE tuned SET default_transaction_isolation = 'serializable'");
    admin("ALTER ROLE tuned SET datestyle = 'German'");
    auto options = cluster.options("postgres", "tuned");
    options.application_name = "pgbakd/shop-daily/01J";
    options.settings = {{"lock_timeout", "4711ms"}, {"my.text", "a b\\c"}};
    Sql tuned(options);
    CHECK(tuned.value("SELECT current_setting('statement_timeout')") == "0");
    CHECK(tuned.value("SELECT current_setting('search_path')") == "");
    CHECK(tuned.value("SELECT current_setting('transaction_isolation')") == "read committed");
    CHECK(tuned.value("SELECT '2026-03-01'::date::text") == "2026-03-01");
    CHECK(tuned.value("SELECT current_setting('client_encoding')") == "UTF8");
    CHECK(tuned.value("SELECT current_setting('lock_timeout')") == "4711ms");
    CHECK(tuned.value("SELECT current_setting('my.text')") == "a b\\c");
    CHECK(tuned.value("SELECT current_setting('application_name')") == "pgbakd/shop-daily/01J");
    if (tuned.server_version() >= 140000)
        CHECK(tuned.value("SELECT current_setting('client_connection_check_interval')") == "1s");
    if (tuned.server_version() >= 170000) CHECK(tuned.value("SELECT current_setting('transaction_timeout')") == "0");
}

TEST_CASE("a refused connection says who refused what, and what to do") {
    Cluster cluster({"lc_messages = 'C.UTF-8'"}, {"host all nobody all reject", "local all peer_only peer"});
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN PASSWORD 'right horse'");
    admin("CREATE ROLE nobody LOGIN PASSWORD 'right horse'");
    admin("CREATE ROLE peer_only LOGIN");
    admin("CREATE DATABASE closed");
    admin("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
    const auto address = "(127.0.0.1:" + std::to_string(cluster.port()) + ")";

    {
        INFO("wrong password");
        const auto error = refusal(cluster.tcp_options("backup", "wrong horse"));
        CHECK(error.code() == ErrorCode::authentication_failed);
        CHECK_FALSE(error.is_passing());
        CHECK(error.message() == "cannot connect to database \"postgres\" on server main " + address +
                                     " as backup: password authentication failed for user \"backup\" (SQLSTATE 28P01)");
        CHECK(contains(error.hint(), "check the password configured for user backup"));
        CHECK_FALSE(contains(error.message() + error.hint(), "horse"));
    }
    {
        INFO("no password");
        const auto error = refusal(cluster.tcp_options("backup", ""));
        CHECK(error.code() == ErrorCode::authentication_failed);
        CHECK(contains(error.message(), "the server wants a password and none is configured"));
        CHECK(contains(error.hint(), "password: {file: PATH}"));
        auto empty = cluster.tcp_options("backup", "");
        empty.password_configured = true;
        CHECK(contains(refusal(empty).message(), "the one configured is empty"));
    }
    {
        INFO("pg_hba.conf");
        const auto error = refusal(cluster.tcp_options("nobody", "right horse"));
        CHECK(error.code() == ErrorCode::authentication_failed);
        CHECK(contains(error.message(), "pg_hba.conf rejects connection"));
        CHECK(contains(error.hint(), "pg_hba.conf"));
        const auto peer = refusal(cluster.options("postgres", "peer_only"));
        CHECK(peer.code() == ErrorCode::authentication_failed);
        CHECK(contains(peer.hint(), "the operating-system user is " + os::user_name() + ", "));
        CHECK(refusal(cluster.options("postgres", "stranger")).code() == ErrorCode::authentication_failed);
    }
    {
        INFO("missing database");
        const auto error = refusal(cluster.options("no such"));
        CHECK(error.code() == ErrorCode::not_found);
        CHECK_FALSE(error.is_passing());
        CHECK(contains(error.message(), "database \"no such\" does not exist (SQLSTATE 3D000)"));
    }
    {
        INFO("no CONNECT");
        const auto error = refusal(cluster.options("closed", "backup"));
        CHECK(error.code() == ErrorCode::permission_denied);
        CHECK(error.hint() == "GRANT CONNECT ON DATABASE \"closed\" TO \"backup\"");
    }
    {
        INFO("TLS that the server does not speak");
        auto options = cluster.tcp_options("backup", "right horse");
        options.sslmode = "require";
        CHECK(refusal(options).code() == ErrorCode::invalid_configuration);
    }
    {
        INFO("too many connections");
        admin("ALTER ROLE backup CONNECTION LIMIT 0");
        const auto error = refusal(cluster.options("postgres", "backup"));
        CHECK(error.code() == ErrorCode::server_error);
        CHECK(error.is_passing());
        CHECK(contains(error.hint(), "max_connections"));
    }
}

TEST_CASE("the daemon's environment does not decide where a session goes") {
    Cluster cluster;
    cluster.start();
    setenv("PGSERVICE", "no such service", 1);
    setenv("PGHOSTADDR", "192.0.2.1", 1);
    setenv("PGOPTIONS", "-c nonsense=1", 1);
    CHECK(refusal(cluster.options()).message() != "it connected");
    postgres::ignore_environment();
    CHECK(refusal(cluster.options()).message() == "it connected");
}

TEST_CASE("TLS is used when the server has it, and its certificate is checked when asked") {
    Cluster cluster({"ssl = on"});
    const auto key = (cluster.directory() / "key.pem").native();
    const auto certificate = (cluster.directory() / "certificate.pem").native();
    const auto command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other "
        "-keyout " +
        key + " -out " + certificate + " 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
    for (const auto& [from, to] : {std::pair{key, "server.key"}, std::pair{certificate, "server.crt"}}) {
        std::ifstream file(from);
        cluster.write_file(to, {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
    }
    cluster.start();
    Sql admin(cluster.options());
    admin("CREATE ROLE backup LOGIN PASSWORD 'right horse'");
    auto options = cluster.tcp_options("backup", "right horse");
    Sql preferred(options);
    CHECK(preferred.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t");
    CHECK(preferred("SELECT repeat('x', 1000) FROM generate_series(1, 20000)").size() == 20000);
    options.sslmode = "verify-ca";
    options.sslrootcert = certificate;
    Sql verified(options);
    options.sslmode = "verify-full";  // it is the certificate of another host
    const auto error = refusal(options);
    CHECK(error.code() == ErrorCode::authentication_failed);
    CHECK_FALSE(error.is_passing());
    CHECK(contains(error.hint(), "sslrootcert"));
    // A refusal under TLS is followed by a try without it: the first one is the cause.
    CHECK(contains(refusal(cluster.tcp_options("backup", "wrong")).message(), "28P01"));
}

TEST_CASE("no server, no such host, and a server that starts up") {
    Cluster cluster;
    const auto socket = refusal(cluster.options());
    CHECK(socket.code() == ErrorCode::unreachable);
    CHECK(socket.is_passing());
    CHECK(contains(socket.message(), "No such file or directory"));
    CHECK_FALSE(socket.hint().empty());
    const auto tcp = refusal(cluster.tcp_options("backup", "secret"));
    CHECK(tcp.code() == ErrorCode::unreachable);
    CHECK(contains(tcp.message(), "Connection refused"));

    auto options = cluster.options();
    options.host = "no-such-host.invalid";
    const auto unknown = refusal(options);
    CHECK(unknown.code() == ErrorCode::unreachable);
    CHECK(contains(unknown.message(), "cannot resolve host name no-such-host.invalid"));

    // A standby that waits for its first file from the archive accepts nobody yet.
    cluster.write_file("standby.signal", "");
    cluster.write_file("postgresql.auto.conf", "restore_command = 'sleep 60; false'\n");
    cluster.start_without_waiting();
    auto starting = refusal(cluster.options());
    const auto listens = [&] {
        starting = refusal(cluster.options());
        return starting.code() != ErrorCode::unreachable;
    };
    (void)support::wait_for(listens);
    CHECK(starting.code() == ErrorCode::server_error);
    CHECK(starting.is_passing());
    CHECK(contains(starting.message(), "the database system is starting up (SQLSTATE 57P03)"));
}

TEST_CASE("a server that does not answer is given up in time") {
    Cluster cluster;
    cluster.start();
    cluster.pause(true);
    auto options = cluster.tcp_options("backup", "secret");
    options.connect_timeout = std::chrono::milliseconds(700);
    const auto begin = std::chrono::steady_clock::now();
    const auto error = refusal(options);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
    CHECK(error.code() == ErrorCode::timed_out);
    CHECK(error.is_passing());
    CHECK(contains(error.message(), "no answer within 700 ms"));
}
