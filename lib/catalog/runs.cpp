// The history of runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

constexpr int most_runs = 10'000;
constexpr std::string_view columns = "id, job, outcome, started_at, finished_at, report";

// As the index of them has it, word for word.
constexpr std::string_view untold = "told = 0 AND outcome IN ('SUCCESS', 'WARNING', 'FAILED', 'INTERRUPTED')";

void write_run(Connection& connection, std::string_view otherwise, const model::RunReport& run, Told told) {
    Statement(connection, fmt::format("INSERT INTO runs ({}, size_bytes, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?){}",
                                      columns, otherwise))
        .bind(run.run.text())
        .bind(run.job)
        .bind(model::outcome_text(run.outcome))
        .bind(to_number(run.started_at))
        .bind(to_number(run.finished_at))
        .bind(model::to_report(run))
        .bind(static_cast<std::int64_t>(run.size_bytes))
        .bind(std::int64_t{told == Told::yes})
        .run();
}

// A report that cannot be read must hide neither the run nor the others: what the columns say is enough to list it.
model::RunReport read_run(const Statement& row) {
    if (auto report = model::parse_report(row.text(5))) return std::move(*report);
    model::RunReport report;
    if (const auto id = base::RunId::parse(row.text(0))) report.run = *id;
    report.job = row.text(1);
    report.trigger = model::Trigger::unknown;
    if (const auto outcome = model::parse_outcome(row.text(2))) report.outcome = *outcome;
    report.started_at = to_timestamp(row.number(3));
    report.finished_at = to_timestamp(row.number(4));
    report.notes.emplace_back("the report of this run cannot be read");
    return report;
}

std::string condition(const RunFilter& filter) {
    std::vector<std::string> parts;
    if (filter.job) parts.emplace_back("job = ?");
    if (filter.outcome) parts.emplace_back("outcome = ?");
    if (filter.not_after) parts.emplace_back("started_at <= ?");
    if (!filter.without.empty()) parts.emplace_back("id NOT IN (SELECT value FROM json_each(?))");
    return parts.empty() ? std::string() : " WHERE " + base::join(parts, " AND ");
}

void bind_condition(Statement& statement, const RunFilter& filter) {
    if (filter.job) statement.bind(*filter.job);
    if (filter.outcome) statement.bind(model::outcome_text(*filter.outcome));
    if (filter.not_after) statement.bind(to_number(*filter.not_after));
    // In one value, as the number of values that a statement takes has an end.
    if (!filter.without.empty()) statement.bind("[\"" + base::join(filter.without, "\",\"") + "\"]");
}

}  // namespace

void insert_run(Connection& connection, const model::RunReport& run, Told told) {
    write_run(connection, "", run, told);
}

// Not INSERT OR REPLACE, which deletes the old row: its slot would go with it.
void replace_run(Connection& connection, const model::RunReport& run) {
    write_run(connection,
              " ON CONFLICT (id) DO UPDATE SET job = excluded.job, outcome = excluded.outcome,"
              " started_at = excluded.started_at, finished_at = excluded.finished_at, report = excluded.report,"
              " size_bytes = excluded.size_bytes",
              run, Told::no);
}

void Catalog::begin_run(const model::RunReport& run) {
    const auto guard = impl_->enter();
    insert_run(impl_->connection, run);
}

void Catalog::finish_run(const model::RunReport& run) {
    const auto guard = impl_->enter();
    replace_run(impl_->connection, run);
}

std::vector<model::RunReport> Catalog::interrupt_running(base::Timestamp now) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    std::vector<model::RunReport> runs;
    {
        Statement statement(connection,
                            fmt::format("SELECT {} FROM runs WHERE outcome = ? ORDER BY started_at, id", columns));
        statement.bind(model::outcome_text(model::Outcome::running));
        while (statement.step()) runs.push_back(read_run(statement));
    }
    for (auto& run : runs) {
        run.outcome = model::Outcome::interrupted;
        run.finished_at = std::max(now, run.started_at);  // the clock may have been set back since
        run.error = {.code = "cancelled",
                     .message = "pgbakd ended while the run was under way",
                     .hint = "nothing of it was kept on this host; the journal says why pgbakd ended"};
        replace_run(connection, run);
    }
    transaction.commit();
    return runs;
}

std::vector<model::RunReport> Catalog::runs(const RunFilter& filter) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        fmt::format("SELECT {} FROM runs{} ORDER BY started_at DESC, id DESC LIMIT ? OFFSET ?", columns,
                                    condition(filter)));
    bind_condition(statement, filter);
    statement.bind(std::int64_t{std::clamp(filter.limit, 1, most_runs)});
    statement.bind(std::int64_t{std::max(filter.offset, 0)});
    std::vector<model::RunReport> result;
    while (statement.step()) result.push_back(read_run(statement));
    return result;
}

std::uint64_t Catalog::count_runs(const RunFilter& filter) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT count(*) FROM runs" + condition(filter));
    bind_condition(statement, filter);
    return statement.step() ? static_cast<std::uint64_t>(statement.number(0)) : 0;
}

