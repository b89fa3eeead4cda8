#include "health/collect.hpp"

#include <algorithm>
#include <map>

#include "alert/later.hpp"
#include "calendar/schedule_key.hpp"
#include "health/healthz.hpp"
#include "holdings/identity.hpp"
#include "os/file.hpp"

namespace pgbakd::health {
namespace {

using base::Error;

// The newest success, and the seven that it is compared with.
constexpr int sizes_compared = 8;

using Since = std::map<std::pair<std::string, std::string>, base::Timestamp>;

// Of all jobs at once: those that are not named are forgotten.
Since know_places(const Surroundings& around, base::Timestamp now) {
    std::vector<catalog::Catalog::KnownPlace> places;
    for (const auto& job : around.config.jobs)
        for (const auto& place : places_of(*job))
            places.push_back({job->name, place, calendar::schedule_key(job->schedule, *job->zone)});
    try {
        return around.catalog.know_places(places, now);
    } catch (const Error&) {
        // A full disk: what is known already is read. Who was to record what is found says why nothing can be.
        Since since;
        for (const auto& job : around.config.jobs)
            for (auto& [place, time] : around.catalog.known_since(job->name)) since[{job->name, place}] = time;
        return since;
    }
}

// Which sets were found corrupt, by what was read of them after their run.
std::map<std::string, std::vector<catalog::SetState>> corrupt_sets(catalog::Catalog& catalog) {
    std::map<std::string, std::vector<catalog::SetState>> result;
    for (auto& state : catalog.corrupt_sets()) result[state.id.job].push_back(std::move(state));
    return result;
}

std::map<std::string, std::vector<catalog::Copy>> owed_copies(catalog::Catalog& catalog) {
    std::map<std::string, std::vector<catalog::Copy>> result;
    for (auto& copy : catalog.owed_copies()) result[copy.id.job].push_back(std::move(copy));
    return result;
}

// What a look at one job needs, without asking for what is of the others: it comes after each run.
Since known_since(catalog::Catalog& catalog, const std::string& job) {
    Since since;
    for (const auto& [place, time] : catalog.known_since(job)) since.emplace(std::pair(job, place), time);
    return since;
}

std::vector<catalog::Copy> owed_copies(catalog::Catalog& catalog, const std::string& job) {
    auto copies = catalog.copies(job);
    std::erase_if(copies, [](const catalog::Copy& copy) { return !copy.owed; });
    return copies;
}

// When the run ended that made the set; when it began, where that is not known.
base::Timestamp finish_of(catalog::Catalog& catalog, const catalog::Copy& copy) {
    if (!copy.run.empty())
        if (const auto run = catalog.run(copy.run)) return std::max(run->finished_at, copy.started_at);
    return copy.started_at;
}

bool is_good(const catalog::Copy& copy) {
    return !copy.owed && copy.complete && copy.host.empty() && copy.verified >= model::Verification::decoded;
}

// As Catalog has it of one that a check speaks against.
bool is_corrupt(const catalog::Copy& copy) {
    return !copy.owed && copy.complete && copy.host.empty() && copy.verified == model::Verification::none;
}

// Of a job, or of the whole. What cannot be read is told by whoever looks for sets there, and known to be neither.
std::optional<OtherRepository> other_repository(const Surroundings& around, bool& is_known,
                                                const std::optional<std::string>& job = std::nullopt) {
    try {
        const auto identity = job ? holdings::identify(around.repository, around.catalog, *job)
                                  : holdings::identify(around.repository, around.catalog);
        is_known = identity.whose != holdings::Whose::unknown;
        if (identity.whose != holdings::Whose::another) return std::nullopt;
        return OtherRepository{identity.what + ": nothing is pruned there, and no copy that is owed is given up",
                               identity.hint};
    } catch (const Error&) {
        is_known = false;
        return std::nullopt;
    }
}

// A set that a clock ahead made is as old as can be told: of its age it says nothing.
base::Timestamp at_most(base::Timestamp time, base::Timestamp now, base::Timestamp known_since) {
    constexpr std::chrono::hours step{1};  // what a clock is put right by in passing
    if (time <= now) return time;
    return time - now <= step ? now : known_since;
}

void take_over(Job& job, const model::RunReport& run) {
    using model::Outcome;
    const bool is_good = run.outcome == Outcome::success || run.outcome == Outcome::warning;
    if (!is_good && run.outcome != Outcome::failed && run.outcome != Outcome::interrupted) return;
    job.last_run = {run.outcome, run.set, run.error ? run.error->message : std::string(),
                    run.error ? run.error->hint : std::string()};
    if (is_good) job.last_success = run.finished_at;
}

class JobCollector {
  public:
    JobCollector(const Surroundings& around, base::Timestamp now, const model::JobSpec& spec)
        : around_(around), now_(now), spec_(spec) {
        job_.name = spec.name;
        job_.size_change = spec.size_change;
        job_.max_age = max_age_of(spec, now);
    }

