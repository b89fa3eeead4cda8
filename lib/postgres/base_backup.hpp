// A base backup of a whole cluster over the replication protocol (PostgreSQL's manual, "Streaming Replication
// Protocol", BASE_BACKUP; src/backend/backup/basebackup_copy.c): a tar for each tablespace, one of the data directory
// with the WAL that makes all of them consistent, and the backup manifest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "postgres/session.hpp"

namespace pgbakd::postgres {

// The oldest server that sends all of a backup as one stream.
inline constexpr int oldest_base_backup_version = 150000;

class BaseBackup {
  public:
    struct Request {
        std::string label;            // in the backup's backup_label
        bool fast_checkpoint = true;  // at once; else over the time that checkpoints usually take
        std::uint64_t max_rate = 0;   // KiB per second; 0: unlimited
        std::string slot;             // a name for the slot that keeps the WAL meanwhile; it goes with the connection
    };
    struct Tablespace {
        std::uint32_t oid = 0;    // 0: the data directory
        std::string location;     // empty: the data directory
        std::uint64_t bytes = 0;  // as the server estimates it
    };
    struct Position {
        std::string lsn;  // "0/2000028"
        std::uint32_t timeline = 0;
    };
    // One of the streams that make up the backup.
    struct Archive {
        bool is_manifest = false;
        std::string name;  // "16400.tar", "base.tar"; of the manifest empty
    };

    // Connects, and waits for the server's checkpoint. Errors as Session::connect() and Session::query() have them;
    // files that vanish under the server, and a standby that is promoted, are passing. The connection is closed, and
    // the server ends its part of the backup, when the object goes, and after any failure.
    static asio::awaitable<std::unique_ptr<BaseBackup>> begin(ConnectOptions options, Request request,
                                                              async::StopToken stop);
    ~BaseBackup();

    [[nodiscard]] const Position& start() const noexcept;
    // In the order in which they come; the data directory is the last one.
    [[nodiscard]] const std::vector<Tablespace>& tablespaces() const noexcept;
    // Why there is no slot; empty: there is one.
    [[nodiscard]] const std::string& slot_failure() const noexcept;
    // What the server has warned of so far, a line each.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept;

    // The next of the streams, after the one before was read to its end; the manifest is the last one.
    asio::awaitable<Archive> next(async::StopToken stop);
    // Some bytes of it; 0 at its end, which may be that of the whole backup, before its time: expect_more() tells.
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop);
    // Until another stream is announced; throws what the server says if none is.
    asio::awaitable<void> expect_more(async::StopToken stop);
    // After the last one: up to where the WAL is needed. Fails with `corrupt` where the server has found damaged pages.
    asio::awaitable<Position> finish(async::StopToken stop);
    // Whatever goes on, it ends.
    void close() noexcept;

  private:
    struct Impl;
    explicit BaseBackup(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pgbakd::postgres
