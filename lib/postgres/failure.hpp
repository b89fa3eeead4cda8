// What a server or libpq says when something fails, turned into the one Error: kind, whether it passes, what to do.
// Pure: SQLSTATE decides where there is one, so that a server that speaks another language changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pgbakd::postgres {

// Where a session goes to, for messages. Never the password.
struct Place {
    std::string server;  // its name in the configuration; may be empty
    std::string host;    // empty: libpq's default socket
    std::uint16_t port = 0;
    std::string database;
    std::string user;
    std::string system_user{};   // the operating system's name for whom we run as: what "peer" asks about
    std::string database_key{};  // of the configuration, if one names the database: "servers.main.maintenance_database"
    bool replication = false;    // no database, but a walsender

    [[nodiscard]] std::string text() const;  // "server main (db1.example:5432)"
};

// What a SQLSTATE stands for (appendix A of PostgreSQL's manual); a class ("53") where a code has no row of its own.
struct Meaning {
    base::ErrorCode code = base::ErrorCode::server_error;
    base::Persistence persistence = base::Persistence::lasting;
    std::string_view hint;  // {user} and {database} stand for those of the place
};
[[nodiscard]] Meaning meaning_of(std::string_view sqlstate) noexcept;

// A statement failed: the fields of the server's answer. An empty SQLSTATE means that libpq speaks: a lost connection.
struct ServerAnswer {
    std::string sqlstate;
    std::string message;
    std::string detail;
};
[[nodiscard]] base::Error statement_failed(const Place& place, const ServerAnswer& answer);
[[nodiscard]] base::Error connection_lost(const Place& place, std::string_view why);

// An attempt to connect failed: libpq's error text, written with PQERRORS_VERBOSE, since that is the only way in which
// libpq tells the SQLSTATE of a refused connection ("FATAL:  28P01: password …"). With several of them (a second
// attempt without TLS) the one that says most about the cause is taken.
struct RefusedConnection {
    std::string text;
    bool password_missing = false;  // PQconnectionNeedsPassword
    std::string passfile;           // where a password was looked for
    bool password_empty = false;    // one is configured, and it is the empty text
};
[[nodiscard]] ServerAnswer parse_connect_text(std::string_view text);
[[nodiscard]] base::Error connection_failed(const Place& place, const RefusedConnection& refused);
// No answer within the time allowed.
[[nodiscard]] base::Error connection_timed_out(const Place& place, std::string_view within);

}  // namespace pgbakd::postgres
