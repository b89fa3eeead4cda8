// The schedule's side of the catalog: where each job stands, and which slots are taken.
#include <algorithm>

#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

void put(Connection& connection, const JobState& state) {
    Statement(connection,
              "INSERT INTO job_states (job, schedule, anchor, paused) VALUES (?, ?, ?, ?)"
              " ON CONFLICT (job) DO UPDATE SET schedule = excluded.schedule, anchor = excluded.anchor,"
              " paused = excluded.paused")
        .bind(state.job)
        .bind(state.schedule)
        .bind(to_number(state.anchor))
        .bind(std::int64_t{state.paused})
        .run();
}

}  // namespace

std::vector<JobState> Catalog::job_states() {
    const auto guard = impl_->enter();
    std::vector<JobState> states;
    Statement statement(impl_->connection, "SELECT job, schedule, anchor, paused FROM job_states ORDER BY job");
    while (statement.step())
        states.push_back({.job = statement.text(0),
                          .schedule = statement.text(1),
                          .anchor = to_instant(statement.number(2)),
                          .paused = statement.number(3) != 0});
    return states;
}

void Catalog::put_job_state(const JobState& state) {
    const auto guard = impl_->enter();
    put(impl_->connection, state);
}

void Catalog::put_job_states(const std::vector<JobState>& states) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    for (const auto& state : states) put(impl_->connection, state);
    transaction.commit();
}

void Catalog::forget_job(const std::string& job) {
    const auto guard = impl_->enter();
    Statement(impl_->connection, "DELETE FROM job_states WHERE job = ?").bind(job).run();
}

std::optional<std::string> Catalog::change_stamp(const std::string& job) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT stamp FROM change_stamps WHERE job = ?");
    if (!statement.bind(job).step()) return std::nullopt;
    return statement.text(0);
}

void Catalog::put_change_stamp(const std::string& job, const std::string& stamp) {
    const auto guard = impl_->enter();
    Statement(impl_->connection,
              "INSERT INTO change_stamps (job, stamp) VALUES (?, ?)"
              " ON CONFLICT (job) DO UPDATE SET stamp = excluded.stamp")
        .bind(job)
        .bind(stamp)
        .run();
}

namespace {

// False if it was taken before.
bool take(Connection& connection, const std::string& job, base::Instant slot, const model::RunReport& run) {
    {
        Statement taken(connection, "SELECT 1 FROM slots WHERE job = ? AND slot = ?");
        if (taken.bind(job).bind(to_number(slot)).step()) return false;
    }
    insert_run(connection, run);
    Statement(connection, "INSERT INTO slots (job, slot, run) VALUES (?, ?, ?)")
        .bind(job)
        .bind(to_number(slot))
        .bind(run.run.text())
        .run();
    return true;
}

}  // namespace

bool Catalog::take_slot(const JobState& state, base::Instant slot, const model::RunReport& run) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    if (!take(connection, state.job, slot, run)) return false;
    auto moved = state;
    moved.anchor = std::max(state.anchor, slot);
    put(connection, moved);
    transaction.commit();
    return true;
}

bool Catalog::skip_slot(const JobState& state, base::Instant slot, const model::RunReport& run) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    const bool taken = take(impl_->connection, state.job, slot, run);
    put(impl_->connection, state);
    transaction.commit();
    return taken;
}

}  // namespace pgbakd::catalog
