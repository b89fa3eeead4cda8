#include "source/basebackup_preflight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "postgres/base_backup.hpp"

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;

// For two seconds at most: then the backup finds out whether there is a place for it.
constexpr int most_looks = 100;
constexpr std::chrono::milliseconds between_looks{20};

template <class Number>
Number number_of(const postgres::Value& value) {
    Number number{};
    if (value) std::from_chars(value->data(), value->data() + value->size(), number);
    return number;
}

void check_version(const postgres::Session& session) {
    if (session.server_version() >= postgres::oldest_base_backup_version) return;
    throw Error(ErrorCode::unsupported,
                fmt::format("{} is PostgreSQL {}, and base backups need 15 or newer", session.place(),
                            session.server_version_text()),
                "save its databases with type: pg_dump, or upgrade the server");
}

// What decides whether there can be a walsender for us.
struct Allowance {
    bool may_replicate = false;
    std::string wal_level;
    int used = 0;
};

void check_allowance(const std::string& place, const ClusterFacts& facts, const Allowance& allowance) {
    const auto& role = facts.server.role;
    if (!allowance.may_replicate && !facts.server.is_superuser)
        throw Error(ErrorCode::permission_denied,
                    fmt::format("{}: role {} may not take base backups: it lacks the attribute REPLICATION", place,
                                base::printable(role)),
                    fmt::format("ALTER ROLE {} REPLICATION", postgres::quote_identifier(role)));
    if (allowance.wal_level == "minimal")
        throw Error(ErrorCode::invalid_configuration,
                    fmt::format("{} has wal_level = minimal: its WAL does not make a base backup consistent", place),
                    "set wal_level = replica and max_wal_senders on the server, and restart it");
    if (facts.max_walsenders == 0)
        throw Error(ErrorCode::invalid_configuration,
                    fmt::format("{} has max_wal_senders = 0: nobody can take a base backup of it", place),
                    "set max_wal_senders = 10 on the server, and restart it");
    if (facts.free_walsenders < 1)
        throw Error(ErrorCode::conflict,
                    fmt::format("{}: all {} walsenders are in use (max_wal_senders)", place, facts.max_walsenders),
                    "raise max_wal_senders on the server and restart it, or look in pg_stat_replication whom it serves",
                    base::Persistence::passing);
}

asio::awaitable<Allowance> ask_allowance(postgres::Session& session, ClusterFacts& facts, async::StopToken stop) {
    // Of others' walsenders an ordinary role sees that they are there, and no more: enough to count them.
    const auto rows = co_await session.query(
        "SELECT (SELECT rolreplication FROM pg_roles WHERE rolname = current_user), current_setting('wal_level'), "
        "current_setting('max_wal_senders'), (SELECT count(*) FROM pg_stat_replication), "
        "(SELECT setting FROM pg_settings WHERE name = 'wal_segment_size')",
        {}, stop);
    const auto& row = rows.at(0);
    Allowance allowance;
    allowance.may_replicate = row.at(0) == "t";
    allowance.wal_level = row.at(1).value_or("");
    allowance.used = number_of<int>(row.at(3));
    facts.max_walsenders = number_of<int>(row.at(2));
    facts.free_walsenders = facts.max_walsenders - allowance.used;
    facts.wal_segment_size = number_of<std::uint64_t>(row.at(4));
    co_return allowance;
}

asio::awaitable<void> ask_tablespaces(postgres::Session& session, ClusterFacts& facts, async::StopToken stop) {
    // Whoever may make things in a tablespace, or read all statistics, may ask for its size; of the databases' sizes
    // everybody may ask who may connect to them.
    const auto rows = co_await session.query(
        "SELECT oid, spcname, pg_tablespace_location(oid), CASE WHEN has_tablespace_privilege(oid, 'CREATE') "
        "OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_tablespace_size(oid) END FROM pg_tablespace ORDER BY oid",
        {}, stop);
    std::uint64_t tablespaces = 0;
    for (const auto& row : rows) {
        tablespaces += number_of<std::uint64_t>(row.at(3));
        auto location = row.at(2).value_or("");
        if (location.empty()) continue;  // pg_default and pg_global, in the data directory
        facts.tablespaces.push_back({number_of<std::uint32_t>(row.at(0)), row.at(1).value_or(""), std::move(location)});
    }
    std::uint64_t databases = 0;
    const auto all = co_await postgres::list_databases(session, stop);
    for (const auto& database : all) databases += database.bytes;
    facts.bytes = std::max(tablespaces, databases);
}

// It may have taken the last place, which the backup itself is going to need.
asio::awaitable<void> wait_until_gone(postgres::Session& session, int pid, async::StopToken stop) {
    for (int i = 0; i < most_looks; ++i) {
        std::vector<std::string> parameters;
        parameters.push_back(std::to_string(pid));
        const auto rows =
            co_await session.query("SELECT FROM pg_stat_activity WHERE pid = $1", std::move(parameters), stop);
        if (rows.empty()) co_return;
        co_await async::sleep_for(between_looks, stop);
    }
}

}  // namespace

asio::awaitable<ClusterFacts> check_cluster(postgres::ConnectOptions options, async::StopToken stop) {
    ClusterFacts facts;
    auto session = co_await postgres::Session::connect(options, stop);
    check_version(*session);
    facts.server = co_await postgres::server_facts(*session, stop);
    const auto allowance = co_await ask_allowance(*session, facts, stop);
    check_allowance(session->place(), facts, allowance);
    co_await ask_tablespaces(*session, facts, stop);

    // pg_hba.conf has lines of their own for walsenders: only one that is let in knows that it will be.
    options.replication = true;
    options.database = "replication";
    options.database_key.clear();
    auto walsender = co_await postgres::Session::connect(options, stop);
    const auto system = co_await walsender->query("IDENTIFY_SYSTEM", {}, stop);
    if (facts.server.system_identifier.empty() && !system.empty() && !system.front().empty())
        facts.server.system_identifier = system.front().front().value_or("");
    const auto pid = walsender->backend_pid();
    walsender.reset();
    co_await wait_until_gone(*session, pid, stop);
    co_return facts;
}

}  // namespace pgbakd::source
