#include "health/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "base/units.hpp"
#include "health/evaluate_job.hpp"

namespace pgbakd::health {
namespace {

using model::Finding;
using model::FindingKey;
using model::FindingKind;
using model::Severity;

// A channel that fails for a moment is tried again before anybody is told.
constexpr std::chrono::minutes passing{10};

// Room that comes and goes about a limit would be told each time: what is open stays so for a little longer.
constexpr int usage_slack = 2;  // percent
constexpr double free_slack = 1.05;

Finding warning(FindingKey key, std::string message, std::string hint) {
    return {std::move(key), Severity::warning, {}, std::move(message), std::move(hint), {}, {}, {}};
}

// Which places lie on one file system, as far as that is known: how full it is is told once. It stays told of the place
// that it was told of already, also while only another one there can be looked at.
class FileSystems {
  public:
    FileSystems(const Inputs& inputs, const OpenFindings& before) {
        for (const auto& directory : inputs.directories)
            add(directory.file_system, directory.path.string(), directory.problem.empty(), before);
        for (const auto& target : inputs.rooms)
            add(target.room ? target.room->file_system : target.file_system, target.target, target.room.has_value(),
                before);
    }

    // Whether this is the first place there that is looked at.
    [[nodiscard]] bool enter(const std::string& file_system) {
        return file_system.empty() || entered_.insert(file_system).second;
    }
    // The place of the finding about it.
    [[nodiscard]] std::string told_of(const std::string& file_system, const std::string& place) const {
        const auto told = told_.find(file_system);
        return told == told_.end() ? place : told->second;
    }
    // Whether any place there can be looked at.
    [[nodiscard]] bool is_seen(const std::string& file_system) const { return seen_.contains(file_system); }

  private:
    void add(const std::string& file_system, const std::string& place, bool is_seen, const OpenFindings& before) {
        if (file_system.empty()) return;
        if (is_seen) seen_.insert(file_system);
        if (before.find({FindingKind::disk_usage, {}, place}) != nullptr) told_.emplace(file_system, place);
    }

