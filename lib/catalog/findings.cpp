// What is wrong, since when and until when; and since when jobs are known in their places.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

constexpr std::string_view columns =
    "kind, job, place, severity, set_name, message, hint, opened_at, told_at, closed_at, told_severity, told_to";

std::string lines_of(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text.append(name).push_back('\n');
    return text;
}

std::vector<std::string> names_in(const std::string& lines) {
    std::vector<std::string> names;
    for (const auto name : base::split(lines, '\n'))
        if (!name.empty()) names.emplace_back(name);
    return names;
}

std::string_view told_text(const model::Finding& finding) {
    return finding.told_severity ? model::severity_text(*finding.told_severity) : std::string_view();
}

// Nothing for a row of a kind that this program does not know: a tampered file.
std::optional<model::Finding> read_finding(const Statement& row) {
    const auto kind = model::parse_finding_kind(row.text(0));
    const auto severity = model::parse_severity(row.text(3));
    if (!kind || !severity) return std::nullopt;
    model::Finding finding;
    finding.key = {*kind, row.text(1), row.text(2)};
    finding.severity = *severity;
    finding.set = row.text(4);
    finding.message = row.text(5);
    finding.hint = row.text(6);
    finding.opened_at = to_timestamp(row.number(7));
    finding.told_at = to_timestamp(row.number(8));
    if (!row.is_null(9)) finding.closed_at = to_timestamp(row.number(9));
    if (const auto told = model::parse_severity(row.text(10))) finding.told_severity = *told;
    finding.told_to = names_in(row.text(11));
    return finding;
}

std::vector<model::Finding> read_findings(Statement& statement) {
    std::vector<model::Finding> findings;
    while (statement.step())
        if (auto finding = read_finding(statement)) findings.push_back(std::move(*finding));
    return findings;
}

std::vector<model::Finding> read_open(Connection& connection, const std::optional<std::string>& job) {
    Statement statement(
        connection, fmt::format("SELECT {} FROM findings WHERE closed_at IS NULL{} ORDER BY kind, job, place", columns,
                                job ? " AND job = ?" : ""));
    if (job) statement.bind(*job);
    return read_findings(statement);
}

bool is_closed(const model::Finding& finding) {
    return finding.closed_at != base::Timestamp{};
}

bool update(Connection& connection, const model::Finding& finding) {
    std::optional<std::int64_t> closed_at;
    if (is_closed(finding)) closed_at = to_number(finding.closed_at);
    Statement(connection,
              "UPDATE findings SET severity = ?, set_name = ?, message = ?, hint = ?, opened_at = ?, told_at = ?,"
              " closed_at = ?, told_severity = ?"
              " WHERE kind = ? AND job = ? AND place = ? AND closed_at IS NULL")
        .bind(model::severity_text(finding.severity))
        .bind(finding.set)
        .bind(finding.message)
        .bind(finding.hint)
        .bind(to_number(finding.opened_at))
        .bind(to_number(finding.told_at))
        .bind(closed_at)
        .bind(told_text(finding))
        .bind(model::finding_text(finding.key.kind))
        .bind(finding.key.job)
        .bind(finding.key.place)
        .run();
    return connection.changes() > 0;
}

void insert(Connection& connection, const model::Finding& finding) {
    Statement(connection,
              fmt::format("INSERT INTO findings ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, '')", columns))
        .bind(model::finding_text(finding.key.kind))
        .bind(finding.key.job)
        .bind(finding.key.place)
        .bind(model::severity_text(finding.severity))
        .bind(finding.set)
        .bind(finding.message)
        .bind(finding.hint)
        .bind(to_number(finding.opened_at))
        .bind(to_number(finding.told_at))
        .bind(told_text(finding))
        .run();
}

}  // namespace