std::optional<model::RunReport> Catalog::run(const base::RunId& id) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, fmt::format("SELECT {} FROM runs WHERE id = ?", columns));
    if (!statement.bind(id.text()).step()) return std::nullopt;
    return read_run(statement);
}

std::vector<model::RunReport> Catalog::untold_runs(base::Timestamp since, std::size_t limit) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        fmt::format("SELECT {0} FROM (SELECT {0} FROM runs WHERE {1} AND finished_at >= ?"
                                    " ORDER BY finished_at DESC, id DESC LIMIT ?) ORDER BY finished_at, id",
                                    columns, untold));
    statement.bind(to_number(since));
    statement.bind(static_cast<std::int64_t>(std::min<std::size_t>(limit, most_runs)));
    std::vector<model::RunReport> result;
    while (statement.step()) result.push_back(read_run(statement));
    return result;
}

bool Catalog::is_told(const base::RunId& run) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT told FROM runs WHERE id = ?");
    return statement.bind(run.text()).step() && statement.number(0) != 0;
}

std::map<std::string, base::Timestamp> Catalog::last_success(base::Timestamp now) {
    const auto guard = impl_->enter();
    std::map<std::string, base::Timestamp> result;
    // WARNING is good here, with a copy owed elsewhere.
    Statement statement(impl_->connection,
                        "SELECT job, coalesce(max(CASE WHEN finished_at <= ? THEN finished_at END), max(finished_at))"
                        " FROM runs WHERE outcome IN ('SUCCESS', 'WARNING') GROUP BY job");
    statement.bind(to_number(now));
    while (statement.step()) result.emplace(statement.text(0), to_timestamp(statement.number(1)));
    return result;
}

std::optional<model::RunReport> Catalog::last_verdict(const std::string& job, base::Timestamp now) {
    const auto guard = impl_->enter();
    // What a clock ahead has dated stands behind all that came after it was put right.
    for (const bool ahead : {false, true}) {
        Statement statement(impl_->connection,
                            fmt::format("SELECT {} FROM runs WHERE job = ? AND started_at {} ? AND outcome IN"
                                        " ('SUCCESS', 'WARNING', 'FAILED', 'INTERRUPTED')"
                                        " ORDER BY started_at DESC, id DESC LIMIT 1",
                                        columns, ahead ? ">" : "<="));
        if (statement.bind(job).bind(to_number(now)).step()) return read_run(statement);
    }
    return std::nullopt;
}

std::optional<model::RunReport> Catalog::success_before(const model::RunReport& run) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        fmt::format("SELECT {} FROM runs WHERE job = ? AND outcome IN ('SUCCESS', 'WARNING')"
                                    " AND (started_at, id) < (?, ?) ORDER BY started_at DESC, id DESC LIMIT 1",
                                    columns));
    statement.bind(run.job).bind(to_number(run.started_at)).bind(run.run.text());
    if (!statement.step()) return std::nullopt;
    return read_run(statement);
}

std::vector<std::uint64_t> Catalog::sizes_of_last_successes(const std::string& job, int count, base::Timestamp now) {
    const auto guard = impl_->enter();
    const auto wanted = static_cast<std::size_t>(std::clamp(count, 1, most_runs));
    std::vector<std::uint64_t> sizes;
    // One after the other: each goes along the index, and no further than it has to.
    for (const bool ahead : {false, true}) {
        if (sizes.size() >= wanted) break;
        Statement statement(impl_->connection, fmt::format("SELECT size_bytes FROM runs WHERE job = ? AND finished_at"
                                                           " {} ? AND outcome IN ('SUCCESS', 'WARNING')"
                                                           " ORDER BY finished_at DESC, id DESC LIMIT ?",
                                                           ahead ? ">" : "<="));
        statement.bind(job).bind(to_number(now)).bind(static_cast<std::int64_t>(wanted - sizes.size()));
        while (statement.step()) sizes.push_back(static_cast<std::uint64_t>(statement.number(0)));
    }
    return sizes;
}

std::size_t Catalog::expire_runs(base::Timestamp now, std::chrono::milliseconds kept, std::size_t limit) {
    const auto guard = impl_->enter();
    Statement newest(impl_->connection,
                     "SELECT max(finished_at) FROM runs WHERE outcome <> 'RUNNING' AND finished_at <= ?");
    newest.bind(to_number(now));
    if (!newest.step()) return 0;
    const auto before = to_timestamp(newest.number(0)) - kept;
    Statement statement(impl_->connection,
                        "DELETE FROM runs WHERE id IN ("
                        "SELECT id FROM runs AS r WHERE outcome <> 'RUNNING' AND finished_at < ?"
                        " AND NOT (outcome IN ('SUCCESS', 'WARNING') AND NOT EXISTS ("
                        "SELECT 1 FROM runs AS newer WHERE newer.job = r.job"
                        " AND newer.outcome IN ('SUCCESS', 'WARNING') AND newer.finished_at <= ?"
                        " AND (newer.finished_at, newer.id) > (r.finished_at, r.id)))"
                        " ORDER BY started_at, id LIMIT ?)");
    statement.bind(to_number(before)).bind(to_number(now));
    statement.bind(static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000)));
    statement.run();
    return static_cast<std::size_t>(impl_->connection.changes());
}

}  // namespace pgbakd::catalog
