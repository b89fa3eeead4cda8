// Alerts on their way: the outbox.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

constexpr std::size_t most_alerts = 10'000;

// An alert that cannot be read must not hold up the others, nor vanish without a word.
model::Alert read_alert(const std::string& text, const std::string& id, base::Timestamp created_at) {
    if (auto alert = model::parse_alert(text)) return std::move(*alert);
    model::Alert alert;
    alert.id = id;
    alert.kind = model::AlertKind::note;
    alert.severity = model::Severity::warning;
    alert.at = created_at;
    alert.title = "an alert was lost";
    alert.message = "it waited to be sent, and what was kept of it cannot be read";
    alert.hint = "see pgbakctl status and the journal of that time";
    return alert;
}

std::map<std::string, std::size_t> count_by_channel(Statement& statement) {
    std::map<std::string, std::size_t> counts;
    while (statement.step()) counts.emplace(statement.text(0), static_cast<std::size_t>(statement.number(1)));
    return counts;
}

void take_out(Connection& connection, const std::string& channel, const std::vector<std::string>& ids) {
    for (const auto& id : ids)
        Statement(connection, "DELETE FROM alerts WHERE channel = ? AND id = ?").bind(channel).bind(id).run();
}

void put_off(Connection& connection, const std::string& channel, const std::vector<std::string>& ids,
             const LaterQueue& queue) {
    for (const auto& id : ids)
        Statement(connection,
                  "INSERT INTO alerts (channel, id, alert, created_at, attempts, next_attempt, message)"
                  " SELECT ?, id, alert, created_at, 1, ?, ? FROM alerts WHERE channel = ? AND id = ?"
                  " ON CONFLICT (channel, id) DO NOTHING")
            .bind(queue.channel)
            .bind(to_number(queue.next_attempt))
            .bind(queue.message)
            .bind(channel)
            .bind(id)
            .run();
}

std::vector<ChannelState> read_states(Connection& connection) {
    Statement statement(connection,
                        "SELECT channel, asked_at, not_before, lost_at, message FROM channel_states ORDER BY channel");
    std::vector<ChannelState> states;
    while (statement.step())
        states.push_back({statement.text(0), to_timestamp(statement.number(1)), to_timestamp(statement.number(2)),
                          to_timestamp(statement.number(3)), statement.text(4)});
    return states;
}

}  // namespace

void insert_alerts(Connection& connection, const std::vector<QueuedAlert>& alerts, base::Timestamp now) {
    for (const auto& [channel, alert] : alerts)
        Statement(connection,
                  "INSERT INTO alerts (channel, id, alert, created_at, attempts, next_attempt, message)"
                  " VALUES (?, ?, ?, ?, 0, ?, '') ON CONFLICT (channel, id) DO NOTHING")
            .bind(channel)
            .bind(alert.id)
            .bind(model::to_json(alert))
            .bind(to_number(now))
            .bind(to_number(now))
            .run();
}

void Catalog::queue_alerts(const std::vector<QueuedAlert>& alerts, base::Timestamp now) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    insert_alerts(impl_->connection, alerts, now);
    transaction.commit();
}

std::vector<WaitingAlert> Catalog::waiting_alerts(const std::optional<std::string>& channel, std::size_t limit) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        fmt::format("SELECT channel, id, alert, created_at, attempts, next_attempt, message"
                                    " FROM alerts{} ORDER BY number LIMIT ?",
                                    channel ? " WHERE channel = ?" : ""));
    if (channel) statement.bind(*channel);
    statement.bind(static_cast<std::int64_t>(std::min(limit, most_alerts)));
    std::vector<WaitingAlert> waiting;
    while (statement.step()) {
        const auto created_at = to_timestamp(statement.number(3));
        waiting.push_back({statement.text(0), read_alert(statement.text(2), statement.text(1), created_at), created_at,
                           static_cast<int>(statement.number(4)), to_timestamp(statement.number(5)),
                           statement.text(6)});
    }
    return waiting;
}

void Catalog::alerts_delivered(const std::string& channel, const std::vector<std::string>& ids,
                               const std::vector<LaterQueue>& later) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    note_told(impl_->connection, channel, ids);
    for (const auto& queue : later) put_off(impl_->connection, channel, ids, queue);
    take_out(impl_->connection, channel, ids);
    Statement(impl_->connection,
              "UPDATE channel_states SET lost_at = 0, message = '' WHERE channel = ? AND lost_at <> 0")
        .bind(channel)
        .run();
    // What waits besides was held up by nothing else.
    Statement(impl_->connection, "UPDATE alerts SET attempts = 0, message = '' WHERE channel = ? AND attempts > 0")
        .bind(channel)
        .run();
    transaction.commit();
}

