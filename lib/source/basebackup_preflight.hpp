// What a server must allow before a base backup of it can begin.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/backup_set.hpp"
#include "postgres/facts.hpp"
#include "postgres/session.hpp"

namespace pgbakd::source {

struct ClusterFacts {
    postgres::ServerFacts server;
    std::uint64_t wal_segment_size = 0;                           // bytes
    std::uint64_t bytes = 0;                                      // of all tablespaces; 0: the role may not ask
    std::vector<model::BaseBackupFacts::Tablespace> tablespaces;  // beside the data directory, by oid
    int free_walsenders = 0;
    int max_walsenders = 0;
};

// Asks in an ordinary session, then connects for replication. Throws what stands in the way: unsupported (the version),
// permission_denied (with the statement that grants it), invalid_configuration (wal_level, max_wal_senders), conflict
// (no walsender free: passing), authentication_failed (pg_hba.conf).
asio::awaitable<ClusterFacts> check_cluster(postgres::ConnectOptions options, async::StopToken stop);

}  // namespace pgbakd::source
