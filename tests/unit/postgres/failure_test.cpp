// SQLSTATEs and libpq's texts as errors that a person can act on.
#include "postgres/failure.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using base::ErrorCode;

namespace {
const postgres::Place place{"main", "db1.example", 5432, "shop", "backup"};
}

TEST_CASE("a SQLSTATE has one meaning") {
    struct Row {
        const char* sqlstate;
        ErrorCode code;
        bool passing;
        const char* hint;  // a part of it
    };
    const std::vector<Row> rows{
        {"08006", ErrorCode::unreachable, true, "network"},
        {"08P01", ErrorCode::unreachable, true, "network"},
        {"0A000", ErrorCode::unsupported, false, ""},
        {"25006", ErrorCode::unsupported, false, "standby"},
        {"25P02", ErrorCode::server_error, false, ""},
        {"25P03", ErrorCode::unreachable, true, ""},
        {"28000", ErrorCode::authentication_failed, false, "pg_hba.conf for database shop"},
        {"28P01", ErrorCode::authentication_failed, false, "password configured for user backup"},
        {"3D000", ErrorCode::not_found, false, "check the name"},
        {"40001", ErrorCode::server_error, true, "hot_standby_feedback"},
        {"40P01", ErrorCode::server_error, true, ""},
        {"42501", ErrorCode::permission_denied, false, "grant role backup"},
        {"42601", ErrorCode::server_error, false, ""},
        {"42P01", ErrorCode::not_found, false, ""},
        {"53100", ErrorCode::no_space, false, "free space"},
        {"53200", ErrorCode::server_error, true, "max_locks_per_transaction"},
        {"53300", ErrorCode::server_error, true, "max_connections"},
        {"53400", ErrorCode::server_error, true, "log"},
        {"55P03", ErrorCode::conflict, true, "lock_wait_timeout"},
        {"57014", ErrorCode::server_error, true, "cancelled"},
        {"57P01", ErrorCode::server_error, true, "administrator"},
        {"57P02", ErrorCode::server_error, true, "crashed"},
        {"57P03", ErrorCode::server_error, true, "starting up"},
        {"57P04", ErrorCode::not_found, false, "dropped"},
        {"58030", ErrorCode::server_error, false, "log"},
        {"XX001", ErrorCode::corrupt, false, "pg_amcheck"},
        {"ZZ999", ErrorCode::server_error, false, ""},
    };
    for (const auto& row : rows) {
        INFO(row.sqlstate);
        const auto error = postgres::statement_failed(place, {row.sqlstate, "some \x01 text", ""});
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK(error.hint().find(row.hint) != std::string::npos);
        CHECK(error.hint().find('{') == std::string::npos);
        CHECK(error.message() == "server main (db1.example:5432), database \"shop\": some ? text (SQLSTATE " +
                                     std::string(row.sqlstate) + ")");
    }
}

TEST_CASE("a place reads like an address") {
    CHECK(postgres::Place{"main", "db1", 5433, "", ""}.text() == "server main (db1:5433)");
    CHECK(postgres::Place{"main", "", 0, "", ""}.text() == "server main (local socket)");
    CHECK(postgres::Place{"main", "/run/postgresql", 5432, "", ""}.text() == "server main (/run/postgresql:5432)");
    CHECK(postgres::Place{"", "::1", 5432, "", ""}.text() == "the server at [::1]:5432");
}

