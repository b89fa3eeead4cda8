// Which copies the targets have, and which are owed to them.
#include <fmt/format.h>

#include "base/text.hpp"
#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

constexpr std::string_view columns =
    "target, job, name, owed, since, started_at, bytes, complete, verified, milestone, assurance, attempts,"
    " next_attempt, message, unfinished, checkpoint, begun, run, host, tried";

Copy read_copy(const Statement& row) {
    Copy copy;
    copy.target = row.text(0);
    copy.id = {row.text(1), row.text(2)};
    copy.owed = row.number(3) != 0;
    copy.since = to_timestamp(row.number(4));
    copy.started_at = to_timestamp(row.number(5));
    copy.bytes = static_cast<std::uint64_t>(row.number(6));
    copy.complete = row.number(7) != 0;
    if (const auto level = model::parse_verification(row.text(8))) copy.verified = *level;
    copy.milestone = row.text(9);
    copy.assurance = row.text(10);
    copy.attempts = static_cast<int>(row.number(11));
    copy.next_attempt = to_timestamp(row.number(12));
    copy.message = row.text(13);
    copy.unfinished = row.text(14);
    copy.checkpoint = row.text(15);
    copy.begun = row.number(16) != 0;
    if (auto run = base::RunId::parse(row.text(17))) copy.run = std::move(*run);
    copy.host = row.text(18);
    const auto tried = row.text(19);
    for (const auto name : base::split(tried, '\n'))
        if (!name.empty()) copy.tried.emplace(name);
    return copy;
}

void write_copy(Connection& connection, const Copy& copy) {
    std::string tried;
    for (const auto& name : copy.tried) tried.append(name).push_back('\n');
    Statement(
        connection,
        fmt::format(
            "INSERT OR REPLACE INTO copies ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            columns))
        .bind(copy.target)
        .bind(copy.id.job)
        .bind(copy.id.set)
        .bind(std::int64_t{copy.owed})
        .bind(to_number(copy.since))
        .bind(to_number(copy.started_at))
        .bind(static_cast<std::int64_t>(copy.bytes))
        .bind(std::int64_t{copy.complete})
        .bind(model::verification_text(copy.verified))
        .bind(copy.milestone)
        .bind(copy.assurance)
        .bind(std::int64_t{copy.attempts})
        .bind(to_number(copy.next_attempt))
        .bind(copy.message)
        .bind(copy.unfinished)
        .bind(copy.checkpoint)
        .bind(std::int64_t{copy.begun})
        .bind(copy.run.text())
        .bind(copy.host)
        .bind(tried)
        .run();
}

std::optional<Copy> find_copy(Connection& connection, const std::string& target, const model::SetId& id) {
    Statement statement(connection,
                        fmt::format("SELECT {} FROM copies WHERE target = ? AND job = ? AND name = ?", columns));
    statement.bind(target).bind(id.job).bind(id.set);
    if (!statement.step()) return std::nullopt;
    return read_copy(statement);
}

void delete_copy(Connection& connection, const std::string& target, const model::SetId& id) {
    Statement(connection, "DELETE FROM copies WHERE target = ? AND job = ? AND name = ?")
        .bind(target)
        .bind(id.job)
        .bind(id.set)
        .run();
}

bool is_same_set(const Copy& a, const Copy& b) {
    return a.run == b.run && !a.run.empty();
}

std::vector<Copy> read_all(Statement& statement) {
    std::vector<Copy> copies;
    while (statement.step()) copies.push_back(read_copy(statement));
    return copies;
}

}  // namespace

void Catalog::put_copy(const Copy& copy) {
    const auto guard = impl_->enter();
    write_copy(impl_->connection, copy);
}

void Catalog::put_copies(const std::vector<Copy>& copies) {
    const auto guard = impl_->enter();
    Transaction transaction(impl_->connection);
    for (const auto& copy : copies) write_copy(impl_->connection, copy);
    transaction.commit();
}

std::vector<Copy> Catalog::copies(const std::optional<std::string>& job) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, fmt::format("SELECT {} FROM copies{} ORDER BY target, job, name", columns,
                                                       job ? " WHERE job = ?" : ""));
    if (job) statement.bind(*job);
    return read_all(statement);
}

std::vector<Copy> Catalog::copies_of(const model::SetId& id) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        fmt::format("SELECT {} FROM copies WHERE job = ? AND name = ? ORDER BY target", columns));
    statement.bind(id.job).bind(id.set);
    return read_all(statement);
}

std::vector<Copy> Catalog::owed_copies() {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection,
                        fmt::format("SELECT {} FROM copies WHERE owed ORDER BY target, job, name", columns));
    return read_all(statement);
}

std::optional<Copy> Catalog::newest_copy(const std::string& job, base::Timestamp now) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, fmt::format("SELECT {} FROM copies WHERE job = ? AND complete AND NOT owed"
                                                       " AND host = '' AND verified <> ?"
                                                       " ORDER BY started_at > ?, started_at DESC, name DESC LIMIT 1",
                                                       columns));
    statement.bind(job).bind(model::verification_text(model::Verification::none)).bind(to_number(now));
    if (!statement.step()) return std::nullopt;
    return read_copy(statement);
}

void Catalog::hasten_copies(const std::string& target, base::Timestamp now) {
    const auto guard = impl_->enter();
    Statement(impl_->connection, "UPDATE copies SET next_attempt = ? WHERE target = ? AND owed AND next_attempt > ?")
        .bind(to_number(now))
        .bind(target)
        .bind(to_number(now))
        .run();
}

void Catalog::forget_copy(const std::string& target, const model::SetId& id) {
    const auto guard = impl_->enter();
    delete_copy(impl_->connection, target, id);
}

std::size_t Catalog::rescan_copies(const std::vector<Copy>& there, const std::vector<Copy>& gone) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    for (auto copy : there) {
        const auto known = find_copy(connection, copy.target, copy.id);
        if (known && known->owed && !is_same_set(*known, copy)) continue;
        // One that was entered before runs were noted was sent by this host.
        if (known && !known->owed && (is_same_set(*known, copy) || known->run.empty())) {
            copy.since = known->since;
            copy.assurance = known->assurance;
            if (known->host.empty()) copy.host.clear();
        }
        write_copy(connection, copy);
    }
    std::size_t forgotten = 0;
    for (const auto& copy : gone) {
        const auto known = find_copy(connection, copy.target, copy.id);
        if (!known || known->owed) continue;
        delete_copy(connection, copy.target, copy.id);
        ++forgotten;
    }
    transaction.commit();
    return forgotten;
}

}  // namespace pgbakd::catalog
