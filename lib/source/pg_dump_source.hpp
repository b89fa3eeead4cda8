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
#include "codec/check.hpp"
#include "config/pg_dump_options.hpp"
#include "model/job.hpp"
#include "os/process.hpp"
#include "postgres/facts.hpp"
#include "postgres/programs.hpp"
#include "postgres/snapshot.hpp"
#include "source/pg_dump_arguments.hpp"
#include "source/stream.hpp"

namespace pgbakd::source {

// One artifact to be made.
struct Part {
    std::string kind;      // "database" or "globals"
    std::string database;  // empty for globals
    model::DumpFormat format = model::DumpFormat::plain;
    codec::Content content{};
    codec::Compression outer;        // what we compress the stream with; none where pg_dump compresses itself
    codec::Compression compression;  // what a reader of the file must undo, either way
    std::string extension;           // ".dump", ".sql.gz", ".dir.tar"
    [[nodiscard]] std::string what() const { return kind == "globals" ? kind : database; }
};

// A part that cannot be dumped, found out before anything is read.
struct Refused {
    std::string database;
    base::Error error;
};

struct Prepared {
    postgres::ServerFacts server;
    postgres::ClientPrograms programs;
    std::vector<Part> parts;
    std::vector<Refused> refused;
    std::vector<std::string> databases;  // all that are meant, dumped or refused
    std::vector<std::string> notes;
    std::uint64_t estimated_bytes = 0;  // an upper estimate of what the set takes on disk
    bool with_role_passwords = true;
};

// A part being dumped: its stream, and what is asked of the database beside it.
class OpenPart {
  public:
    struct Database {
        model::DatabaseFacts facts;
        std::unique_ptr<postgres::Snapshot> snapshot;          // none: no fingerprint
        std::optional<std::vector<postgres::TableId>> chosen;  // the tables in the dump, if not all are
        std::vector<postgres::Schema> schemas;                 // of the tables, from changed_tables() on
        postgres::ConnectOptions connection;                   // to look at them again
    };
    explicit OpenPart(std::unique_ptr<Stream> stream, Database database = {});
    [[nodiscard]] Stream& stream() noexcept { return *stream_; }
    [[nodiscard]] bool counts() const noexcept { return database_.snapshot != nullptr; }
    // The tables whose rows the dump may lack, as they were changed while it began (postgres::Snapshot); empty: none.
    // To be run beside the stream, as it waits until the dump holds its locks. Only if counts(), as count_rows().
    asio::awaitable<std::string> changed_tables(async::StopToken stop);
    // The same for schemas, whose names the dump's locks do not hold; after the stream has ended.
    asio::awaitable<std::string> moved_schemas(async::StopToken stop);
    // Counts the rows of every table of the dump, in its snapshot; after changed_tables(), beside the stream. What
    // could not be counted is told in the counts.
    asio::awaitable<postgres::Counts> count_rows(async::StopToken stop);
    // What is known of the database; with the fingerprint after count_rows() ended well. Nothing for globals.
    [[nodiscard]] const model::DatabaseFacts& facts() const noexcept { return database_.facts; }

  private:
    std::unique_ptr<Stream> stream_;
    Database database_;
};

class PgDumpSource {
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

    // Asks the server and the host everything that must hold before the first byte is read. Throws what concerns the
    // whole run; what concerns one database goes into `refused`.
    asio::awaitable<Prepared> prepare(async::StopToken stop);

    // Starts a part. `work` is a directory for the part's own use (directory format), which does not exist yet.
    asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, Prepared prepared, std::filesystem::path work,
                                                    async::StopToken stop);

    // Whatever became of the run: ends backends that still carry its name. Returns how many there were.
    asio::awaitable<std::size_t> end_backends(async::StopToken stop);

  private:
    asio::awaitable<std::vector<postgres::DatabaseInfo>> choose_databases(std::vector<postgres::DatabaseInfo> existing,
                                                                          Prepared& prepared, async::StopToken stop);
    asio::awaitable<void> check_database(std::string database, async::StopToken stop);
    [[nodiscard]] postgres::ConnectOptions connection(const std::string& database) const;
    [[nodiscard]] postgres::ConnectOptions maintenance_connection() const;
    // The same, with the rights by which pg_dump reads under the job's options: what it sees is what we count.
    [[nodiscard]] postgres::ConnectOptions reading_connection(const std::string& database) const;
    // What is asked of the database before its dump begins; fills in the request's snapshot.
    asio::awaitable<OpenPart::Database> open_database(std::string database, os::Command command,
                                                      postgres::ClientPrograms programs, DumpRequest& request,
                                                      async::StopToken stop);
    [[nodiscard]] Part database_part(const std::string& database) const;
    [[nodiscard]] Part globals_part() const;

    asio::any_io_executor executor_;
    async::Pool& pool_;
    Settings settings_;
    config::DumpTraits traits_;  // of the job's options
};

}  // namespace pgbakd::source