TEST_CASE("a refused walsender is told what lets it in") {
    struct Row {
        const char* host;
        const char* text;
        const char* hint;
    };
    const std::vector<Row> rows{
        {"db1",
         "FATAL:  28000: no pg_hba.conf entry for replication connection from host \"192.0.2.7\", user \"backup\", no "
         "encryption",
         "pg_hba.conf needs a line of its own for replication, which \"all\" does not stand for: host replication "
         "\"backup\" 192.0.2.7/32 scram-sha-256; then reload the server"},
        {"db1",
         "FATAL:  28000: no pg_hba.conf entry for replication connection from host \"2001:db8::7\", user \"backup\"",
         "pg_hba.conf needs a line of its own for replication, which \"all\" does not stand for: host replication "
         "\"backup\" 2001:db8::7/128 scram-sha-256; then reload the server"},
        {"", "FATAL:  28000: no pg_hba.conf entry for replication connection from host \"[local]\", user \"backup\"",
         "pg_hba.conf needs a line of its own for replication, which \"all\" does not stand for: local replication "
         "\"backup\" scram-sha-256 (or peer); then reload the server"},
        {"db1", "FATAL:  28000: kein pg_hba.conf-Eintrag",
         "pg_hba.conf needs a line of its own for replication, which \"all\" does not stand for: host replication "
         "\"backup\" ADDRESS/32 scram-sha-256; then reload the server"},
        {"db1", "FATAL:  42501: must be superuser or replication role to start walsender",
         "ALTER ROLE \"backup\" REPLICATION"},
        {"db1", "FATAL:  53300: number of requested standby connections exceeds max_wal_senders (currently 1)",
         "raise max_wal_senders on the server (which wants a restart), or end what else it sends WAL or backups to"},
        {"db1", "FATAL:  28P01: password authentication failed",
         "check the password configured for user backup, and the method in pg_hba.conf"},
    };
    for (const auto& row : rows) {
        postgres::Place walsender{"main", row.host, 0, "replication", "backup", "pgbakd", ""};
        walsender.replication = true;
        const auto error = postgres::connection_failed(walsender, {row.text, false, "", false});
        CHECK(error.hint() == row.hint);
        CHECK(error.message().starts_with("cannot connect to server main ("));
        CHECK(error.message().find(") as backup for replication: ") != std::string::npos);
    }
}

TEST_CASE("the SQLSTATE of a refused connection is found in libpq's text") {
    struct Row {
        const char* text;
        postgres::ServerAnswer answer;
    };
    const std::vector<Row> rows{
        {"connection to server at \"db1\" (192.0.2.7), port 5432 failed: FATAL:  28P01: password authentication failed "
         "for user \"backup\"\nLOCATION:  auth_failed, auth.c:335\n",
         {"28P01", "password authentication failed for user \"backup\"", ""}},
        // Another language; a detail.
        {"connection to server on socket \"/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  42501: keine Berechtigung\n"
         "DETAIL:  User does not have CONNECT privilege.\nLOCATION:  CheckMyDatabase, postinit.c:372\n",
         {"42501", "keine Berechtigung", "User does not have CONNECT privilege."}},
        // First with TLS, then without: what hides the cause comes last.
        {"connection to server at \"db1\", port 5432 failed: FATAL:  28P01: password authentication failed\n"
         "connection to server at \"db1\", port 5432 failed: FATAL:  28000: no pg_hba.conf entry for host, no "
         "encryption\n",
         {"28P01", "password authentication failed", ""}},
        {"connection to server at \"db1\", port 5432 failed: FATAL:  28000: no pg_hba.conf entry, SSL encryption\n"
         "connection to server at \"db1\", port 5432 failed: FATAL:  3D000: database \"shop\" does not exist\n",
         {"3D000", "database \"shop\" does not exist", ""}},
        // Before PostgreSQL 14 libpq put it like this.
        {"FATAL:  57P03: the database system is starting up\nLOCATION:  ProcessStartupPacket, postmaster.c:2353\n",
         {"57P03", "the database system is starting up", ""}},
        {"could not connect to server: Connection refused\n\tIs the server running on host \"db1\"?\n",
         {"", "could not connect to server: Connection refused", ""}},
        {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running?\n",
         {"", "Connection refused", ""}},
        {"", {"", "", ""}},
        // Five letters in front of a colon that are no SQLSTATE.
        {"ERROR:  words: and more\n", {"", "ERROR:  words: and more", ""}},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto answer = postgres::parse_connect_text(row.text);
        CHECK(answer.sqlstate == row.answer.sqlstate);
        CHECK(answer.message == row.answer.message);
        CHECK(answer.detail == row.answer.detail);
    }
}

