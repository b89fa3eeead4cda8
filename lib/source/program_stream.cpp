#include "source/program_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "async/event.hpp"
#include "base/cause.hpp"
#include "source/client_failure.hpp"
#include "source/remarks.hpp"

namespace pgbakd::source {
namespace {

using base::Cause;

constexpr std::string_view schema_changed =
    "the schema was changed while the dump began; move the schedule away from migrations";

// The client programs tell no SQLSTATE, only English words (they run with the C locale's messages); sources:
// PostgreSQL's src/backend/po/postgres.pot and src/interfaces/libpq/po/libpq.pot.
constexpr std::array program_causes{
    Cause{"canceling statement due to lock timeout", base::ErrorCode::timed_out, base::Persistence::passing,
          "another session holds a lock on a table; raise lock_wait_timeout or move the schedule"},
    // --lock-wait-timeout is a statement_timeout for as long as pg_dump takes its locks.
    Cause{"canceling statement due to statement timeout", base::ErrorCode::timed_out, base::Persistence::passing,
          "another session holds a lock on a table; raise lock_wait_timeout or move the schedule"},
    Cause{"could not obtain lock on", base::ErrorCode::timed_out, base::Persistence::passing,
          "another session holds a lock on a table; raise lock_wait_timeout or move the schedule"},
    Cause{"password authentication failed", base::ErrorCode::authentication_failed, base::Persistence::lasting,
          "check user and password of this server in the configuration"},
    Cause{"no pg_hba.conf entry", base::ErrorCode::authentication_failed, base::Persistence::lasting,
          "allow this host, user and database in the server's pg_hba.conf"},
    Cause{"permission denied", base::ErrorCode::permission_denied, base::Persistence::lasting,
          "grant the role what it cannot read: `pgbakctl check --connect` lists it"},
    Cause{"row-level security", base::ErrorCode::permission_denied, base::Persistence::lasting,
          "give the role BYPASSRLS"},
    Cause{"the database system is", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"terminating connection due to", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"terminating connection because of", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"server closed the connection", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"connection to server", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"no connection to the server", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"could not receive data", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"could not send data", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"SSL SYSCALL error", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"SSL connection has been closed", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"SSL error: unexpected eof", base::ErrorCode::unreachable, base::Persistence::passing, ""},
    Cause{"conflict with recovery", base::ErrorCode::server_error, base::Persistence::passing,
          "on a standby, raise max_standby_streaming_delay or set hot_standby_feedback = on"},
    Cause{"deadlock detected", base::ErrorCode::server_error, base::Persistence::passing,
          "another session locks tables in another order; move the schedule away from it"},
    Cause{"out of shared memory", base::ErrorCode::server_error, base::Persistence::passing,
          "raise the server's max_locks_per_transaction"},
    Cause{"too many clients already", base::ErrorCode::server_error, base::Persistence::passing,
          "raise the server's max_connections"},
    Cause{"remaining connection slots", base::ErrorCode::server_error, base::Persistence::passing,
          "raise the server's max_connections"},
    // The snapshot went with the session that exported it, or the schema was changed while pg_dump read it.
    Cause{"invalid snapshot identifier", base::ErrorCode::server_error, base::Persistence::passing, ""},
    Cause{"cache lookup failed", base::ErrorCode::conflict, base::Persistence::passing, schema_changed},
    Cause{"could not open relation with OID", base::ErrorCode::conflict, base::Persistence::passing, schema_changed},
    Cause{"tuple concurrently updated", base::ErrorCode::conflict, base::Persistence::passing, schema_changed},
    Cause{"No space left on device", base::ErrorCode::no_space, base::Persistence::lasting,
          "free space on that file system, or shorten the retention"},
};

// "does not exist" comes with the words "connection to server" before it, and is a lasting cause.
bool is_missing_database(std::string_view text) {
    return text.find("FATAL:  database \"") != std::string_view::npos &&
           text.find("does not exist") != std::string_view::npos;
}

// What a preflight found, and a dump does not: somebody changes the schema right now.
bool is_changed_schema(std::string_view text) {
    if (text.find(" does not exist") == std::string_view::npos) return false;
    constexpr std::array kinds{"relation \"", "column ", "schema \"", "type \"", "function "};
    return std::any_of(kinds.begin(), kinds.end(), [text](std::string_view kind) {
        const auto begin = text.find(std::string("ERROR:  ").append(kind));
        return begin != std::string_view::npos && text.find(" does not exist", begin) != std::string_view::npos;
    });
}

class ProgramStream final : public Stream {
  public:
    ProgramStream(asio::any_io_executor executor, const os::Command& command, std::string what,
                  model::ClientSpec client, bool verbose)
        : what_(std::move(what)),
          client_(std::move(client)),
          remarks_(verbose),
          written_(executor),
          child_(std::move(executor), command, [this](const std::string& line) { remarks_.take(line); }) {}

    asio::awaitable<void> begun(async::StopToken stop) override {
        while (!begun_) co_await written_.wait(stop);
    }
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override {
        const auto count = co_await child_.read(into, std::move(stop));
        if (!std::exchange(begun_, true)) written_.notify();
        co_return count;
    }
    asio::awaitable<void> finish(async::StopToken stop) override {
        const auto ending = co_await child_.finish(std::move(stop));
        check_ending(what_, child_, ending, client_);
    }
    [[nodiscard]] std::vector<std::string> remarks() const override { return remarks_.lines(); }
    asio::awaitable<void> abort() override { co_await child_.abort(); }

  private:
    std::string what_;
    model::ClientSpec client_;
    Remarks remarks_;
    bool begun_ = false;
    async::Event written_;
    async::Child child_;
};

}  // namespace

void check_ending(const std::string& what, const async::Child& child, os::Child::Ending ending,
                  const model::ClientSpec& client) {
    if (ending.good()) return;
    const auto words = child.error_text();
    ending = ending_there(client, ending);
    if (const auto failure = client_failure(client, what, ending, words)) throw base::Error(*failure);
    const auto message = fmt::format("{} failed: {}{}{}", what, ending.text(), words.empty() ? "" : ": ", words);
    if (is_missing_database(words))
        throw base::Error(base::ErrorCode::not_found, message, "the database was dropped or renamed");
    if (is_changed_schema(words))
        throw base::Error(base::ErrorCode::conflict, message, std::string(schema_changed), base::Persistence::passing);
    if (const auto* cause = base::find_cause(program_causes, words))
        throw base::Error(cause->code, message, std::string(cause->hint), cause->persistence);
    // A program that was killed from outside (the kernel's out-of-memory killer, an administrator) may live next time.
    throw base::Error(base::ErrorCode::program_failed, message, {},
                      ending.signal != 0 ? base::Persistence::passing : base::Persistence::lasting);
}

std::unique_ptr<Stream> open_program_stream(asio::any_io_executor executor, const os::Command& command,
                                            std::string what, model::ClientSpec client, bool verbose) {
    return std::make_unique<ProgramStream>(std::move(executor), command, std::move(what), std::move(client), verbose);
}

}  // namespace pgbakd::source