    void add_places(const Since& since, const std::vector<catalog::SetState>& corrupt) {
        for (const auto& name : places_of(spec_)) {
            Place place;
            place.name = name;
            const auto known = since.find({spec_.name, name});
            place.known_since = known == since.end() ? now_ : std::min(known->second, now_);
            if (name == local_place)
                look_local(place, corrupt);
            else
                look_at_copies(place);
            if (place.newest) place.newest->finished_at = at_most(place.newest->finished_at, now_, place.known_since);
            job_.places.push_back(std::move(place));
        }
        note_corrupt(corrupt);
    }
    void add_history() {
        job_.sizes = around_.catalog.sizes_of_last_successes(spec_.name, sizes_compared, now_);
        const auto last = around_.catalog.last_verdict(spec_.name, now_);
        if (!last) return;
        take_over(job_, *last);
        if (job_.last_success) return;
        if (const auto success = around_.catalog.success_before(*last)) job_.last_success = success->finished_at;
    }
    void add_owed(const std::vector<catalog::Copy>& copies) {
        std::map<std::string, Owed> by_target;
        for (const auto& copy : copies) {
            if (copy.message.empty() && around_.running.contains(spec_.name)) continue;
            auto& owed = by_target[copy.target];
            if (owed.count++ == 0 || copy.since < owed.since) {
                owed.target = copy.target;
                owed.oldest = copy.id;
                owed.since = copy.since;
            }
            if (!copy.message.empty()) owed.message = copy.message;
        }
        for (auto& [target, owed] : by_target) job_.owed.push_back(std::move(owed));
    }
    void compare_directory(bool is_whole_ours) {
        job_.is_compared = is_whole_ours;
        if (is_whole_ours) job_.other_repository = other_repository(around_, job_.is_compared, spec_.name);
    }
    [[nodiscard]] Job take() { return std::move(job_); }

