// Opening the catalog: creating, migrating, and setting a damaged file aside.
#include "catalog/store.hpp"

#include <fmt/format.h>

#include "calendar/zone.hpp"
#include "catalog/schema.hpp"
#include "os/file.hpp"

namespace pgbakd::catalog {
namespace {

using base::Error;
using base::ErrorCode;

// SQLite gives its -wal and -shm files the mode of this one, so creating it first decides for all three.
void create_if_missing(const std::filesystem::path& file) {
    if (const auto found = os::target_status(file)) {
        if (!found->is_regular)
            throw Error(ErrorCode::conflict, fmt::format("{} is not a regular file", file.native()));
        return;
    }
    os::make_directories(file.parent_path().empty() ? "." : file.parent_path());
    try {
        (void)os::create_file(file);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::conflict) throw;  // another process was faster: as good
    }
    os::sync_directory(file.parent_path());
}

void check_whole(Connection& connection, const std::filesystem::path& file) {
    const auto verdict = connection.text("PRAGMA quick_check(1)");
    if (verdict != "ok") throw Error(ErrorCode::corrupt, fmt::format("{}: {}", file.native(), verdict));
}

// WAL: readers never wait for the daemon. FULL: what is recorded is on the disk when the call returns, which "at most
// once" rests on.
void set_up(Connection& connection) {
    connection.execute("PRAGMA journal_mode = WAL");
    connection.execute("PRAGMA synchronous = FULL");
    connection.execute("PRAGMA foreign_keys = ON");
}

void move_aside(const std::filesystem::path& file, base::Timestamp now) {
    const auto time = calendar::format_compact(base::to_instant(now), *calendar::Zone::utc());
    auto aside = file.native() + ".damaged-" + time;
    for (int number = 2; os::file_status(aside); ++number)
        aside = fmt::format("{}.damaged-{}-{}", file.native(), time, number);
    // Its companions first: a -wal left behind would be taken for that of the new file.
    for (const char* companion : {"-wal", "-shm", ""})
        if (os::file_status(file.native() + companion))
            os::rename_durably(file.native() + companion, aside + companion);
}

std::uint64_t inode_of(const std::filesystem::path& file) {
    const auto found = os::target_status(file);
    return found ? found->inode : 0;
}

}  // namespace

Catalog::Impl::Impl(const std::filesystem::path& file_, Connection::Mode mode_)
    : file(file_), mode(mode_), connection(file_, mode_), inode(inode_of(file_)) {}

std::unique_lock<std::mutex> Catalog::Impl::enter() {
    std::unique_lock lock(mutex);
    if (mode != Connection::Mode::read_write) return lock;
    const auto found = inode_of(file);
    const auto log = inode_of(file.native() + "-wal");
    if (found == inode) {
        log_inode = log;
        return lock;
    }
    // The removed file's: it would be taken for a part of the one that bears the name now.
    if (found == 0 || (log != 0 && log == log_inode)) remove_companions();
    if (found == 0) write_again();
    connection.abandon();
    connection = Connection(file, mode);
    set_up(connection);
    const auto now = base::SystemClock().now();
    migrate(connection, now);
    // An old one that was put back, as far as anybody can tell: before a run is entered that would hide it.
    if (found != 0) enter_beginning(connection, now);
    inode = inode_of(file);
    return lock;
}

void Catalog::Impl::remove_companions() {
    for (const char* companion : {"-wal", "-shm"}) std::filesystem::remove(file.native() + companion);
}

// The removed file can still be read as long as it is open.
void Catalog::Impl::write_again() {
    const auto copy = file.native() + ".new";
    std::filesystem::remove(copy);
    // An empty file is written into; made here, it has the right mode.
    (void)os::create_file(copy);
    Statement(connection, "VACUUM INTO ?").bind(copy).run();
    os::rename_durably(copy, file);
}

std::unique_ptr<Catalog::Impl> Catalog::Impl::open(const std::filesystem::path& file, base::Timestamp now,
                                                   Connection::Mode mode) {
    const auto attempt = [&file, now, mode] {
        create_if_missing(file);
        auto impl = std::make_unique<Impl>(file, mode);
        set_up(impl->connection);
        check_whole(impl->connection, file);
        try {
            migrate(impl->connection, now);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::unsupported || error.code() == ErrorCode::conflict)
                throw error.during(file.native());
            throw;
        }
        return impl;
    };
    try {
        return attempt();
    } catch (const Error& error) {
        if (error.code() != ErrorCode::corrupt) throw;
    }
    move_aside(file, now);
    auto impl = attempt();
    impl->damaged = true;
    return impl;
}

Catalog::Catalog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;

bool Catalog::was_damaged() const noexcept {
    return impl_->damaged;
}

std::unique_ptr<Catalog> Catalog::open(const std::filesystem::path& file, base::Timestamp now) {
    return std::unique_ptr<Catalog>(new Catalog(Impl::open(file, now, Connection::Mode::read_write)));
}

std::unique_ptr<Catalog> Catalog::open_without_space(const std::filesystem::path& file, base::Timestamp now) {
    try {
        return open(file, now);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::no_space) throw;
    }
    return std::unique_ptr<Catalog>(new Catalog(Impl::open(file, now, Connection::Mode::alone)));
}

std::unique_ptr<Catalog> Catalog::open_for_reading(const std::filesystem::path& file) {
    if (!os::target_status(file)) return nullptr;
    const auto attempt = [&file](Connection::Mode mode) -> std::unique_ptr<Catalog> {
        auto impl = std::make_unique<Impl>(file, mode);
        if (!check_version(impl->connection)) return nullptr;
        return std::unique_ptr<Catalog>(new Catalog(std::move(impl)));
    };
    try {
        return attempt(Connection::Mode::read_only);
    } catch (const Error& error) {
        switch (error.code()) {
            case ErrorCode::unsupported:
            case ErrorCode::conflict: throw error.during(file.native());
            // No room for the -shm file, so nobody else has it open either. What a -wal holds must be seen: which sets
            // were found corrupt decides what is kept.
            case ErrorCode::no_space: return attempt(Connection::Mode::alone);
            // A reader needs the -shm file, and cannot make it in a directory it may not write to (a snapshot, another
            // user's). Nobody else can write there either, then: the file as it lies is what there is.
            case ErrorCode::permission_denied:
            case ErrorCode::io_failed: break;
            default: throw;
        }
    }
    return attempt(Connection::Mode::immutable);
}

}  // namespace pgbakd::catalog
