#include "config/milestones.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "model/names.hpp"

namespace pgbakd::config {
namespace {

constexpr std::size_t most_milestones = 1000;
constexpr std::string_view form = "{name: mvp_complete, at: \"2026-12-01 02:00\"}";

// The text of a key that must be there.
std::optional<std::string> text_of(Problems& problems, const Node& entry, std::string_view key,
                                   std::string_view words) {
    const auto* node = entry.find(key);
    if (node == nullptr) {
        problems.missing(entry, key, fmt::format("as in {}", form));
        return std::nullopt;
    }
    return node->refused ? std::nullopt : read_text(problems, *node, words);
}

void read_milestone(Problems& problems, const Node& entry, std::vector<model::Milestone>& milestones) {
    if (entry.refused) return;
    if (entry.kind != Node::Kind::map)
        return wrong_type(problems, entry, "a mapping with name and at", fmt::format("as in {}", form));
    for (const auto& child : entry.children)
        if (!child.refused && child.key != "name" && child.key != "at")
            problems.error_at_key(child, "unknown key", "keys here: name, at");
    const auto name = text_of(problems, entry, "name", "the name of a milestone");
    const auto date = text_of(problems, entry, "at", "a date and a time");
    if (name)
        if (const auto status = model::check_name("milestone", *name); !status)
            return problems.error(*entry.find("name"), status.error().message(), status.error().hint());
    auto at = date ? std::optional(model::parse_milestone_date(*date)) : std::nullopt;
    if (at && !*at) return problems.error(*entry.find("at"), at->error().message(), at->error().hint());
    if (!name || !at) return;
    for (const auto& other : milestones) {
        if (other.name == *name)
            return problems.error(*entry.find("name"), fmt::format("a second milestone named \"{}\"", *name),
                                  "give each a name of its own");
        // One run for both would have one name.
        if (other.at == **at)
            return problems.error(*entry.find("at"), fmt::format("the time of the milestone \"{}\" too", other.name),
                                  "give each a time of its own");
    }
    milestones.push_back({*name, **at});
}

void warn_of_past(Problems& problems, const JobSurroundings& around, const Node& list, const model::JobSpec& job) {
    const auto& all = job.milestones;
    const auto& host = around.host;
    const auto has_passed = [&](const model::Milestone& milestone, base::Instant by) {
        return !milestone.at.next_ever(by, *job.zone).has_value();
    };
    if (std::none_of(all.begin(), all.end(), [&](const auto& each) { return has_passed(each, host.now); })) return;
    std::vector<calendar::Schedule> known;
    if (host.dates_in_force) known = host.dates_in_force(around.config.state_file(), job);
    const auto is_known = [&known](const model::Milestone& milestone) {
        return std::find(known.begin(), known.end(), milestone.at) != known.end();
    };
    // With jitter, one that the daemon had when it was to come may be about to start.
    const auto reached = host.now - std::chrono::ceil<std::chrono::seconds>(job.jitter);
    const auto is_over = [&](const model::Milestone& each) {
        return has_passed(each, is_known(each) ? reached : host.now);
    };
    if (std::all_of(all.begin(), all.end(), is_over))
        return problems.warning(list, "all dates have passed: the job runs by name only", "add one that is to come");
    for (const auto& milestone : all)
        // What the daemon took over when it was to come is done or caught up, and may stay for the record.
        if (!is_known(milestone) && is_over(milestone))
            problems.warning(list,
                             fmt::format("\"{}\" ({}) lies in the past: nothing runs for it",
                                         model::milestone_date(milestone), milestone.name),
                             "leave it if it is done, or give it a later time");
}

// One instant is one slot, and its run has one name. Dates that are over run no more; and those that new rules of the
// zone brought together must not, at the next start, take all other jobs down.
void check_apart(Problems& problems, const JobSurroundings& around, const Node& list, const model::JobSpec& job) {
    std::map<base::Instant, const model::Milestone*> by_instant;
    for (std::size_t i = 0; i < job.milestones.size(); ++i) {
        const auto& milestone = job.milestones[i];
        const auto instant = milestone.at.next_ever(around.host.now, *job.zone);
        if (!instant) continue;
        const auto [found, is_first] = by_instant.emplace(*instant, &milestone);
        if (is_first) continue;
        const auto* at = list.children.size() == job.milestones.size() ? list.children[i].find("at") : nullptr;
        const auto message =
            fmt::format("milestones \"{}\" and \"{}\" fall on one instant, {}: one run has one name",
                        found->second->name, milestone.name, calendar::format_for_people(*instant, *job.zone));
        const std::string hint = "give one of them another time";
        if (around.host.was_in_force && around.host.was_in_force(around.config.state_file(), job))
            problems.warning(at != nullptr ? *at : list, message, hint);
        else
            problems.error(at != nullptr ? *at : list, message, hint);
    }
}

}  // namespace

Type<std::vector<model::Milestone>> milestones() {
    const std::string words = "a list of milestones";
    auto read = [words](Problems& problems, const Node& node, std::vector<model::Milestone>& value) {
        if (node.kind != Node::Kind::list)
            return wrong_type(problems, node, words, fmt::format("as in milestones: [{}]", form));
        if (node.children.size() > most_milestones)
            return problems.error(
                node, fmt::format("more than {} milestones (got {})", most_milestones, node.children.size()));
        for (const auto& entry : node.children) read_milestone(problems, entry, value);
    };
    auto write = [](const std::vector<model::Milestone>& value) {
        std::vector<std::string> entries;
        entries.reserve(value.size());
        for (const auto& milestone : value)
            entries.push_back(fmt::format("{{name: {}, at: {}}}", yaml_scalar(milestone.name),
                                          yaml_scalar(std::string(model::milestone_date(milestone)))));
        return entries.empty() ? std::string() : "[" + base::join(entries, ", ") + "]";
    };
    return {fmt::format("a list of `{}`", form), std::move(read), std::move(write)};
}

void check_milestones(Problems& problems, const JobSurroundings& around, const Node& node, const model::JobSpec& job) {
    const auto* list = node.usable("milestones");
    const auto* schedule = node.usable("schedule");
    if (list == nullptr || schedule == nullptr) return;
    if (job.schedule.kind() != calendar::ScheduleKind::milestone)
        return problems.error(*list, "only with schedule: milestone",
                              "pgbakctl milestone JOB NAME makes a milestone of any job by hand");
    for (const auto& milestone : job.milestones)
        if (milestone.at.never_fires(*job.zone))
            problems.error(*list, fmt::format("\"{}\" ({}) never comes: there is no such day in {}",
                                              model::milestone_date(milestone), milestone.name, job.zone->name()));
    check_apart(problems, around, *list, job);
    if (!job.milestones.empty()) warn_of_past(problems, around, *list, job);
}

}  // namespace pgbakd::config
