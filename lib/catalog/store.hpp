// What a Catalog holds: one connection behind one mutex.
#pragma once

#include <map>
#include <mutex>

#include "catalog/catalog.hpp"
#include "catalog/sqlite.hpp"

namespace pgbakd::catalog {

struct Catalog::Impl {
    Impl(const std::filesystem::path& file_, Connection::Mode mode_);
    // As Catalog::open, with such a connection.
    [[nodiscard]] static std::unique_ptr<Impl> open(const std::filesystem::path& file, base::Timestamp now,
                                                    Connection::Mode mode);
    // Locks, and looks whether the file that was opened is still the one that bears the name: a daemon that went on
    // writing into a removed file would tell nobody and forget all of it at its end. A file that was removed is written
    // again from what is open; one that was put in its place is opened, and what came before it knows nothing of.
    [[nodiscard]] std::unique_lock<std::mutex> enter();

    std::filesystem::path file;
    Connection::Mode mode;
    std::mutex mutex;
    Connection connection;
    // Of the file and of its -wal; neither number is given to another file while this connection holds them open.
    std::uint64_t inode, log_inode = 0;
    bool damaged = false;
    // Gaps that could not be entered, since the file cannot be written, by job: as Catalog::unasked_before() gives
    // them.
    std::map<std::string, base::Timestamp> noticed;
    [[nodiscard]] bool is_writable() const noexcept {
        return mode == Connection::Mode::read_write || mode == Connection::Mode::alone;
    }

  private:
    void write_again();
    void remove_companions();
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

// Inserts a run; conflict if its id is there. And replaces, whether it is there or not: who was told of it stays.
enum class Told { no, yes };
void insert_run(Connection& connection, const model::RunReport& run, Told told = Told::no);
void replace_run(Connection& connection, const model::RunReport& run);

// As Catalog::notice_gaps(), within a transaction. What clocks that were ahead of `now` have dated, here or there, is
// left out.
void enter_gaps(Connection& connection, const std::vector<model::BackupSet>& sets, base::Timestamp now);
// The file is another one than that which told what happened: what it knows begins now, and no target was asked since.
void enter_beginning(Connection& connection, base::Timestamp now);

// Puts alerts into the outbox, where they wait from `now` on; those that wait there stay as they are.
void insert_alerts(Connection& connection, const std::vector<QueuedAlert>& alerts, base::Timestamp now);

// Adds to told_to of these, which are open, the channels for which an alert of them waits.
void add_waiting(Connection& connection, std::vector<model::Finding>& findings);
// The channel is about to have these alerts, which wait still: it has heard of the findings they are of.
void note_told(Connection& connection, const std::string& channel, const std::vector<std::string>& ids);
// Before these alerts, which wait still, are lost: others for the channel, by which it would hear of the end of what it
// has not heard of then.
[[nodiscard]] std::vector<std::string> ends_unheard(Connection& connection, const std::string& channel,
                                                    const std::vector<std::string>& lost);

}  // namespace pgbakd::catalog