    std::set<std::string> seen_, entered_;
    std::map<std::string, std::string> told_;
};

// How full a place is. `key` is the place of its finding, `name` what messages call it.
void check_usage(const std::string& key, const std::string& name, std::uint64_t available, std::uint64_t total,
                 int disk_usage, const OpenFindings& open, std::vector<Finding>& found) {
    if (total == 0) return;
    const FindingKey usage{FindingKind::disk_usage, {}, key};
    const double used = 100 * (1 - std::min(1.0, static_cast<double>(available) / static_cast<double>(total)));
    if (used <= disk_usage - (open.find(usage) != nullptr ? usage_slack : 0)) return;
    found.push_back(warning(usage,
                            fmt::format("the file system of {} is {:.0f} % full: {} of {} available", name, used,
                                        base::format_size(available), base::format_size(total)),
                            "shorten the retention, or give it more room; health.disk_usage sets the limit"));
}

// Whether less is left than is needed: a little more has to be there before it is well again.
bool is_short(const FindingKey& key, std::uint64_t available, std::uint64_t least, const OpenFindings& open) {
    return static_cast<double>(available) < static_cast<double>(least) * (open.find(key) != nullptr ? free_slack : 1);
}

void check_room(const Directory& directory, const std::string& told_of, int disk_usage, const OpenFindings& open,
                std::vector<Finding>& found) {
    const auto place = directory.path.string();
    check_usage(told_of, place, directory.available, directory.total, disk_usage, open, found);
    const FindingKey room{FindingKind::free_space, {}, place};
    if (is_short(room, directory.available, directory.min_free, open))
        found.push_back(
            warning(room,
                    fmt::format("{} has {} available, {} are to be left: a run that needs more does not start", place,
                                base::format_size(directory.available), base::format_size(directory.min_free)),
                    "pgbakctl prune shows what is kept and why; repository.min_free sets the limit"));
}

// The job whose last set takes most of those with copies there; nothing if none is known.
const Job* largest_of(const std::vector<Job>& jobs, const std::string& target) {
    const Job* largest = nullptr;
    for (const auto& job : jobs) {
        const bool has_copies = std::ranges::find(job.places, target, &Place::name) != job.places.end();
        if (!has_copies || job.sizes.empty() || job.sizes.front() == 0) continue;
        if (largest == nullptr || job.sizes.front() > largest->sizes.front()) largest = &job;
    }
    return largest;
}

void check_target(const TargetRoom& target, const Inputs& inputs, FileSystems& systems, const OpenFindings& open,
                  std::vector<Finding>& found) {
    const auto name = fmt::format("target {} ({})", target.target, target.place);
    const auto& file_system = target.room->file_system;
    if (systems.enter(file_system))
        check_usage(systems.told_of(file_system, target.target), name, target.room->available, target.room->total,
                    inputs.disk_usage, open, found);
    const auto* job = largest_of(inputs.jobs, target.target);
    const FindingKey room{FindingKind::free_space, {}, target.target};
    if (job != nullptr && is_short(room, target.room->available, job->sizes.front(), open))
        found.push_back(warning(
            room,
            fmt::format("{} has {} available, and the last set of {} takes {}: a copy may not fit", name,
                        base::format_size(target.room->available), job->name, base::format_size(job->sizes.front())),
            "pgbakctl prune shows what is kept there and why"));
}

Finding incomplete(const std::string& place, const std::string& message, const std::string& hint) {
    return warning({FindingKind::check_incomplete, {}, place}, message, hint);
}

// What is open of a place that could not be looked at stays so, but for its file system if another place there could.
void keep_room(const std::string& place, bool is_seen, const OpenFindings& before, std::vector<Finding>& found) {
    for (const auto kind : {FindingKind::disk_usage, FindingKind::free_space})
        if (const auto* open = before.find({kind, {}, place}))
            if (!is_seen || kind != FindingKind::disk_usage) found.push_back(*open);
}

void check_directories(const Inputs& inputs, const OpenFindings& before, std::vector<Finding>& found) {
    FileSystems systems(inputs, before);
    for (const auto& directory : inputs.directories) {
        if (!directory.problem.empty()) {
            const auto place = directory.path.string();
            found.push_back(incomplete(place, directory.problem, {}));
            keep_room(place, false, before, found);
            continue;
        }
        if (!systems.enter(directory.file_system)) continue;
        const auto told_of = systems.told_of(directory.file_system, directory.path.string());
        check_room(directory, told_of, inputs.disk_usage, before, found);
    }
    for (const auto& target : inputs.rooms) {
        if (target.room)
            check_target(target, inputs, systems, before, found);
        else if (!target.answered)
            keep_room(target.target, systems.is_seen(target.file_system), before, found);
    }
}

void check_channels(const Inputs& inputs, std::vector<Finding>& found) {
    for (const auto& channel : inputs.channels) {
        const auto age = std::max(inputs.now - channel.oldest, std::chrono::milliseconds(0));
        const bool fails = channel.waiting > 0 && channel.attempts > 0 && (channel.attempts >= 3 || age > passing);
        if (!fails && channel.lost.empty()) continue;
        auto message = fmt::format("alerts for {} are lost: {}", channel.name, channel.lost);
        if (fails)
            message = fmt::format("{} {} for {}, the oldest for {}: {}", base::counted(channel.waiting, "alert"),
                                  channel.waiting == 1 ? "waits" : "wait", channel.name, base::format_duration(age),
                                  channel.message);
        found.push_back(warning({FindingKind::channel_failing, {}, channel.name}, std::move(message),
                                fmt::format("pgbakctl test-alert {} tries it", channel.name)));
    }
}

void check_reload(const Inputs& inputs, std::vector<Finding>& found) {
    if (!inputs.refused_reload) return;
    const auto& refused = *inputs.refused_reload;
    auto message = "the configuration on disk is refused, the one before is in force: " + refused.first;
    if (refused.problems > 1) message += fmt::format(" (and {} more)", base::counted(refused.problems - 1, "problem"));
    found.push_back(
        warning({FindingKind::reload_refused, {}, {}}, std::move(message), "pgbakctl check shows all of it"));
}

bool was_looked_at(const Inputs& inputs, const FindingKey& key) {
    if (inputs.everything) return true;
    return std::any_of(inputs.jobs.begin(), inputs.jobs.end(), [&key](const Job& job) { return job.name == key.job; });
}

}  // namespace

std::vector<Finding> evaluate(const Inputs& inputs) {
    const OpenFindings before(inputs.open);
    std::vector<Finding> found;
    for (const auto& job : inputs.jobs)
        for (auto& finding : evaluate_job(job, before, inputs.now)) found.push_back(std::move(finding));
    if (inputs.everything) {
        // First: of one place the first finding stands, and that a directory's room is not known is the lesser trouble.
        for (const auto& unseen : inputs.unseen) {
            found.push_back(incomplete(unseen.place, unseen.message, unseen_hint(unseen.hint)));
            found.back().severity = Severity::critical;
        }
        check_directories(inputs, before, found);
        const FindingKey other{FindingKind::other_repository, {}, {}};
        if (inputs.other_repository)
            found.push_back(warning(other, inputs.other_repository->message, inputs.other_repository->hint));
        else if (const auto* open = before.find(other); open != nullptr && !inputs.is_compared)
            found.push_back(*open);
        check_reload(inputs, found);
        check_channels(inputs, found);
    }
    for (const auto& open : inputs.open)
        if (!was_looked_at(inputs, open.key)) found.push_back(open);
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    found.erase(std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key == b.key; }),
                found.end());
    return found;
}

std::optional<base::Timestamp> next_change(const Inputs& inputs) {
    std::optional<base::Timestamp> next;
    for (const auto& job : inputs.jobs)
        for (const auto& place : job.places) {
            if (!job.max_age) continue;
            // It is old behind that instant, not at it.
            const auto at = too_old_from(job, place) + std::chrono::milliseconds(1);
            if (at > inputs.now && (!next || at < *next)) next = at;
        }
    return next;
}

}  // namespace pgbakd::health
