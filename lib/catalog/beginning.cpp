// Since when the catalog tells all there is to tell of copies, and which targets were asked of what is older.
#include <algorithm>

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

// Whether the run that made the set came after all that the catalog knows of the job, and is none of it.
bool is_unheard_of(Connection& connection, const model::BackupSet& set) {
    if (set.run.empty() || to_number(set.started_at) < beginning_of(connection, set.id.job)) return false;
    Statement known(connection, "SELECT 1 FROM runs WHERE id = ?");
    if (known.bind(set.run.text()).step()) return false;
    Statement later(connection, "SELECT 1 FROM runs WHERE job = ? AND started_at >= ? LIMIT 1");
    return !later.bind(set.id.job).bind(to_number(set.started_at)).step();
}

}  // namespace

void enter_gaps(Connection& connection, const std::vector<model::BackupSet>& sets) {
    for (const auto& set : sets) {
        if (!is_unheard_of(connection, set)) continue;
        Statement(connection, "INSERT OR REPLACE INTO gaps (job, ended_at) VALUES (?, ?)")
            .bind(set.id.job)
            .bind(to_number(set.started_at) + 1)
            .run();
        Statement(connection, "UPDATE asked_targets SET asked = 0 WHERE job = ?").bind(set.id.job).run();
    }
}

std::optional<base::Timestamp> Catalog::unasked_before(const std::string& job, const std::string& target) {
    const auto guard = impl_->enter();
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
    Transaction transaction(impl_->connection);
    enter_gaps(impl_->connection, sets);
    transaction.commit();
}

}  // namespace pgbakd::catalog