std::map<std::pair<std::string, std::string>, base::Timestamp> Catalog::know_places(
    const std::vector<KnownPlace>& places, base::Timestamp now) {
    using Key = std::pair<std::string, std::string>;
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    std::map<Key, std::pair<std::string, base::Timestamp>> known;
    {
        Statement statement(connection, "SELECT job, place, schedule, since FROM known_places");
        while (statement.step())
            known.emplace(Key(statement.text(0), statement.text(1)),
                          std::pair(statement.text(2), to_timestamp(statement.number(3))));
    }
    std::map<Key, base::Timestamp> result;
    for (const auto& [job, place, schedule] : places) {
        const auto found = known.find({job, place});
        const bool is_same = found != known.end() && (found->second.first == schedule || found->second.first.empty());
        // A clock ahead must not make a place new until then.
        const auto since = is_same ? std::min(found->second.second, now) : now;
        result.emplace(Key(job, place), since);
        if (found == known.end() || found->second.first != schedule || found->second.second != since)
            Statement(connection,
                      "INSERT OR REPLACE INTO known_places (job, place, schedule, since) VALUES (?, ?, ?, ?)")
                .bind(job)
                .bind(place)
                .bind(schedule)
                .bind(to_number(since))
                .run();
    }
    for (const auto& [key, entry] : known)
        if (!result.contains(key))
            Statement(connection, "DELETE FROM known_places WHERE job = ? AND place = ?")
                .bind(key.first)
                .bind(key.second)
                .run();
    transaction.commit();
    return result;
}

std::map<std::string, base::Timestamp> Catalog::known_since(const std::string& job) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, "SELECT place, since FROM known_places WHERE job = ?");
    statement.bind(job);
    std::map<std::string, base::Timestamp> result;
    while (statement.step()) result.emplace(statement.text(0), to_timestamp(statement.number(1)));
    return result;
}

Catalog::ChannelsOfJobs Catalog::know_channels(const ChannelsOfJobs& jobs, base::Timestamp now,
                                               base::Timestamp gone_since) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    Statement(connection, "DELETE FROM job_channels WHERE known_at < ?").bind(to_number(gone_since)).run();
    for (const auto& [job, channels] : jobs) {
        if (!channels) {
            Statement(connection, "DELETE FROM job_channels WHERE job = ?").bind(job).run();
            continue;
        }
        Statement(connection,
                  "INSERT INTO job_channels (job, channels, known_at) VALUES (?, ?, ?)"
                  " ON CONFLICT (job) DO UPDATE SET channels = excluded.channels, known_at = excluded.known_at")
            .bind(job)
            .bind(lines_of(*channels))
            .bind(to_number(now))
            .run();
    }
    ChannelsOfJobs gone;
    {
        Statement statement(connection, "SELECT job, channels FROM job_channels");
        while (statement.step())
            if (!jobs.contains(statement.text(0))) gone.emplace(statement.text(0), names_in(statement.text(1)));
    }
    transaction.commit();
    return gone;
}

std::vector<model::Finding> Catalog::open_findings(const std::optional<std::string>& job) {
    const auto guard = impl_->enter();
    return read_open(impl_->connection, job);
}

std::vector<model::Finding> Catalog::told_findings(const std::optional<std::string>& job) {
    const auto guard = impl_->enter();
    auto findings = read_open(impl_->connection, job);
    add_waiting(impl_->connection, findings);
    return findings;
}

std::vector<model::Finding> Catalog::closed_findings(int limit) {
    const auto guard = impl_->enter();
    Statement statement(impl_->connection, fmt::format("SELECT {} FROM findings WHERE closed_at IS NOT NULL"
                                                       " ORDER BY closed_at DESC, rowid DESC LIMIT ?",
                                                       columns));
    statement.bind(std::int64_t{std::clamp(limit, 1, 10'000)});
    return read_findings(statement);
}

void Catalog::apply_findings(const std::vector<model::Finding>& findings, const std::vector<QueuedAlert>& alerts,
                             base::Timestamp now, const std::optional<base::RunId>& told_run) {
    const auto guard = impl_->enter();
    auto& connection = impl_->connection;
    Transaction transaction(connection);
    for (const auto& finding : findings)
        if (!update(connection, finding) && !is_closed(finding)) insert(connection, finding);
    insert_alerts(connection, alerts, now);
    if (told_run) Statement(connection, "UPDATE runs SET told = 1 WHERE id = ?").bind(told_run->text()).run();
    transaction.commit();
}

std::size_t Catalog::expire_findings(base::Timestamp before, std::size_t limit) {
    const auto guard = impl_->enter();
    Statement(impl_->connection,
              "DELETE FROM findings WHERE rowid IN (SELECT rowid FROM findings WHERE closed_at IS NOT NULL"
              " AND closed_at < ? ORDER BY closed_at LIMIT ?)")
        .bind(to_number(before))
        .bind(static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000)))
        .run();
    return static_cast<std::size_t>(impl_->connection.changes());
}

}  // namespace pgbakd::catalog
