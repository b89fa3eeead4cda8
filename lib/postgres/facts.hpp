// Questions a backup asks a server, each one query or a few. All of them throw what Session::query throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/backup_set.hpp"
#include "postgres/session.hpp"

namespace pgbakd::postgres {

struct ServerFacts {
    int version_number = 0;
    std::string version;            // "15.8 (Debian 15.8-0+deb12u1)"
    std::string system_identifier;  // empty if the role may not read it
    bool in_recovery = false;       // a standby
    bool is_superuser = false;
    std::string role;
};
asio::awaitable<ServerFacts> server_facts(Session& session, async::StopToken stop);

struct DatabaseInfo {
    std::string name;
    bool allows_connections = true;  // false also for what an interrupted DROP DATABASE left
    bool is_template = false;
    bool may_connect = true;  // CONNECT of the present role
    std::uint64_t bytes = 0;  // pg_database_size; 0 if the role may not ask
};
asio::awaitable<std::vector<DatabaseInfo>> list_databases(Session& session, async::StopToken stop);  // by name

// What the present role cannot read in the session's database but pg_dump would: tables, sequences, schemas (system
// schemas and extension members without configuration data left out), large objects; row security that would make
// pg_dump fail. What options of a job leave out is not known here.
struct MissingPrivilege {
    std::string object;  // "table public.orders", "row security of table public.orders"
    std::string grant;   // the statement that fixes it
};
// At most `limit` of them and how many there are in all.
struct PrivilegeReport {
    std::vector<MissingPrivilege> missing;
    std::uint64_t total = 0;
    // What fixes all: "GRANT pg_read_all_data TO backup" (14+), else schema-wise; several statements, joined by "; ",
    // if large objects or row security need one of their own. Empty if nothing is missing.
    std::string one_grant;
};
asio::awaitable<PrivilegeReport> missing_privileges(Session& session, std::size_t limit, async::StopToken stop);
// For pg_dumpall --globals-only: whether the role may read pg_authid (passwords of roles); superusers only.
asio::awaitable<bool> can_read_role_passwords(Session& session, async::StopToken stop);

// Encoding, collation ("de_DE.UTF-8", "icu:de-DE", "builtin:C.UTF-8"), properties, extensions ("name version"), current
// WAL position; in the session's snapshot. The other fields stay empty.
asio::awaitable<model::DatabaseFacts> database_facts(Session& session, async::StopToken stop);

// Ends backends whose application_name is `application_name` (not our own). Returns how many there were; they may take
// a moment to go. Used when a run has ended in any way; needs no more than being the same role (a superuser also ends
// those of other roles). Names are compared as the server keeps them: 63 bytes, no bytes but printable ASCII.
asio::awaitable<std::size_t> terminate_backends(Session& session, std::string application_name, async::StopToken stop);
asio::awaitable<std::size_t> count_backends(Session& session, std::string application_name, async::StopToken stop);

}  // namespace pgbakd::postgres
