#include "catalog/sqlite.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "os/file.hpp"

namespace pgbakd::catalog {
namespace {

using base::Error;
using base::ErrorCode;
using base::Persistence;

constexpr int busy_milliseconds = 10'000;

// A file name as a URI (RFC 3986): only there can SQLite be told "immutable".
std::string uri_of(const std::filesystem::path& file, std::string_view query) {
    std::string uri = "file:";
    const auto absolute = std::filesystem::absolute(file);  // named: a range does not keep its parts' parts alive
    for (const char c : absolute.native()) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                           c == '.' || c == '-' || c == '_';
        if (plain)
            uri += c;
        else
            fmt::format_to(std::back_inserter(uri), "%{:02X}", static_cast<unsigned char>(c));
    }
    return uri.append(query);
}

// SQLite's own words for it are "disk I/O error" where it is the -shm file that cannot grow.
Error no_space(const std::filesystem::path& file) {
    return os::with_space_left(
        {ErrorCode::no_space, fmt::format("{}: no space left on the file system that holds it", file.native()),
         "free some; pgbakctl prune --apply deletes what the retention no longer keeps, and needs no space"},
        file);
}

}  // namespace

Connection::Connection(const std::filesystem::path& file, Mode mode) : file_(file) {
    // No SQLite mutex: the catalog has one of its own around the connection.
    const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (mode == Mode::read_write || mode == Mode::alone ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    const auto uri = uri_of(file, mode == Mode::immutable ? "?immutable=1" : "");
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(uri.c_str(), &handle, flags, nullptr);
    handle_.reset(handle);  // there is one after a failure too; it holds the reason
    if (code != SQLITE_OK) throw error(code);
    sqlite3_busy_timeout(handle, busy_milliseconds);
    // https://www.sqlite.org/wal.html, "Use of WAL Without Shared-Memory"
    if (mode == Mode::alone) execute("PRAGMA locking_mode = EXCLUSIVE");
}

void Connection::abandon() noexcept {
    // https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html and c_dbconfig_defensive.html; neither can fail
    // here.
    int yes = 1;
    (void)sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &yes);
    (void)sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Error Connection::error(int code) const {
    const char* reason = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
    const auto message = fmt::format("{}: {}", file_.native(), reason);
    const int system = handle_ ? sqlite3_system_errno(handle_.get()) : 0;
    const auto full = [&] { return no_space(file_); };
    switch (code & 0xff) {  // without what is extended
        case SQLITE_FULL: return full();
        case SQLITE_IOERR:
            if (system == ENOSPC || system == EDQUOT) return full();
            return {ErrorCode::io_failed, message};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return {ErrorCode::corrupt, message};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::timed_out, message, "another program holds the file", Persistence::passing};
        case SQLITE_CONSTRAINT: return {ErrorCode::conflict, message};
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_READONLY:
            return {ErrorCode::permission_denied, message, "it must belong to the user that pgbakd runs as"};
        case SQLITE_CANTOPEN:
            // EISDIR and the like keep SQLite's own words.
            if (system == EACCES || system == EPERM || system == EROFS)
                return {ErrorCode::permission_denied, message, "it must belong to the user that pgbakd runs as"};
            return {ErrorCode::io_failed, message};
        default: return {ErrorCode::internal, message};
    }
}

void Connection::execute(const char* sql) {
    if (const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
        throw error(code);
}

std::int64_t Connection::number(const char* sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.number(0) : 0;
}

std::string Connection::text(const char* sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.text(0) : std::string();
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(connection.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
    statement_.reset(statement);
}

void Statement::check(int code) const {
    if (code != SQLITE_OK) throw connection_.error(code);
}

// Copied by SQLite (SQLITE_TRANSIENT), so that no statement depends on the life of what it was given.
Statement& Statement::bind(std::string_view text) {
    check(sqlite3_bind_text64(statement_.get(), ++bound_, text.data() == nullptr ? "" : text.data(), text.size(),
                              SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind_bytes(std::string_view bytes) {
    check(sqlite3_bind_blob64(statement_.get(), ++bound_, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                              SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::bind(std::int64_t value) {
    check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
    return *this;
}

Statement& Statement::bind_null() {
    check(sqlite3_bind_null(statement_.get(), ++bound_));
    return *this;
}

bool Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    throw connection_.error(code);
}

void Statement::run() {
    while (step()) {
    }
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return bytes == nullptr ? std::string() : std::string(bytes, size);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Transaction::Transaction(Connection& connection) : connection_(connection) {
    connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    // SQLite rolls back by itself after some failures (a full disk); then there is nothing left to end.
    if (connection_.in_transaction()) sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    connection_.execute("COMMIT");
}

}  // namespace pgbakd::catalog
