#include "postgres/opening.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "async/timer.hpp"
#include "base/units.hpp"

namespace pgbakd::postgres {
namespace {

using std::chrono::milliseconds;

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

asio::awaitable<void> open_at(Connection& connection, const ConnectOptions& options, const Address& address,
                              async::StopToken stop) {
    co_await connection.open(options, address, stop);
    if (connection.server_version() < oldest_server_version) {
        const auto version = connection.parameter("server_version");
        connection.close();
        throw base::Error(base::ErrorCode::unsupported,
                          fmt::format("{} is PostgreSQL {}, which is too old", place_of(options).text(), version),
                          fmt::format("PostgreSQL {} or newer is needed", oldest_server_version / 10000));
    }
    if (options.replication) co_return;
    co_await adjust(connection, stop);
    co_await set_role(connection, options, stop);
}

}  // namespace

asio::awaitable<Opened> open_connection(ConnectOptions options, async::StopToken stop) {
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
            Opened opened;
            opened.connection = std::make_unique<Connection>(executor, place);
            opened.address = *next;
            try {
                co_await open_at(*opened.connection, options, *next, turn.token());
                co_return opened;
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

}  // namespace pgbakd::postgres
