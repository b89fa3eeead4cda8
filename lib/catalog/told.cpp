// Who has heard of what is wrong: the channels that took an alert of it, and those for which one waits.
#include <algorithm>
#include <set>

#include "catalog/store.hpp"

namespace pgbakd::catalog {
namespace {

using model::AlertKind;
using model::FindingKey;

// What an alert says of a finding.
struct Said {
    FindingKey key;
    AlertKind kind{};
    [[nodiscard]] bool is_over() const noexcept {
        return kind == AlertKind::finding_closed || kind == AlertKind::run_succeeded;
    }
};

// Nothing for one that is of no finding.
std::optional<Said> said_by(const std::string& text) {
    const auto alert = model::parse_alert(text);
    if (!alert || alert->finding.empty()) return std::nullopt;
    const auto kind = model::parse_finding_kind(alert->finding);
    if (!kind) return std::nullopt;
    return Said{{*kind, alert->job, alert->place}, alert->kind};
}

// Without those that say nothing of a finding: reading an alert costs far more than looking for a word in it.
constexpr std::string_view of_findings = "instr(alert, '\"finding\":null') = 0";
constexpr std::string_view is_end =
    "instr(alert, '\"kind\":\"finding_closed\"') > 0 OR instr(alert, '\"kind\":\"run_succeeded\"') > 0";

void enter(std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// As it stands in told_to.
std::string line_of(const std::string& channel) {
    return channel + "\n";
}

void mark(Connection& connection, const std::string& channel, const FindingKey& key) {
    Statement(connection,
              "UPDATE findings SET told_to = told_to || ? WHERE kind = ? AND job = ? AND place = ?"
              " AND closed_at IS NULL AND instr(char(10) || told_to, char(10) || ?) = 0")
        .bind(line_of(channel))
        .bind(model::finding_text(key.kind))
        .bind(key.job)
        .bind(key.place)
        .bind(line_of(channel))
        .run();
}

// Of the last time that this was wrong.
bool has_heard(Connection& connection, const std::string& channel, const FindingKey& key) {
    Statement statement(connection,
                        "SELECT instr(char(10) || told_to, char(10) || ?) FROM findings"
                        " WHERE kind = ? AND job = ? AND place = ? ORDER BY rowid DESC LIMIT 1");
    statement.bind(line_of(channel)).bind(model::finding_text(key.kind)).bind(key.job).bind(key.place);
    return statement.step() && statement.number(0) > 0;
}

}  // namespace

void add_waiting(Connection& connection, std::vector<model::Finding>& findings) {
    if (findings.empty()) return;
    // Of one job, or of many.
    const auto& job = findings.front().key.job;
    const bool is_one = std::ranges::all_of(findings, [&job](const auto& each) { return each.key.job == job; });
    Statement statement(connection, std::string("SELECT channel, alert FROM alerts WHERE instr(alert, ?) > 0 AND ")
                                        .append(of_findings)
                                        .append(" ORDER BY number"));
    statement.bind(is_one ? job : std::string());
    std::map<FindingKey, std::vector<std::string>> told;
    while (statement.step()) {
        const auto said = said_by(statement.text(1));
        if (!said) continue;
        auto& channels = told[said->key];
        // What was told before that is another story.
        if (said->is_over())
            std::erase(channels, statement.text(0));
        else
            enter(channels, statement.text(0));
    }
    for (auto& finding : findings)
        if (const auto found = told.find(finding.key); found != told.end())
            for (const auto& channel : found->second) enter(finding.told_to, channel);
}

void note_told(Connection& connection, const std::string& channel, const std::vector<std::string>& ids) {
    if (ids.empty()) return;
    const std::set<std::string> taken(ids.begin(), ids.end());
    std::set<FindingKey> told;
    {
        Statement statement(
            connection,
            std::string("SELECT id, alert, ").append(is_end).append(" FROM alerts WHERE channel = ? ORDER BY number"));
        statement.bind(channel);
        while (statement.step()) {
            const bool is_taken = taken.contains(statement.text(0));
            // What waits matters only where it says that something is over: what was taken was of an earlier time then.
            if (!is_taken && (told.empty() || statement.number(2) == 0)) continue;
            const auto said = said_by(statement.text(1));
            if (!said) continue;
            if (said->is_over())
                told.erase(said->key);
            else
                told.insert(said->key);
        }
    }
    for (const auto& key : told) mark(connection, channel, key);
}

std::vector<std::string> ends_unheard(Connection& connection, const std::string& channel,
                                      const std::vector<std::string>& lost) {
    const std::set<std::string> gone(lost.begin(), lost.end());
    std::set<FindingKey> unheard;
    std::vector<std::string> ends;
    Statement statement(connection, std::string("SELECT id, alert FROM alerts WHERE channel = ? AND ")
                                        .append(of_findings)
                                        .append(" ORDER BY number"));
    statement.bind(channel);
    while (statement.step()) {
        const bool is_gone = gone.contains(statement.text(0));
        if (!is_gone && unheard.empty()) continue;
        const auto said = said_by(statement.text(1));
        if (!said) continue;
        const bool begins = said->kind == AlertKind::finding_opened || said->kind == AlertKind::run_failed;
        if (is_gone && begins) {
            if (!has_heard(connection, channel, said->key)) unheard.insert(said->key);
        } else if (!is_gone && unheard.erase(said->key) > 0 && said->kind == AlertKind::finding_closed) {
            ends.push_back(statement.text(0));
        }
    }
    return ends;
}

}  // namespace pgbakd::catalog
