#include "health/evaluate_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"

namespace pgbakd::health {
namespace {

using base::format_duration;
using model::Finding;
using model::FindingKey;
using model::FindingKind;
using model::Severity;

// A copy that is owed since a moment ago is on its way.
constexpr std::chrono::hours on_its_way{1};
// Fewer sets than this before the newest one tell nothing of what is usual.
constexpr std::size_t fewest_to_compare = 3;

std::string in_place(const std::string& place) {
    return place == local_place ? "in the repository" : "on " + place;
}

std::string age_text(std::chrono::milliseconds age) {
    return format_duration(std::max(age, std::chrono::milliseconds(0)));
}

Finding make(FindingKey key, Severity severity, std::string message, std::string hint = {}) {
    Finding finding;
    finding.key = std::move(key);
    finding.severity = severity;
    finding.message = std::move(message);
    finding.hint = std::move(hint);
    return finding;
}

void check_age(const Job& job, const Place& place, const OpenFindings& before, base::Timestamp now,
               std::vector<Finding>& found) {
    if (!job.max_age) return;
    const FindingKey key{FindingKind::too_old, job.name, place.name};
    const auto* open = before.find(key);
    const auto allowed = format_duration(*job.max_age);
    const auto hint = place.name == local_place
                          ? fmt::format("pgbakctl runs {} tells why; pgbakctl run {} makes one now", job.name, job.name)
                          : fmt::format("pgbakctl status tells what is owed to {}, and why", place.name);
    if (now > too_old_from(job, place)) {
        auto message = place.newest ? fmt::format("the newest good set {}{} is {} old, {} is allowed",
                                                  in_place(place.name), place.looked_at ? "" : " that is known of",
                                                  age_text(now - place.newest->finished_at), allowed)
                                    : fmt::format("there is no good set {}{}, and has been none for {}; {} is allowed",
                                                  in_place(place.name), place.looked_at ? "" : " that is known of",
                                                  age_text(now - place.known_since), allowed);
        if (!place.looked_at) message += "; it cannot be looked at now";
        found.push_back(make(key, Severity::critical, std::move(message), hint));
        if (place.newest) found.back().set = place.newest->id.text();
        return;
    }
    // An edit of the schedule gives time to a job that was well until then, and does not heal one that was not.
    const bool has_recent = place.newest && now - place.newest->finished_at <= *job.max_age;
    if (open != nullptr && !has_recent) found.push_back(*open);
}

// Not one of these sets can be restored, checked or expired: somebody has to act, before one is needed.
void check_seen(const Job& job, const Place& place, std::vector<Finding>& found) {
    if (place.problem.empty()) return;
    found.push_back(make({FindingKind::check_incomplete, job.name, place.name}, Severity::critical, place.problem,
                         unseen_hint(place.hint)));
}

void check_last_run(const Job& job, std::vector<Finding>& found) {
    if (!job.last_run) return;
    const bool failed = job.last_run->outcome == model::Outcome::failed;
    if (!failed && job.last_run->outcome != model::Outcome::interrupted) return;
    found.push_back(make({FindingKind::run_failed, job.name, {}}, failed ? Severity::critical : Severity::warning,
                         job.last_run->message.empty() ? "the last run failed" : job.last_run->message,
                         job.last_run->hint));
}

// Nothing is known of them that was not known before; but a disk that is about to fail begins like that. Where none of
// the sets can be looked at, that is the finding.
void check_unread(const Job& job, const OpenFindings& before, std::vector<Finding>& found) {
    const FindingKey key{FindingKind::check_incomplete, job.name, std::string(local_place)};
    if (std::ranges::find(found, key, &Finding::key) != found.end()) return;
    if (job.unread.empty()) {
        if (const auto* open = before.find(key); open != nullptr && !job.was_read) found.push_back(*open);
        return;
    }
    std::vector<std::string> parts;
    for (const auto& each : job.unread) parts.push_back(fmt::format("{}: {}", each.id.text(), each.message));
    found.push_back(make(key, Severity::warning, "could not be read again: " + base::join(parts, "; "),
                         "look at dmesg for errors of the disk, and at who may read it; pgbakctl verify tries it now"));
    found.back().set = job.unread.front().id.text();
}

void check_size(const Job& job, std::vector<Finding>& found) {
    if (job.sizes.empty() || job.sizes.front() == 0) return;
    const auto end = std::min<std::ptrdiff_t>(8, std::ssize(job.sizes));
    std::vector<std::uint64_t> before(job.sizes.begin() + 1, job.sizes.begin() + end);
    std::erase(before, std::uint64_t{0});
    if (before.size() < fewest_to_compare) return;
    std::sort(before.begin(), before.end());
    const auto usual = static_cast<double>(before[before.size() / 2]);
    const auto size = static_cast<double>(job.sizes.front());
    const double change = (size - usual) / usual * 100;
    if (std::abs(change) <= job.size_change) return;
    found.push_back(
        make({FindingKind::size_changed, job.name, {}}, Severity::warning,
             fmt::format("the newest set has {}, {:.0f} % {} than usual ({})", base::format_size(job.sizes.front()),
                         std::abs(change), change > 0 ? "more" : "less", base::format_size(before[before.size() / 2])),
             "look whether what is backed up changed so much; if it is to be so, it passes with the next "
             "few sets"));
    if (job.last_run) found.back().set = job.last_run->set;
}

void check_corrupt(const Job& job, std::vector<Finding>& found) {
    for (const auto& bad : job.corrupt) {
        const FindingKey key{FindingKind::corrupt, job.name, bad.place};
        const auto same =
            std::find_if(found.begin(), found.end(), [&key](const auto& each) { return each.key == key; });
        if (same != found.end()) {
            same->message += fmt::format("; {}: {}", bad.id.text(), bad.message);
            continue;
        }
        found.push_back(make(key, Severity::critical,
                             fmt::format("{} {} is corrupt: {}", bad.id.text(), in_place(bad.place), bad.message),
                             fmt::format("keep another good set of {}: pgbakctl list {}", job.name, job.name)));
        found.back().set = bad.id.text();
    }
}

void check_owed(const Job& job, base::Timestamp now, std::vector<Finding>& found) {
    for (const auto& owed : job.owed) {
        const auto age = now - owed.since;
        if (owed.count == 0 || (owed.message.empty() && age <= on_its_way)) continue;
        auto message = fmt::format("{} lacks {}, the oldest for {}: {}", owed.target, base::counted(owed.count, "set"),
                                   age_text(age), owed.oldest.text());
        if (!owed.message.empty()) message += "; " + owed.message;
        found.push_back(make({FindingKind::copy_owed, job.name, owed.target}, Severity::warning, std::move(message),
                             "it is sent again by itself; pgbakctl check --connect tries the target"));
        found.back().set = owed.oldest.text();
    }
}

void check_fires(const Job& job, const OpenFindings& before, base::Timestamp now, std::vector<Finding>& found) {
    const FindingKey key{FindingKind::fires_missed, job.name, {}};
    if (job.missed) {
        const auto count = job.missed->count;
        found.push_back(make(key, Severity::warning,
                             fmt::format("missed {}{} {}, the latest at {}", job.missed->more ? "more than " : "",
                                         count, count == 1 ? "fire" : "fires", job.missed->latest),
                             "the host or the daemon was not running then; catch_up says what is made up for"));
        return;
    }
    // It passes with the next good run.
    const auto* open = before.find(key);
    if (open == nullptr) return;
    // What a clock ahead has opened is over with any.
    const auto opened_at = open->opened_at > now ? base::Timestamp() : open->opened_at;
    if (!(job.last_success && *job.last_success > opened_at)) found.push_back(*open);
}

void check_repository(const Job& job, const OpenFindings& before, std::vector<Finding>& found) {
    const FindingKey key{FindingKind::other_repository, job.name, {}};
    if (const auto& other = job.other_repository)
        found.push_back(make(key, Severity::warning, other->message, other->hint));
    else if (const auto* open = before.find(key); open != nullptr && !job.is_compared)
        found.push_back(*open);
}

}  // namespace

std::string unseen_hint(const std::string& hint) {
    return hint.empty()
               ? "no set there can be restored, checked or expired until it can be read: look at its owner and mode, "
                 "and at the disk (dmesg)"
               : hint;
}

base::Timestamp too_old_from(const Job& job, const Place& place) {
    const auto since = place.newest ? std::max(place.newest->finished_at, place.known_since) : place.known_since;
    return since + job.max_age.value_or(std::chrono::milliseconds(0));
}

std::vector<Finding> evaluate_job(const Job& job, const OpenFindings& open, base::Timestamp now) {
    std::vector<Finding> found;
    check_last_run(job, found);
    for (const auto& place : job.places) {
        check_age(job, place, open, now, found);
        check_seen(job, place, found);
    }
    check_corrupt(job, found);
    check_unread(job, open, found);
    check_size(job, found);
    check_owed(job, now, found);
    check_fires(job, open, now, found);
    check_repository(job, open, found);
    return found;
}

}  // namespace pgbakd::health