TEST_CASE("what libpq itself says when it cannot connect") {
    struct Row {
        const char* text;
        ErrorCode code;
        bool passing;
    };
    const std::vector<Row> rows{
        {"connection to server at \"db1\" (192.0.2.7), port 5432 failed: Connection refused", ErrorCode::unreachable,
         true},
        {"connection to server at \"db1\", port 5432 failed: Network is unreachable", ErrorCode::unreachable, true},
        {"connection to server on socket \"/s\" failed: Permission denied", ErrorCode::permission_denied, false},
        {"connection to server at \"db1\", port 5432 failed: server does not support SSL, but SSL was required",
         ErrorCode::invalid_configuration, false},
        {"connection to server at \"db1\", port 5432 failed: SSL error: certificate verify failed",
         ErrorCode::authentication_failed, false},
        {"connection to server at \"db1\", port 5432 failed: SSL SYSCALL error: EOF detected", ErrorCode::unreachable,
         true},
        {"root certificate file \"/x\" does not exist", ErrorCode::authentication_failed, false},
        {"invalid sslmode value: \"sometimes\"", ErrorCode::invalid_argument, false},
        {"connection to server at \"db1\", port 5432 failed: server closed the connection unexpectedly",
         ErrorCode::unreachable, true},
        {"", ErrorCode::unreachable, true},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto error = postgres::connection_failed(place, {row.text, false, ""});
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK_FALSE(error.hint().empty());
        CHECK(error.message().starts_with(
            "cannot connect to database \"shop\" on server main (db1.example:5432) as backup: "));
    }
    const auto wanted =
        postgres::connection_failed(place, {"fe_sendauth: no password supplied", true, "/etc/passfile"});
    CHECK(wanted.code() == ErrorCode::authentication_failed);
    CHECK(wanted.hint().starts_with("/etc/passfile needs a line"));
}

TEST_CASE("a password that is missing and one that is empty are told apart, with keys that exist") {
    const std::string text = "fe_sendauth: no password supplied";
    const auto missing = postgres::connection_failed(place, {text, true, ""});
    CHECK(missing.message().ends_with("the server wants a password and none is configured"));
    CHECK(missing.hint() == "give the server's entry one, as in password: {file: PATH}, or a passfile: PATH");
    const auto empty = postgres::connection_failed(place, {text, true, "/etc/passfile", true});
    CHECK(empty.code() == ErrorCode::authentication_failed);
    CHECK(empty.message().ends_with("the server wants a password and the one configured is empty"));
    CHECK(empty.hint().find("what it names is empty") != std::string::npos);
}

TEST_CASE("peer authentication that fails names the operating-system user") {
    auto at = place;
    at.system_user = "pgbakd";
    const auto hint = [&](const std::string& message) {
        return postgres::connection_failed(at, {"connection failed: FATAL:  28000: " + message, false, ""}).hint();
    };
    for (const char* message : {"Peer authentication failed for user \"backup\"",
                                "Peer-Authentifizierung für Benutzer »backup« fehlgeschlagen"}) {
        INFO(message);
        CHECK(hint(message).starts_with("the operating-system user is pgbakd, "));
        CHECK(hint(message).find("run as user backup, or map pgbakd to backup in pg_ident.conf") != std::string::npos);
    }
    // The word may be a name.
    at.user = "peer_backup";
    CHECK(hint("role \"peer_backup\" does not exist").find("may log in") != std::string::npos);
    at.user = "pgbakd";
    CHECK(hint("Peer authentication failed for user \"pgbakd\"").starts_with("the operating-system user is pgbakd: "));
}

TEST_CASE("a database that the configuration names by a key is told by that key") {
    const std::string text = "connection failed: FATAL:  3D000: database \"shop\" does not exist";
    CHECK(postgres::connection_failed(place, {text, false, ""}).hint().find("take the database out of the job") !=
          std::string::npos);
    auto maintenance = place;
    maintenance.database_key = "servers.main.maintenance_database";
    CHECK(postgres::connection_failed(maintenance, {text, false, ""})
              .hint()
              .starts_with("servers.main.maintenance_database names the database to connect to first"));
}
