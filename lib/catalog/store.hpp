// What a Catalog holds: one connection behind one mutex.
#pragma once

#include <mutex>

#include "catalog/catalog.hpp"
#include "catalog/sqlite.hpp"

namespace pgbakd::catalog {

struct Catalog::Impl {
    Impl(const std::filesystem::path& file, Connection::Mode mode) : connection(file, mode) {}
    // As Catalog::open, with such a connection.
    [[nodiscard]] static std::unique_ptr<Impl> open(const std::filesystem::path& file, base::Timestamp now,
                                                    Connection::Mode mode);
    std::mutex mutex;
    Connection connection;
    bool damaged = false;
};

[[nodiscard]] inline std::int64_t to_number(base::Timestamp time) {
    return time.time_since_epoch().count();
}
[[nodiscard]] inline std::int64_t to_number(base::Instant instant) {
    return instant.time_since_epoch().count();
}
[[nodiscard]] inline base::Timestamp to_timestamp(std::int64_t number) {
    return base::Timestamp(std::chrono::milliseconds(number));
}
[[nodiscard]] inline base::Instant to_instant(std::int64_t number) {
    return base::Instant(base::Instant::duration(number));
}

// Inserts a run; conflict if its id is there. And replaces, whether it is there or not.
void insert_run(Connection& connection, const model::RunReport& run);
void replace_run(Connection& connection, const model::RunReport& run);

}  // namespace pgbakd::catalog
