#include "postgres/session.hpp"

#include <utility>

#include "async/timer.hpp"
#include "postgres/opening.hpp"

namespace pgbakd::postgres {
namespace {

using std::chrono::milliseconds;

// How long a stopped query waits for the server to end its statement.
constexpr milliseconds cancel_patience{5000};

}  // namespace

struct Session::Impl {
    Impl(ConnectOptions options_, Opened opened_) : options(std::move(options_)), opened(std::move(opened_)) {}

    asio::awaitable<void> cancel(asio::any_io_executor executor);
    asio::awaitable<void> signal_and_drain(asio::any_io_executor executor, async::StopToken stop);
    [[nodiscard]] Connection& connection() const { return *opened.connection; }

    ConnectOptions options;
    Opened opened;
};

// Cancels by pg_cancel_backend() in a second session, and not by PQcancel(): that blocks without a time limit, so it
// would need a thread that nothing can end, and before libpq 17 it sends its key without TLS. It costs a connection
// slot; when there is none the connection is closed, and a server of version 14 or newer notices within a second.
asio::awaitable<void> Session::Impl::signal_and_drain(asio::any_io_executor executor, async::StopToken stop) {
    auto other = options;
    other.application_name = "pgbakd (cancelling)";
    other.settings.clear();
    Connection canceller(executor, place_of(other));
    co_await canceller.open(other, opened.address, stop);
    // Named: g++ 12 cannot build an initializer list inside the operand of co_await.
    std::vector<std::string> backend;
    backend.push_back(std::to_string(connection().backend_pid()));
    co_await canceller.query("SELECT pg_catalog.pg_cancel_backend($1)", std::move(backend), stop);
    canceller.close();
    co_await connection().drain(stop);
}

asio::awaitable<void> Session::Impl::cancel(asio::any_io_executor executor) {
    // A walsender hears of nothing but the end of its connection.
    if (options.replication) {
        connection().close();
        co_return;
    }
    const async::Deadline deadline(executor, async::StopToken{}, cancel_patience, "cancelling a statement");
    bool ended = false;
    try {
        co_await signal_and_drain(executor, deadline.token());
        ended = true;
    } catch (const std::exception&) {
        // The reason to stop is what the caller hears of.
    }
    if (!ended) connection().close();
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

asio::awaitable<std::unique_ptr<Session>> Session::connect(ConnectOptions options, async::StopToken stop) {
    auto opened = co_await open_connection(options, stop);
    auto impl = std::make_unique<Impl>(std::move(options), std::move(opened));
    co_return std::unique_ptr<Session>(new Session(std::move(impl)));
}

asio::awaitable<Rows> Session::query(std::string sql, std::vector<std::string> parameters, async::StopToken stop) {
    Impl& impl = *impl_;
    std::exception_ptr failure;
    Rows rows;
    try {
        rows = co_await impl.connection().query(std::move(sql), std::move(parameters), stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const auto executor = co_await asio::this_coro::executor;
        if (impl.connection().is_busy()) co_await impl.cancel(executor);
        std::rethrow_exception(failure);
    }
    co_return rows;
}

int Session::server_version() const noexcept {
    return impl_->connection().server_version();
}

std::string Session::server_version_text() const {
    return impl_->connection().parameter("server_version");
}

int Session::backend_pid() const noexcept {
    return impl_->connection().backend_pid();
}

bool Session::is_open() const noexcept {
    return impl_->connection().is_open();
}

std::string Session::place() const {
    return place_of(impl_->options).text();
}

}  // namespace pgbakd::postgres
