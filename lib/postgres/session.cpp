#include "postgres/session.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "async/timer.hpp"
#include "base/units.hpp"
#include "postgres/connection.hpp"

namespace pgbakd::postgres {
namespace {

using std::chrono::milliseconds;

// How long a stopped query waits for the server to end its statement.
constexpr milliseconds cancel_patience{5000};
// What is left of the time to connect is shared among the addresses left, but none gets less than this.
constexpr milliseconds least_share{2000};

// Settings that a server knows from some version on (the older ones refuse them in the start-up packet).
struct LaterSetting {
    int since;
    std::string_view name;
    std::string_view value;
};
constexpr std::array later_settings{
    LaterSetting{140000, "idle_session_timeout", "0"},
    LaterSetting{170000, "transaction_timeout", "0"},
    // A backend looks for its client once a second, so that no statement outlives a daemon that was killed.
    LaterSetting{140000, "client_connection_check_interval", "1000"},
};

bool may_try_next(const base::Error& error) {
    return error.code() == base::ErrorCode::unreachable || error.code() == base::ErrorCode::timed_out;
}

asio::awaitable<void> adjust(Connection& connection, async::StopToken stop) {
    // A database without an encoding holds names of any bytes; declared UTF8 they could not be sent back.
    if (connection.parameter("server_encoding") == "SQL_ASCII")
        co_await connection.query("SET client_encoding = 'SQL_ASCII'", {}, stop);
    for (const auto& setting : later_settings) {
        if (connection.server_version() < setting.since) continue;
        try {
            co_await connection.query(fmt::format("SET {} = {}", setting.name, setting.value), {}, stop);
        } catch (const base::Error&) {
            // Some platforms know the setting but not how to do it; a lost connection shows at once.
            if (stop.stopped() || !connection.is_open()) throw;
        }
    }
}

asio::awaitable<void> set_role(Connection& connection, const ConnectOptions& options, async::StopToken stop) {
    if (options.role.empty()) co_return;
    try {
        co_await connection.query("SET ROLE " + quote_identifier(options.role), {}, stop);
    } catch (const base::Error& error) {
        if (stop.stopped() || !connection.is_open()) throw;
        const auto user = options.user.empty() ? std::string("the connecting role") : quote_identifier(options.user);
        throw base::Error(error.code(), error.message(),
                          fmt::format("GRANT {} TO {}, or correct --role", quote_identifier(options.role), user));
    }
}

}  // namespace

struct Session::Impl {
    Impl(const asio::any_io_executor& executor_, ConnectOptions options_)
        : executor(executor_), options(std::move(options_)), connection(executor_, place_of(options)) {}

    asio::awaitable<void> open(Address address, async::StopToken stop);
    asio::awaitable<void> cancel();
    asio::awaitable<void> signal_and_drain(async::StopToken stop);

    asio::any_io_executor executor;
    ConnectOptions options;
    Connection connection;
    Address address;  // the one that answered
};

asio::awaitable<void> Session::Impl::open(Address candidate, async::StopToken stop) {
    address = std::move(candidate);
    co_await connection.open(options, address, stop);
    if (connection.server_version() < oldest_server_version) {
        const auto version = connection.parameter("server_version");
        connection.close();
        throw base::Error(base::ErrorCode::unsupported,
                          fmt::format("{} is PostgreSQL {}, which is too old", place_of(options).text(), version),
                          fmt::format("PostgreSQL {} or newer is needed", oldest_server_version / 10000));
    }
}

// Cancels by pg_cancel_backend() in a second session, and not by PQcancel(): that blocks without a time limit, so it
// would need a thread that nothing can end, and before libpq 17 it sends its key without TLS. It costs a connection
// slot; when there is none the connection is closed, and a server of version 14 or newer notices within a second.
asio::awaitable<void> Session::Impl::signal_and_drain(async::StopToken stop) {
    auto other = options;
    other.application_name = "pgbakd (cancelling)";
    other.settings.clear();
    Connection canceller(executor, place_of(other));
    co_await canceller.open(other, address, stop);
    // Named: g++ 12 cannot build an initializer list inside the operand of co_await.
    std::vector<std::string> backend;
    backend.push_back(std::to_string(connection.backend_pid()));
    co_await canceller.query("SELECT pg_catalog.pg_cancel_backend($1)", std::move(backend), stop);
    canceller.close();
    co_await connection.drain(stop);
}

asio::awaitable<void> Session::Impl::cancel() {
    const async::Deadline deadline(executor, async::StopToken{}, cancel_patience, "cancelling a statement");
    bool ended = false;
    try {
        co_await signal_and_drain(deadline.token());
        ended = true;
    } catch (const std::exception&) {
        // The reason to stop is what the caller hears of.
    }
    if (!ended) connection.close();
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

asio::awaitable<std::unique_ptr<Session>> Session::connect(ConnectOptions options, async::StopToken stop) {
    const auto executor = co_await asio::this_coro::executor;
    const auto place = place_of(options);
    const auto within = options.connect_timeout;
    const async::Deadline deadline(executor, stop, within, "connecting to " + place.text());
    const auto ends = std::chrono::steady_clock::now() + within;
    try {
        auto left = co_await resolve(options.host, deadline.token());
        for (auto next = left.begin(); next != left.end(); ++next) {
            const auto remaining = std::chrono::duration_cast<milliseconds>(ends - std::chrono::steady_clock::now());
            const auto share = std::max(least_share, remaining / (left.end() - next));
            const async::Deadline turn(executor, deadline.token(), share, "connecting to " + next->numeric);
            auto impl = std::make_unique<Impl>(executor, options);
            try {
                co_await impl->open(*next, turn.token());
                co_await adjust(impl->connection, turn.token());
                co_await set_role(impl->connection, impl->options, turn.token());
                co_return std::unique_ptr<Session>(new Session(std::move(impl)));
            } catch (const base::Error& error) {
                if (deadline.token().stopped() || next + 1 == left.end() || !may_try_next(error)) throw;
            }
        }
        throw base::Error(base::ErrorCode::unreachable, place.text() + " has no address");
    } catch (const base::Error& error) {
        if (stop.stopped() || error.code() != base::ErrorCode::timed_out) throw;
        throw connection_timed_out(place, base::format_duration(within));
    }
}

asio::awaitable<Rows> Session::query(std::string sql, std::vector<std::string> parameters, async::StopToken stop) {
    Impl& impl = *impl_;
    std::exception_ptr failure;
    Rows rows;
    try {
        rows = co_await impl.connection.query(std::move(sql), std::move(parameters), stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        if (impl.connection.is_busy()) co_await impl.cancel();
        std::rethrow_exception(failure);
    }
    co_return rows;
}

int Session::server_version() const noexcept {
    return impl_->connection.server_version();
}

std::string Session::server_version_text() const {
    return impl_->connection.parameter("server_version");
}

int Session::backend_pid() const noexcept {
    return impl_->connection.backend_pid();
}

bool Session::is_open() const noexcept {
    return impl_->connection.is_open();
}

std::string Session::place() const {
    return place_of(impl_->options).text();
}

}  // namespace pgbakd::postgres
