#include "health/alerts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "base/units.hpp"
#include "health/inputs.hpp"

namespace pgbakd::health {
namespace {

using model::Alert;
using model::AlertKind;
using model::Finding;
using model::FindingKind;
using model::Outcome;
using model::Severity;

std::string place_text(const std::string& place) {
    return place == local_place ? "the repository" : place;
}

std::string title_of(const model::FindingKey& key) {
    const auto place = place_text(key.place);
    switch (key.kind) {
        case FindingKind::run_failed: return key.job + " failed";
        case FindingKind::too_old: return fmt::format("{}: no recent good set in {}", key.job, place);
        case FindingKind::corrupt: return fmt::format("{}: a corrupt set in {}", key.job, place);
        case FindingKind::copy_owed: return fmt::format("{}: copies are owed to {}", key.job, place);
        case FindingKind::size_changed: return key.job + ": the size of sets changed";
        case FindingKind::disk_usage: return fmt::format("the disk of {} fills up", place);
        case FindingKind::free_space: return fmt::format("too little room in {}", place);
        case FindingKind::fires_missed: return key.job + ": fires were missed";
        case FindingKind::reload_refused: return "the configuration on disk is refused";
        case FindingKind::channel_failing: return fmt::format("alerts do not reach {}", place);
        case FindingKind::other_repository:
            return key.job.empty() ? "the repository is another one" : key.job + ": its directory is another one";
        case FindingKind::check_incomplete:
            return key.job.empty() ? fmt::format("{} could not be looked at", place)
                                   : fmt::format("{}: sets in {} could not be read", key.job, place);
    }
    return {};
}

Alert blank(AlertKind kind, Severity severity, const Teller& teller) {
    Alert alert;
    alert.id = teller.make_id();
    alert.kind = kind;
    alert.severity = severity;
    alert.at = teller.now;
    alert.host = teller.host;
    return alert;
}

Alert about(const Finding& finding, AlertKind kind, Severity severity, const Teller& teller) {
    auto alert = blank(kind, severity, teller);
    alert.job = finding.key.job;
    alert.set = finding.set;
    alert.place = finding.key.place;
    alert.finding = model::finding_text(finding.key.kind);
    return alert;
}

std::string open_for(const Finding& finding, const Teller& teller) {
    return base::format_duration(std::max(teller.now - finding.opened_at, std::chrono::milliseconds(0)));
}

ToldAlert tell(const Finding& finding, AlertKind kind, const Teller& teller) {
    auto alert = about(finding, kind, finding.severity, teller);
    alert.title = title_of(finding.key);
    alert.message = finding.message;
    alert.hint = finding.hint;
    if (kind == AlertKind::finding_reminded) {
        alert.title = "still: " + alert.title;
        alert.message = fmt::format("for {} now: {}", open_for(finding, teller), finding.message);
    }
    return {std::move(alert), finding.severity, finding.key, {}};
}

Severity worst_told(const Finding& finding) {
    return finding.told_severity.value_or(finding.severity);
}

ToldAlert tell_end(const Finding& finding, std::string_view title, std::string message, const Teller& teller) {
    auto alert = about(finding, AlertKind::finding_closed, Severity::info, teller);
    alert.was = worst_told(finding);
    alert.title = fmt::format("{}: {}", title, title_of(finding.key));
    alert.message = std::move(message);
    return {std::move(alert), std::nullopt, std::nullopt, finding.told_to};
}

std::string target_notes(const model::RunReport& run) {
    std::vector<std::string> parts;
    for (const auto& target : run.targets)
        if (target.status == "owed")
            parts.push_back(fmt::format("a copy is owed to {}{}{}", target.name, target.message.empty() ? "" : ": ",
                                        target.message));
    for (const auto& note : run.notes) parts.push_back(note);
    return base::join(parts, "; ");
}

void tell_success(Alert& alert, const model::RunReport& run) {
    alert.title = run.job + " succeeded";
    if (run.outcome == Outcome::warning) alert.title += ", but not all of it";
    alert.message = fmt::format("{} in {}", base::format_size(run.size_bytes), base::format_duration(run.duration()));
    const auto notes = target_notes(run);
    if (!notes.empty()) alert.message += "; " + notes;
}

void tell_failure(Alert& alert, const model::RunReport& run) {
    const bool interrupted = run.outcome == Outcome::interrupted;
    alert.title = run.job + (interrupted ? " was interrupted" : " failed");
    if (run.error) {
        alert.message = run.error->message;
        alert.hint = run.error->hint;
    }
    if (alert.message.empty()) alert.message = interrupted ? "the daemon ended while it ran" : "the cause is not known";
}

const Finding* failure_in(const std::vector<Finding>& findings, const std::string& job) {
    const auto found = std::find_if(findings.begin(), findings.end(), [&job](const Finding& each) {
        return each.key.kind == FindingKind::run_failed && each.key.job == job;
    });
    return found == findings.end() ? nullptr : &*found;
}

// Without what the run's own alert says. A run that is told of later than it ended may not be the one that the finding
// is of.
Changes without_failure(Changes changes, const model::RunReport& run, bool failed) {
    const auto leave_out = [&run](std::vector<Finding>& part) {
        std::erase_if(part, [&run](const Finding& each) {
            return each.key.kind == FindingKind::run_failed && each.key.job == run.job;
        });
    };
    if (!failed) {
        leave_out(changes.closed);
        return changes;
    }
    for (auto* part : {&changes.opened, &changes.raised, &changes.reminded}) leave_out(*part);
    return changes;
}

// Whom a failure reaches: those that the finding reaches, when that is told.
ToldAlert tell_of_failure(Alert alert, const Changes& changes, JobIs job) {
    alert.finding = model::finding_text(FindingKind::run_failed);
    ToldAlert told{std::move(alert), Severity::info, {}, {}};
    if (job == JobIs::gone) told.reaches = told.alert.severity;
    for (const auto* part : {&changes.opened, &changes.raised, &changes.reminded, &changes.still})
        if (const auto* failure = failure_in(*part, told.alert.job)) {
            told.about = failure->key;
            if (part != &changes.still) told.reaches = failure->severity;
        }
    return told;
}

ToldAlert tell_of_success(Alert alert, const Changes& changes) {
    ToldAlert told{std::move(alert), Severity::info, {}, {}};
    const auto* over = failure_in(changes.closed, told.alert.job);
    if (over == nullptr) return told;
    told.alert.title = told.alert.job + " succeeded again";
    told.alert.finding = model::finding_text(FindingKind::run_failed);
    told.alert.was = worst_told(*over);
    told.heard = over->told_to;
    return told;
}

}  // namespace

std::vector<ToldAlert> alerts_of(const Changes& changes, const Teller& teller) {
    std::vector<ToldAlert> told;
    const auto add = [&](const std::vector<Finding>& findings, AlertKind kind) {
        for (const auto& finding : findings) told.push_back(tell(finding, kind, teller));
    };
    add(changes.opened, AlertKind::finding_opened);
    add(changes.raised, AlertKind::finding_raised);
    add(changes.reminded, AlertKind::finding_reminded);
    for (const auto& finding : changes.closed)
        told.push_back(tell_end(
            finding, "recovered",
            fmt::format("it is well again, after {}; it was: {}", open_for(finding, teller), finding.message), teller));
    for (const auto& [finding, why] : changes.dropped)
        told.push_back(tell_end(finding, "no longer looked at",
                                fmt::format("{}; it was, for {}: {}", why, open_for(finding, teller), finding.message),
                                teller));
    return told;
}

ToldAlert reminder_of(const Finding& finding, const Teller& teller) {
    return tell(finding, AlertKind::finding_reminded, teller);
}

ToldAlert alert_of_start(const std::string& job, const std::string& run, const Teller& teller) {
    auto alert = blank(AlertKind::run_started, Severity::info, teller);
    alert.job = job;
    alert.run = run;
    alert.title = job + " started";
    return {std::move(alert), Severity::info, {}, {}};
}

std::optional<Alert> alert_of(const model::RunReport& run, const std::optional<model::RunReport>& previous,
                              const Teller& teller) {
    auto alert = blank(AlertKind::run_succeeded, Severity::info, teller);
    switch (run.outcome) {
        case Outcome::success: tell_success(alert, run); break;
        case Outcome::warning:
            alert.severity = Severity::warning;
            tell_success(alert, run);
            break;
        case Outcome::failed:
        case Outcome::interrupted:
            alert.kind = AlertKind::run_failed;
            alert.severity = run.outcome == Outcome::failed ? Severity::critical : Severity::warning;
            tell_failure(alert, run);
            break;
        case Outcome::running:
        case Outcome::skipped:
        case Outcome::cancelled: return std::nullopt;
    }
    // When it happened, however much later it is told.
    alert.at = std::min(run.finished_at, teller.now);
    alert.job = run.job;
    alert.run = run.run.text();
    alert.set = run.set;
    if (run.size_bytes > 0) alert.bytes = run.size_bytes;
    alert.duration = run.duration();
    if (previous) {
        if (previous->size_bytes > 0) alert.previous_bytes = previous->size_bytes;
        alert.previous_duration = previous->duration();
    }
    return alert;
}

std::vector<ToldAlert> alerts_after_run(const model::RunReport& run, const std::optional<model::RunReport>& previous,
                                        const Changes& changes, const Teller& teller, JobIs job) {
    auto alert = alert_of(run, previous, teller);
    if (!alert) return alerts_of(changes, teller);
    const bool failed = alert->kind == AlertKind::run_failed;
    std::vector<ToldAlert> told;
    told.push_back(failed ? tell_of_failure(std::move(*alert), changes, job)
                          : tell_of_success(std::move(*alert), changes));
    for (auto& other : alerts_of(without_failure(changes, run, failed), teller)) told.push_back(std::move(other));
    return told;
}

}  // namespace pgbakd::health
