// The schema of the catalog's file and its steps from one version to the next.
#pragma once

#include "base/clock.hpp"
#include "catalog/sqlite.hpp"

namespace pgbakd::catalog {

// PRAGMA user_version of a file this program makes.
[[nodiscard]] int schema_version() noexcept;

// Brings a file of any known version (0: an empty one) to the present one, each step in a transaction of its own.
// One that is empty is begun at `now`.
// Errors: unsupported for a file of a newer version; conflict for a database that is not a catalog.
void migrate(Connection& connection, base::Timestamp now);

// For readers, who cannot migrate: false for a file without a schema yet, unsupported for any version but the present.
[[nodiscard]] bool check_version(Connection& connection);

}  // namespace pgbakd::catalog