  private:
    void look_local(Place& place, const std::vector<catalog::SetState>& corrupt) const {
        const auto accept = [&corrupt](const repository::StoredSet& set) {
            const auto is_it = [&set](const catalog::SetState& state) { return state.id == set.manifest.id; };
            return set.manifest.verified() >= model::Verification::decoded &&
                   std::none_of(corrupt.begin(), corrupt.end(), is_it);
        };
        try {
            const auto newest = around_.repository.newest(spec_.name, now_, accept);
            if (newest) place.newest = {newest->manifest.id, newest->manifest.finished_at};
        } catch (const Error& error) {
            place.looked_at = false;
            place.problem = error.message();
            place.hint = error.hint();
        }
        if (!place.looked_at) place.newest = newest_made();
    }
    // What was made is there until the disk says otherwise: it ages while nobody can look.
    [[nodiscard]] std::optional<GoodSet> newest_made() const {
        const auto run = around_.catalog.newest_made(spec_.name, now_);
        if (!run) return std::nullopt;
        const auto id = model::SetId::parse(run->set);
        if (!id) return std::nullopt;
        return GoodSet{*id, run->finished_at};
    }
    void look_at_copies(Place& place) {
        if (!copies_) copies_ = around_.catalog.copies(spec_.name);
        const catalog::Copy* newest = nullptr;
        // What a clock ahead has dated hides none that came after it was put right.
        const auto order = [this](const catalog::Copy& copy) {
            return std::pair(copy.started_at <= now_, copy.started_at);
        };
        for (const auto& copy : *copies_)
            if (copy.target == place.name && is_good(copy) && (newest == nullptr || order(copy) > order(*newest)))
                newest = &copy;
        if (newest != nullptr) place.newest = {newest->id, finish_of(around_.catalog, *newest)};
        for (const auto& copy : *copies_)
            if (copy.target == place.name && is_corrupt(copy))
                job_.corrupt.push_back({copy.id, place.name, "a check found this copy damaged"});
    }
    // What was removed by hand is not a corrupt set any more.
    void note_corrupt(const std::vector<catalog::SetState>& corrupt) {
        if (corrupt.empty()) return;
        std::vector<model::SetId> there;
        try {
            there = around_.repository.ids(spec_.name);
        } catch (const Error&) {
            for (const auto& state : corrupt) there.push_back(state.id);  // not seen: as it was known
        }
        for (const auto& state : corrupt)
            if (std::find(there.begin(), there.end(), state.id) != there.end())
                job_.corrupt.push_back({state.id, std::string(local_place), state.message});
    }

