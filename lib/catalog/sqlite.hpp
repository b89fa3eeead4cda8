// SQLite as RAII: a connection, a statement, a transaction. Every failed call becomes a base::Error that names the
// file.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pgbakd::catalog {

class Connection {
  public:
    enum class Mode {
        read_write,  // the file must exist
        alone,  // the same, with the index of the -wal in memory, not in a -shm: works on a full disk, locks all out
        read_only,
        immutable,  // read-only, taken as unchanging: no lock, no -shm beside it, what a -wal holds is not seen
    };
    Connection(const std::filesystem::path& file, Mode mode);

    // Before it is closed: what lies beside the file's name (-wal, -shm) is not this connection's any more.
    void abandon() noexcept;

    // One or several statements without results or parameters.
    void execute(const char* sql);
    [[nodiscard]] std::int64_t number(const char* sql);  // the first column of the first row
    [[nodiscard]] std::string text(const char* sql);
    [[nodiscard]] int changes() const noexcept { return sqlite3_changes(handle_.get()); }
    [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle_.get()) == 0; }

    [[nodiscard]] sqlite3* get() const noexcept { return handle_.get(); }
    // What `code` means. Full: no_space; damaged: corrupt; locked: timed_out, passing; constraint: conflict.
    [[nodiscard]] base::Error error(int code) const;

  private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    };
    std::filesystem::path file_;
    std::unique_ptr<sqlite3, Close> handle_;
};

class Statement {
  public:
    Statement(Connection& connection, std::string_view sql);

    // Parameters from left to right.
    Statement& bind(std::int64_t value);
    Statement& bind(std::string_view text);
    Statement& bind_bytes(std::string_view bytes);
    Statement& bind_null();
    Statement& bind(const std::optional<std::int64_t>& value) { return value ? bind(*value) : bind_null(); }

    // True: there is a row; false: done.
    [[nodiscard]] bool step();
    // For statements without rows.
    void run();

    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] std::string text(int column) const;  // of a BLOB too
    [[nodiscard]] bool is_null(int column) const;

  private:
    void check(int code) const;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };
    Connection& connection_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bound_ = 0;
};

// Rolled back unless committed. IMMEDIATE: it has the write lock from its beginning, so what it reads stays true.
class Transaction {
  public:
    explicit Transaction(Connection& connection);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

  private:
    Connection& connection_;
};

}  // namespace pgbakd::catalog