void Catalog::alerts_superseded(const std::string& channel, const std::vector<std::string>& ids) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    take_out(impl_->connection, channel, ids);
    transaction.commit();
}

void Catalog::alerts_lost(const std::string& channel, const std::vector<std::string>& ids, base::Timestamp at,
                          const std::string& message, const std::string& noted_with) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    take_out(impl_->connection, channel, ends_unheard(impl_->connection, channel, ids));
    take_out(impl_->connection, channel, ids);
    Statement(impl_->connection,
              "INSERT INTO channel_states (channel, asked_at, not_before, lost_at, message) VALUES (?, 0, 0, ?, ?)"
              " ON CONFLICT (channel) DO UPDATE SET lost_at = excluded.lost_at, message = excluded.message")
        .bind(noted_with.empty() ? channel : noted_with)
        .bind(to_number(at))
        .bind(message)
        .run();
    transaction.commit();
}

void Catalog::alerts_failed(const std::string& channel, base::Timestamp next_attempt, const std::string& message) {
    const auto guard = impl_->enter();
    Statement(impl_->connection,
              "UPDATE alerts SET attempts = attempts + 1, next_attempt = ?, message = ? WHERE channel = ?")
        .bind(to_number(next_attempt))
        .bind(message)
        .bind(channel)
        .run();
}

void Catalog::hasten_alerts(const std::string& channel, base::Timestamp now) {
    const auto guard = impl_->enter();
    Statement(impl_->connection, "UPDATE alerts SET next_attempt = ? WHERE channel = ? AND next_attempt > ?")
        .bind(to_number(now))
        .bind(channel)
        .bind(to_number(now))
        .run();
}

std::map<std::string, std::size_t> Catalog::keep_channels(const std::vector<std::string>& channels) {
    const std::set<std::string> kept(channels.begin(), channels.end());
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    std::map<std::string, std::size_t> dropped;
    {
        Statement counted(impl_->connection, "SELECT channel, count(*) FROM alerts GROUP BY channel");
        dropped = count_by_channel(counted);
    }
    std::erase_if(dropped, [&kept](const auto& entry) { return kept.contains(entry.first); });
    for (const auto& [channel, count] : dropped)
        Statement(impl_->connection, "DELETE FROM alerts WHERE channel = ?").bind(channel).run();
    for (const auto& state : read_states(impl_->connection))
        if (!kept.contains(state.channel))
            Statement(impl_->connection, "DELETE FROM channel_states WHERE channel = ?").bind(state.channel).run();
    transaction.commit();
    return dropped;
}

std::vector<ChannelState> Catalog::channel_states() {
    const auto guard = impl_->enter();
    return read_states(impl_->connection);
}

void Catalog::put_channel_pause(const std::string& channel, base::Timestamp asked_at, base::Timestamp not_before) {
    const auto guard = impl_->enter();
    Statement(impl_->connection,
              "INSERT INTO channel_states (channel, asked_at, not_before, lost_at, message) VALUES (?, ?, ?, 0, '')"
              " ON CONFLICT (channel) DO UPDATE SET asked_at = excluded.asked_at, not_before = excluded.not_before")
        .bind(channel)
        .bind(to_number(asked_at))
        .bind(to_number(not_before))
        .run();
}

std::vector<Backlog> Catalog::alert_backlog() {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        "SELECT channel, count(*), min(created_at), min(next_attempt), max(attempts),"
                        " coalesce((SELECT message FROM alerts AS one WHERE one.channel = alerts.channel"
                        " AND message <> '' ORDER BY number LIMIT 1), '')"
                        " FROM alerts GROUP BY channel ORDER BY channel");
    std::vector<Backlog> backlog;
    while (statement.step())
        backlog.push_back({statement.text(0), static_cast<std::size_t>(statement.number(1)),
                           to_timestamp(statement.number(2)), to_timestamp(statement.number(3)),
                           static_cast<int>(statement.number(4)), statement.text(5)});
    return backlog;
}

}  // namespace pgbakd::catalog