    const Surroundings& around_;
    base::Timestamp now_;
    const model::JobSpec& spec_;
    Job job_;
    std::optional<std::vector<catalog::Copy>> copies_;
};

// Whether it is the repository that cannot be looked at, and not directories of jobs in it: then that is told once.
void look_at_repository(const repository::Repository& repository, Inputs& inputs) {
    std::vector<Place*> unseen;
    for (auto& job : inputs.jobs)
        for (auto& place : job.places)
            if (!place.problem.empty()) unseen.push_back(&place);
    if (unseen.empty()) return;
    const auto& top = repository.directory();
    try {
        (void)os::list_directory(top);
        (void)os::file_status(top / ".");  // what is in it may be out of reach although its names are not
        return;
    } catch (const Error& error) {
        inputs.unseen.push_back({top.string(), error.message(), error.hint()});
    }
    for (auto* place : unseen) place->problem.clear();
}

Directory look_at(const std::filesystem::path& path, std::uint64_t min_free) {
    Directory directory;
    directory.path = path;
    directory.min_free = min_free;
    try {
        const auto space = os::free_space(path);
        directory.total = space.total;
        directory.available = space.available;
        directory.file_system = os::mount_point(path).string();
    } catch (const Error& error) {
        directory.problem = error.message();
    }
    return directory;
}

void add_backlog(Channel& channel, const catalog::Backlog& backlog) {
    channel.oldest = channel.waiting == 0 ? backlog.oldest : std::min(channel.oldest, backlog.oldest);
    channel.waiting += backlog.waiting;
    // A recipient who is deferred for a while makes no failing channel, however often that was tried: only if it lasts.
    const bool is_later = alert::channel_of(backlog.channel).size() != backlog.channel.size();
    channel.attempts = std::max(channel.attempts, is_later ? std::min(backlog.attempts, 1) : backlog.attempts);
    if (channel.message.empty()) channel.message = backlog.message;
}

void add_everything_else(const Surroundings& around, Inputs& inputs) {
    const auto& config = around.config;
    inputs.disk_usage = config.health.disk_usage;
    inputs.directories.push_back(look_at(config.repository.directory, config.repository.min_free));
    inputs.directories.push_back(look_at(config.reports_directory, 0));
    inputs.rooms = around.rooms;
    std::map<std::string, Channel> channels;
    for (const auto& [name, spec] : config.channels) channels[name].name = name;
    // What waits for single recipients comes behind what waits for the channel.
    for (const auto& backlog : around.catalog.alert_backlog())
        if (const auto channel = channels.find(std::string(alert::channel_of(backlog.channel)));
            channel != channels.end())
            add_backlog(channel->second, backlog);
    for (const auto& state : around.catalog.channel_states())
        if (const auto channel = channels.find(state.channel);
            channel != channels.end() && state.lost_at != base::Timestamp{})
            channel->second.lost = state.message;
    for (auto& [name, channel] : channels) inputs.channels.push_back(std::move(channel));
}

template <class Value>
const std::vector<Value>& of_job(const std::map<std::string, std::vector<Value>>& all, const std::string& job) {
    static const std::vector<Value> none;
    const auto found = all.find(job);
    return found == all.end() ? none : found->second;
}

}  // namespace

std::optional<std::chrono::milliseconds> max_age_of(const model::JobSpec& spec, base::Timestamp now) {
    if (spec.schedule.is_timed() && !spec.schedule.next_ever(base::to_instant(now), *spec.zone)) return std::nullopt;
    return spec.max_age;
}

void add_missed(Inputs& inputs, const std::map<std::string, MissedFires>& missed) {
    for (auto& job : inputs.jobs)
        if (const auto found = missed.find(job.name); found != missed.end()) job.missed = found->second;
}

void add_tried(Inputs& inputs, const TriedSets& tried, const repository::Repository& repository) {
    for (auto& job : inputs.jobs) {
        const model::FindingKey key{model::FindingKind::check_incomplete, job.name, std::string(local_place)};
        const auto open = std::ranges::find(inputs.open, key, &model::Finding::key);
        std::optional<model::SetId> known;
        if (open != inputs.open.end())
            if (const auto id = model::SetId::parse(open->set)) known = *id;
        for (const auto& [id, attempt] : tried)
            if (id.job == job.name && !attempt.message.empty()) job.unread.push_back({id, attempt.message});
        job.was_read = !known || tried.contains(*known);
        if (job.unread.empty() && job.was_read) continue;
        try {
            const auto there = repository.ids(job.name);
            const auto is_gone = [&there](const model::SetId& id) {
                return std::find(there.begin(), there.end(), id) == there.end();
            };
            std::erase_if(job.unread, [&is_gone](const UnreadSet& each) { return is_gone(each.id); });
            job.was_read = job.was_read || is_gone(*known);
        } catch (const Error&) {
            continue;  // as it was known
        }
    }
}

void add_run(Inputs& inputs, const model::RunReport& run) {
    for (auto& job : inputs.jobs)
        if (job.name == run.job) take_over(job, run);
}

Inputs collect(const Surroundings& surroundings, base::Timestamp now, const std::optional<std::string>& job) {
    Inputs inputs;
    inputs.now = now;
    inputs.everything = !job;
    auto& catalog = surroundings.catalog;
    inputs.other_repository = other_repository(surroundings, inputs.is_compared);
    const auto add = [&](const model::JobSpec& spec, const Since& since, const std::vector<catalog::SetState>& corrupt,
                         const std::vector<catalog::Copy>& owed) {
        JobCollector collector(surroundings, now, spec);
        collector.add_places(since, corrupt);
        collector.add_history();
        collector.add_owed(owed);
        collector.compare_directory(!inputs.other_repository);
        inputs.jobs.push_back(collector.take());
    };
    if (job) {
        if (const auto spec = surroundings.config.job(*job))
            add(*spec, known_since(catalog, *job), catalog.corrupt_sets(job), owed_copies(catalog, *job));
    } else {
        const auto since = know_places(surroundings, now);
        const auto corrupt = corrupt_sets(catalog);
        const auto owed = owed_copies(catalog);
        for (const auto& spec : surroundings.config.jobs)
            add(*spec, since, of_job(corrupt, spec->name), of_job(owed, spec->name));
        add_everything_else(surroundings, inputs);
    }
    look_at_repository(surroundings.repository, inputs);
    inputs.open = catalog.told_findings(job);
    return inputs;
}

}  // namespace pgbakd::health
