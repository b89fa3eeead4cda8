#include <fmt/format.h>

#include <charconv>

#include "postgres/facts.hpp"

namespace pgbakd::postgres {
namespace {

// A run's own backends; with "<>" on the process id not ourselves. Parallel workers bear the name too and go with their
// leaders. Of another role's backends an ordinary role sees neither the name nor the type.
constexpr std::string_view named =
    "FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid() "
    "AND backend_type IN ('client backend', 'walsender') "
    "AND (usename = current_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))";

// application_name as pg_stat_activity shows it: other bytes than printable ASCII become "?", from version 16 on "\xNN"
// (pg_clean_ascii), and 63 bytes are kept.
std::string kept_name(std::string_view name, int server_version) {
    std::string text;
    for (const char c : name) {
        if (c >= 32 && c <= 126)
            text += c;
        else
            text += server_version >= 160000 ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c)) : "?";
    }
    text.resize(std::min<std::size_t>(text.size(), 63));
    return text;
}

asio::awaitable<std::size_t> ask(Session& session, std::string sql, std::string application_name,
                                 async::StopToken stop) {
    std::vector<std::string> parameters;
    parameters.push_back(kept_name(application_name, session.server_version()));
    const auto rows = co_await session.query(std::move(sql), std::move(parameters), stop);
    std::size_t count = 0;
    const auto text = rows.at(0).at(0).value_or("0");
    std::from_chars(text.data(), text.data() + text.size(), count);
    co_return count;
}

}  // namespace

asio::awaitable<std::size_t> terminate_backends(Session& session, std::string application_name, async::StopToken stop) {
    auto sql = fmt::format("SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) {}", named);
    co_return co_await ask(session, std::move(sql), std::move(application_name), stop);
}

asio::awaitable<std::size_t> count_backends(Session& session, std::string application_name, async::StopToken stop) {
    auto sql = fmt::format("SELECT count(*) {}", named);
    co_return co_await ask(session, std::move(sql), std::move(application_name), stop);
}

}  // namespace pgbakd::postgres
