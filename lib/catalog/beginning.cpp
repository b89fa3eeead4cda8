// Since when the catalog tells all there is to tell of copies, and which targets were asked of what is older.
#include <algorithm>
#include <map>

#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

std::int64_t beginning_of(Connection& connection, const std::string& job) {
    const auto begun = connection.number("SELECT max(begun_at) FROM beginning");
    Statement gap(connection, "SELECT ended_at FROM gaps WHERE job = ?");
    return gap.bind(job).step() ? std::max(begun, gap.number(0)) : begun;
}

bool is_asked(Connection& connection, const std::string& job, const std::string& target) {
    Statement row(connection, "SELECT asked FROM asked_targets WHERE job = ? AND target = ?");
    if (row.bind(job).bind(target).step()) return row.number(0) != 0;
    Statement known(connection, "SELECT 1 FROM asked_targets WHERE job = ? AND target = ''");
    return known.bind(job).step();
}

// Until when the catalog knows nothing of the job, of what a clock may have said by then that was not ahead of
// `horizon`.
std::int64_t last_beginning(Connection& connection, const std::string& job, std::int64_t horizon) {
    Statement row(connection,
                  "SELECT max(at) FROM (SELECT begun_at AS at FROM beginning"
                  " UNION ALL SELECT ended_at FROM gaps WHERE job = ?) WHERE at <= ?");
    return row.bind(job).bind(horizon).step() ? row.number(0) : 0;
}

// Whether the run that made the set came after all that the catalog knows of the job, and is none of it. What a clock
// that was ahead has dated says nothing of that. Where it is ahead of a clock that is behind, `now`, the set itself
// tells what time it has been.
bool is_unheard_of(Connection& connection, const model::BackupSet& set, base::Timestamp now) {
    const auto started = to_number(set.started_at);
    const auto horizon = std::max(to_number(now), started + 1);
    if (set.run.empty() || started < last_beginning(connection, set.id.job, horizon)) return false;
    Statement known(connection, "SELECT 1 FROM runs WHERE id = ?");
    if (known.bind(set.run.text()).step()) return false;
    Statement later(connection, "SELECT 1 FROM runs WHERE job = ? AND started_at BETWEEN ? AND ? LIMIT 1");
    return !later.bind(set.id.job).bind(started).bind(horizon).step();
}

std::vector<const model::BackupSet*> unheard_of(Connection& connection, const std::vector<model::BackupSet>& sets,
                                                base::Timestamp now) {
    // What is ahead of the clock tells only where nothing else does.
    std::map<std::string, bool> dated;
    for (const auto& set : sets) dated[set.id.job] = dated[set.id.job] || set.started_at <= now;
    std::vector<const model::BackupSet*> found;
    for (const auto& set : sets)
        if ((set.started_at <= now || !dated[set.id.job]) && is_unheard_of(connection, set, now)) found.push_back(&set);
    return found;
}

}  // namespace

void enter_gaps(Connection& connection, const std::vector<model::BackupSet>& sets, base::Timestamp now) {
    std::map<std::string, std::int64_t> ends;
    for (const auto* set : unheard_of(connection, sets, now))
        ends[set->id.job] = std::max(ends[set->id.job], to_number(set->started_at) + 1);
    for (const auto& [job, end] : ends) {
        Statement(connection, "INSERT OR REPLACE INTO gaps (job, ended_at) VALUES (?, ?)").bind(job).bind(end).run();
        Statement(connection, "UPDATE asked_targets SET asked = 0 WHERE job = ?").bind(job).run();
    }
}

void enter_beginning(Connection& connection, base::Timestamp now) {
    Transaction transaction(connection);
    Statement(connection, "UPDATE beginning SET begun_at = ?").bind(to_number(now)).run();
    Statement(connection, "UPDATE asked_targets SET asked = 0").run();
    transaction.commit();
}

std::optional<base::Timestamp> Catalog::unasked_before(const std::string& job, const std::string& target) {
    const auto guard = impl_->enter();
    const auto noticed = impl_->noticed.find(job);
    if (noticed != impl_->noticed.end())
        return std::max(noticed->second, to_timestamp(beginning_of(impl_->connection, job)));
    if (is_asked(impl_->connection, job, target)) return std::nullopt;
    return to_timestamp(beginning_of(impl_->connection, job));
}

void Catalog::put_asked(const std::string& job, const std::string& target) {
    const auto guard = impl_->enter();
    Statement(impl_->connection, "INSERT OR REPLACE INTO asked_targets (job, target, asked) VALUES (?, ?, 1)")
        .bind(job)
        .bind(target)
        .run();
}

void Catalog::know_targets(const std::map<std::string, std::vector<std::string>>& jobs) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    const auto enter = [&connection](const std::string& job, const std::string& target, bool asked) {
        Statement(connection, "INSERT OR IGNORE INTO asked_targets (job, target, asked) VALUES (?, ?, ?)")
            .bind(job)
            .bind(target)
            .bind(std::int64_t{asked})
            .run();
    };
    for (const auto& [job, targets] : jobs) {
        Statement known(connection, "SELECT 1 FROM asked_targets WHERE job = ? AND target = ''");
        const bool is_known = known.bind(job).step();
        for (const auto& target : targets) enter(job, target, is_known);
        enter(job, {}, true);
    }
    transaction.commit();
}

void Catalog::notice_gaps(const std::vector<model::BackupSet>& sets) {
    const auto guard = impl_->enter();
    const auto now = base::SystemClock().now();
    // What cannot be entered is minded all the same, for as long as this is open.
    for (const auto* set : unheard_of(impl_->connection, sets, now)) {
        auto& end = impl_->noticed[set->id.job];
        end = std::max(end, set->started_at + std::chrono::milliseconds(1));
    }
    if (impl_->noticed.empty() || !impl_->is_writable()) return;
    try {
        Transaction transaction(impl_->connection);
        enter_gaps(impl_->connection, sets, now);
        transaction.commit();
        for (const auto& set : sets) impl_->noticed.erase(set.id.job);
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::no_space) throw;
    }
}

}  // namespace pgbakd::catalog
