// What is known of sets beyond their manifests, of databases, and rebuilding history from manifests.
#include <fmt/format.h>

#include <set>

#include "base/text.hpp"
#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

// What a run that was killed left on a target is swept after a day, where the target can be asked by then.
constexpr std::chrono::hours names_kept{7 * 24};

// The run that a set bears witness to.
model::RunReport run_of(const model::BackupSet& set) {
    model::RunReport run;
    run.run = set.run;
    run.job = set.id.job;
    run.trigger = model::Trigger::unknown;
    if (const auto trigger = model::parse_trigger(set.trigger)) run.trigger = *trigger;
    run.outcome = set.complete ? model::Outcome::success : model::Outcome::failed;
    run.started_at = set.started_at;
    run.finished_at = std::max(set.started_at, set.finished_at);
    run.timezone = set.timezone;
    run.set = set.id.text();
    run.size_bytes = set.bytes();
    run.artifacts = set.artifacts;
    run.notes.emplace_back("rebuilt from the manifest of the set");
    if (!set.complete) {
        std::vector<std::string> missing;
        for (const auto& part : set.missing) missing.push_back(part.database + ": " + part.reason);
        run.error = {.code = std::string(base::code_text(base::ErrorCode::program_failed)),
                     .message = "not all databases were dumped: " + base::join(missing, "; "),
                     .hint = {}};
    }
    return run;
}

bool knows_run(Connection& connection, const base::RunId& id) {
    Statement statement(connection, "SELECT 1 FROM runs WHERE id = ?");
    return statement.bind(id.text()).step();
}

std::size_t insert_unknown_runs(Connection& connection, const std::vector<model::BackupSet>& sets) {
    enter_gaps(connection, sets, base::SystemClock().now());
    std::size_t added = 0;
    for (const auto& set : sets) {
        // A manifest that could not be read names no run.
        if (set.run.empty() || knows_run(connection, set.run)) continue;
        insert_run(connection, run_of(set), Told::yes);  // long ago, or by another catalog
        ++added;
    }
    return added;
}

void forget(Connection& connection, const model::SetId& id) {
    Statement(connection, "DELETE FROM set_states WHERE job = ? AND name = ?").bind(id.job).bind(id.set).run();
}

constexpr std::string_view state_columns = "job, name, verified, verified_at, corrupt, message";

std::vector<SetState> read_states(Statement& statement) {
    std::vector<SetState> states;
    while (statement.step()) {
        SetState state;
        state.id = {statement.text(0), statement.text(1)};
        if (const auto level = model::parse_verification(statement.text(2))) state.verified = *level;
        state.verified_at = to_timestamp(statement.number(3));
        state.corrupt = statement.number(4) != 0;
        state.message = statement.text(5);
        states.push_back(std::move(state));
    }
    return states;
}

std::vector<SetState> read_all_states(Connection& connection) {
    Statement statement(connection, fmt::format("SELECT {} FROM set_states ORDER BY job, name", state_columns));
    return read_states(statement);
}

}  // namespace

std::optional<std::vector<std::string>> Catalog::known_databases(const std::string& job) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT names FROM known_databases WHERE job = ?");
    if (!statement.bind(job).step()) return std::nullopt;
    std::vector<std::string> names;
    const auto text = statement.text(0);
    for (const auto name : base::split(text, '\0')) names.emplace_back(name);
    names.pop_back();  // behind the last NUL
    return names;
}

void Catalog::put_known_databases(const std::string& job, const std::vector<std::string>& databases) {
    std::string names;
    for (const auto& database : databases) names.append(database).push_back('\0');
    const auto guard = impl_->enter();
    Statement(impl_->connection, "INSERT OR REPLACE INTO known_databases (job, names) VALUES (?, ?)")
        .bind(job)
        .bind_bytes(names)
        .run();
}

void Catalog::put_set_state(const SetState& state) {
    const auto guard = impl_->enter();
    Statement(impl_->connection,
              "INSERT OR REPLACE INTO set_states (job, name, verified, verified_at, corrupt, message)"
              " VALUES (?, ?, ?, ?, ?, ?)")
        .bind(state.id.job)
        .bind(state.id.set)
        .bind(model::verification_text(state.verified))
        .bind(to_number(state.verified_at))
        .bind(std::int64_t{state.corrupt})
        .bind(state.message)
        .run();
}

std::vector<SetState> Catalog::set_states() {
    const auto guard = impl_->enter();
    return read_all_states(impl_->connection);
}

std::optional<model::RunReport> Catalog::newest_made(const std::string& job, base::Timestamp now) {
    constexpr int asked = 20;  // of each kind: more sets in a row are hardly corrupt
    std::set<std::string> corrupt;
    for (const auto& state : corrupt_sets(job)) corrupt.insert(state.id.text());
    std::optional<model::RunReport> newest;
    for (const auto outcome : {model::Outcome::success, model::Outcome::warning}) {
        RunFilter filter;
        filter.job = job;
        filter.outcome = outcome;
        filter.limit = asked;
        filter.not_after = now;
        for (auto& run : runs(filter)) {
            if (run.set.empty() || corrupt.contains(run.set)) continue;
            if (!newest || newest->started_at < run.started_at) newest = std::move(run);
            break;
        }
    }
    return newest;
}

std::vector<SetState> Catalog::corrupt_sets(const std::optional<std::string>& job) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, fmt::format("SELECT {} FROM set_states WHERE corrupt{} ORDER BY job, name",
                                                       state_columns, job ? " AND job = ?" : ""));
    if (job) statement.bind(*job);
    return read_states(statement);
}

void Catalog::forget_set(const model::SetId& id) {
    const auto guard = impl_->enter();
    forget(impl_->connection, id);
}

void Catalog::note_set_name(const model::SetId& id, base::Timestamp now) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    Statement(impl_->connection, "DELETE FROM set_names WHERE begun_at < ? OR begun_at > ?")
        .bind(to_number(now - names_kept))
        .bind(to_number(now + names_kept))
        .run();
    Statement(impl_->connection, "INSERT OR REPLACE INTO set_names (job, name, begun_at) VALUES (?, ?, ?)")
        .bind(id.job)
        .bind(id.set)
        .bind(to_number(now))
        .run();
    transaction.commit();
}

std::vector<std::string> Catalog::noted_set_names(const std::string& job) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT name FROM set_names WHERE job = ? ORDER BY name");
    statement.bind(job);
    std::vector<std::string> names;
    while (statement.step()) names.push_back(statement.text(0));
    return names;
}

std::optional<std::string> Catalog::repository_id() {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT id FROM repository");
    if (!statement.step()) return std::nullopt;
    return statement.text(0);
}

void Catalog::put_repository_id(const std::string& id) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    Statement(impl_->connection, "DELETE FROM repository").run();
    Statement(impl_->connection, "INSERT INTO repository (id) VALUES (?)").bind(id).run();
    transaction.commit();
}

std::size_t Catalog::add_runs(const std::vector<model::BackupSet>& sets) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    const auto added = insert_unknown_runs(impl_->connection, sets);
    transaction.commit();
    return added;
}

Catalog::Rescanned Catalog::rescan(const std::vector<model::BackupSet>& sets) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    Rescanned result;
    result.sets = sets.size();
    result.runs_added = insert_unknown_runs(connection, sets);
    std::set<model::SetId> found;
    for (const auto& set : sets) found.insert(set.id);
    for (const auto& state : read_all_states(connection)) {
        if (found.contains(state.id)) continue;
        forget(connection, state.id);
        result.dropped.push_back(state.id);
    }
    transaction.commit();
    return result;
}

}  // namespace pgbakd::catalog
