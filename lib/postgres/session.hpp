// One libpq connection, driven by the reactor. One query at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/secret.hpp"

namespace pgbakd::postgres {

// The oldest server whose catalogs the queries of this folder know (PostgreSQL 13).
inline constexpr int oldest_server_version = 130000;

// Where and as whom; the password is already resolved.
struct ConnectOptions {
    std::string server;      // its name in the configuration, for messages
    std::string host;        // name, IP address or socket directory; empty: libpq's default socket
    std::uint16_t port = 0;  // 0: libpq's default, 5432
    std::string user;        // empty: the name of the daemon's own user
    base::Secret password;
    bool password_configured = false;  // also where it is empty
    std::string passfile;              // refused if others than its owner can read it
    std::string sslmode;               // empty: "prefer"
    std::string sslrootcert;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);  // for all addresses of the host together
    std::string database = "postgres";
    std::string database_key;  // the key of the configuration that names it, for messages; empty: none
    std::string application_name = "pgbakd";
    // Settings for the session, as libpq's "options" takes them: name, value. They come after those that every session
    // makes: search_path '', UTF8, no time limits, no JIT.
    std::vector<std::pair<std::string, std::string>> settings;
    std::string role;  // SET ROLE to it once connected, as pg_dump --role does; empty: stay `user`
    // A walsender instead of a backend: it knows no SQL but the commands of the replication protocol, without
    // parameters, and belongs to no database. A statement that is stopped ends the session.
    bool replication = false;
    // The operating system's name for whom the server sees at its socket ("peer"), for messages; empty: the daemon's.
    std::string system_user{};
};

using Value = std::optional<std::string>;  // text form; bytes as the server sent them (SQL_ASCII: any)
using Row = std::vector<Value>;
using Rows = std::vector<Row>;

class Session {
  public:
    // Connects, trying the host's addresses in turn until a server answers. Errors, each naming server, host and
    // database, with a hint: unreachable (passing, unless the host's name does not exist), authentication_failed (also
    // no line in pg_hba.conf), not_found (database), permission_denied (CONNECT), server_error (starting up, shutting
    // down, too many connections: passing), unsupported (older than oldest_server_version), timed_out (passing); the
    // token's reason.
    static asio::awaitable<std::unique_ptr<Session>> connect(ConnectOptions options, async::StopToken stop);
    // Not while a query is under way. Ends the session on the server.
    ~Session();

    // Runs one statement with text parameters ($1 …); the session must outlive the call. Errors carry SQLSTATE in their
    // message; a lost connection, lock_not_available (55P03), serialization and admin shutdown are passing; an answer
    // of more than 1,000,000 rows or 256 MiB is unsupported.
    //
    // When stopped: the statement is cancelled on the server, then the token's reason is thrown. That takes 5 s at
    // most; if the server did not end the statement by then the session is closed (is_open() says so, and further
    // queries throw unreachable). In a transaction the cancelled statement has failed it, as any error does.
    asio::awaitable<Rows> query(std::string sql, std::vector<std::string> parameters, async::StopToken stop);

    [[nodiscard]] int server_version() const noexcept;      // 150008
    [[nodiscard]] std::string server_version_text() const;  // "15.8 (Debian 15.8-0+deb12u1)"
    [[nodiscard]] int backend_pid() const noexcept;
    [[nodiscard]] bool is_open() const noexcept;
    [[nodiscard]] std::string place() const;  // "server main (db1.example:5432)", for messages

  private:
    struct Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// "name" with the quotes of an SQL identifier, "'text'" of a literal (standard_conforming_strings).
[[nodiscard]] std::string quote_identifier(std::string_view name);
[[nodiscard]] std::string quote_literal(std::string_view text);

// Makes libpq deaf to PGHOST, PGSERVICE, PGPASSWORD and the like: a parameter that is not given must mean libpq's
// default and not what the daemon happened to inherit; a service (PGSERVICE) cannot be switched off by any parameter.
// Call it at the start of main, before there are threads.
void ignore_environment() noexcept;

}  // namespace pgbakd::postgres
