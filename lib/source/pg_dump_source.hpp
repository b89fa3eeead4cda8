// The pg_dump source: databases of one server as logical dumps, and the server's globals.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "config/pg_dump_options.hpp"
#include "model/job.hpp"
#include "os/process.hpp"
#include "postgres/facts.hpp"
#include "postgres/programs.hpp"
#include "postgres/snapshot.hpp"
#include "source/pg_dump_arguments.hpp"
#include "source/server_access.hpp"
#include "source/source.hpp"

namespace pgbakd::source {

// What is known of a database while it is dumped.
struct DumpedDatabase {
    model::DatabaseFacts facts;
    std::unique_ptr<postgres::Snapshot> snapshot;          // none: no fingerprint
    std::optional<std::vector<postgres::TableId>> chosen;  // the tables in the dump, if not all are
    std::vector<postgres::Schema> schemas;                 // of the tables, from changed_tables() on
    postgres::ConnectOptions connection;                   // to look at them again
};

class PgDumpSource final : public Source {
  public:
    struct Settings {
        model::ServerSpec server;
        model::PgDumpSource source;
        codec::Compression compression;
        postgres::ProgramSearch programs;
        base::Secret password;
        std::string application;  // application_name of every backend of this run
        int nice = 0;
    };
    PgDumpSource(asio::any_io_executor executor, async::Pool& pool, Settings settings);

    asio::awaitable<Prepared> prepare(async::StopToken stop) override;
    asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, std::filesystem::path work,
                                                    async::StopToken stop) override;
    // Backends that still carry the run's name.
    asio::awaitable<std::size_t> end_leftovers(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set) const override;

  private:
    asio::awaitable<std::vector<postgres::DatabaseInfo>> choose_databases(std::vector<postgres::DatabaseInfo> existing,
                                                                          Prepared& prepared, async::StopToken stop);
    asio::awaitable<void> check_database(std::string database, async::StopToken stop);
    [[nodiscard]] postgres::ConnectOptions connection(const std::string& database) const;
    [[nodiscard]] postgres::ConnectOptions maintenance_connection() const;
    // The same, with the rights by which pg_dump reads under the job's options: what it sees is what we count.
    [[nodiscard]] postgres::ConnectOptions reading_connection(const std::string& database) const;
    // What is asked of the database before its dump begins; fills in the request's snapshot.
    asio::awaitable<DumpedDatabase> open_database(std::string database, os::Command command, DumpRequest& request,
                                                  async::StopToken stop);
    // Whether we compress the archives, on all processors, and not pg_dump on one.
    [[nodiscard]] bool compresses_archives() const;
    [[nodiscard]] Part database_part(const std::string& database) const;
    [[nodiscard]] Part globals_part() const;

    asio::any_io_executor executor_;
    async::Pool& pool_;
    Settings settings_;
    config::DumpTraits traits_;  // of the job's options
    ServerAccess access_;
    // From prepare() on:
    postgres::ServerFacts server_;
    postgres::ClientPrograms programs_;
    bool with_role_passwords_ = true;
};

}  // namespace pgbakd::source
