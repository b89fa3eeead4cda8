#include "service/copy_sender.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/timer.hpp"
#include "base/units.hpp"
#include "holdings/corruption.hpp"
#include "offsite/backlog.hpp"
#include "offsite/owed_set.hpp"
#include "offsite/remote_sets.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::minutes catalog_pause{1};
constexpr std::chrono::hours stale_after{24};
constexpr std::chrono::hours sweep_patience{1};  // for one target

std::vector<Field> fields_of(const catalog::Copy& copy) {
    return {{"PGBAKD_JOB", copy.id.job}, {"PGBAKD_SET", copy.id.text()}, {"PGBAKD_TARGET", copy.target}};
}

}  // namespace

asio::awaitable<void> CopySender::send(async::StopToken stop) {
    std::exception_ptr over;
    while (!over) {
        try {
            auto* catalog = core_.catalog.get();
            const auto read = [catalog] { return catalog->owed_copies(); };
            std::optional<base::Timestamp> later;
            std::optional<base::Error> unreadable;
            std::vector<catalog::Copy> owed;
            try {
                owed = co_await async::run_blocking(core_.pool, read);
                told_unreadable_ = false;
            } catch (const base::Error& error) {
                unreadable = error;
            }
            stop.check();
            if (unreadable) {
                if (!std::exchange(told_unreadable_, true))
                    core_.log.problem(Priority::warning, unreadable->during("reading which copies are owed"));
                later = core_.clock.now() + catalog_pause;
            }
            // What a run is sending is that run's.
            std::erase_if(owed,
                          [this](const auto& copy) { return core_.targets->is_claimed(copy.target, copy.id.text()); });
            auto next = offsite::next_sends(owed, busy_, core_.clock.now());
            for (auto& copy : next.now) {
                const ClaimPtr claim = core_.targets->claim(copy.target, copy.id.text());
                busy_.insert(copy.target);
                tasks_.spawn(send_one(std::move(copy), claim, stop));
            }
            if (!later) later = next.later;
            co_await wait(later, stop);
        } catch (...) {
            over = std::current_exception();
        }
    }
    co_await tasks_.settle();  // each has told its failure
    std::rethrow_exception(over);
}

asio::awaitable<void> CopySender::sweep(async::StopToken stop) {
    for (;;) {
        const auto config = core_.config;
        // At once: one that hangs holds up no other.
        async::TaskGroup sweeps(core_.io.get_executor());
        sweeps.spawn(local_sets_.drop_all(stop));
        for (const auto& [name, target] : config->targets) sweeps.spawn(sweep_one(name, stop));
        co_await sweeps.join();
        co_await async::sleep_for(std::chrono::hours(24), stop);
    }
}

asio::awaitable<void> CopySender::sweep_one(std::string name, async::StopToken stop) {
    const async::Deadline deadline(core_.io.get_executor(), stop, sweep_patience, "sweeping " + name);
    std::exception_ptr failure, no_halves;
    target::Swept swept;
    std::size_t halves = 0;
    try {
        const auto target = co_await core_.targets->open(name);
        try {
            swept = co_await target->sweep(core_.clock.now() - stale_after, deadline.token());
        } catch (...) {
            failure = std::current_exception();
        }
        halves = co_await sweep_halves(name, target, deadline.token());
    } catch (...) {
        no_halves = std::current_exception();
    }
    stop.check();
    tell_unswept(name, failure);
    tell_unswept(name, no_halves);
    if (swept.uploads > 0)
        core_.log.write(Priority::info, fmt::format("removed {} unfinished uploads from {}: {}", swept.uploads, name,
                                                    base::format_size(swept.bytes)));
    if (halves > 0)
        core_.log.write(
            Priority::info,
            fmt::format("removed {} from {}", halves == 1 ? "half a set" : fmt::format("{} half sets", halves), name));
}

// A target that is away, or does not allow it, is swept another day; what is wrong with it is told.
void CopySender::tell_unswept(const std::string& name, const std::exception_ptr& failure) {
    if (!failure) return;
    const auto error = base::to_error(failure);
    const bool wrong = error.code() == base::ErrorCode::server_error || error.code() == base::ErrorCode::timed_out;
    if (wrong && !error.is_passing())
        core_.log.problem(Priority::warning, error.during(fmt::format("target {}: sweeping what is unfinished", name)));
}

// What an upload that was given up has left: of a run that failed or was killed, or whose set was removed since or is
// corrupt; and what stands in the way of a copy that is owed and was not begun. Of our jobs alone: what else looks like
// half a set may be anybody's.
asio::awaitable<std::size_t> CopySender::sweep_halves(std::string name, offsite::TargetPtr target,
                                                      async::StopToken stop) {
    auto* core = &core_;
    const auto config = core_.config;
    const auto read_jobs = [core, config] {
        std::set<std::string> names;
        for (const auto& job : config->jobs) names.insert(job->name);
        for (const auto& [job, time] : core->catalog->last_success(core->clock.now())) names.insert(job);
        return names;
    };
    const auto jobs = co_await async::run_blocking(core_.pool, read_jobs);
    const auto sets = co_await offsite::remote_sets(*target, std::nullopt, stop);
    std::size_t removed = 0;
    const auto halves = co_await offsite::find_stale_halves(*target, sets, core_.clock.now(), stop);
    for (const auto& id : halves) {
        if (!jobs.contains(id.job)) continue;
        // Held while it is looked at and removed; who sends it has it meanwhile.
        const auto claim = core_.targets->claim(name, id.text());
        if (!claim) continue;
        const auto look = [core, name, id] {
            return offsite::is_half_of_use(core->repository, *core->catalog, name, id);
        };
        const bool of_use = co_await async::run_blocking(core_.pool, look);
        if (of_use) continue;
        const bool gone = co_await offsite::remove_half(*target, id, stop);
        if (gone) ++removed;
    }
    changed_.notify();
    co_return removed;
}

asio::awaitable<void> CopySender::wait(std::optional<base::Timestamp> until, async::StopToken stop) {
    if (!until) {
        co_await changed_.wait(stop);
        co_return;
    }
    const auto pause = std::max(*until - core_.clock.now(), base::Timestamp::duration(std::chrono::seconds(1)));
    co_await async::wait_at_most(changed_, pause, stop);
}

// Empty if it is still wanted.
std::string CopySender::no_longer_wanted(const catalog::Copy& copy) const {
    if (!core_.targets->has(copy.target)) return "the configuration has no such target any more";
    const auto job = core_.config->job(copy.id.job);
    if (!job) return "the configuration has no such job any more";
    if (std::find(job->targets.begin(), job->targets.end(), copy.target) == job->targets.end())
        return "the job has no such target any more";
    return {};
}

asio::awaitable<void> CopySender::send_one(catalog::Copy copy, ClaimPtr claim, async::StopToken stop) {
    const auto target = copy.target;
    std::exception_ptr failure;
    try {
        if (auto why = no_longer_wanted(copy); !why.empty())
            co_await strike(copy, std::move(why), stop);
        else
            co_await attempt(copy, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const auto error = base::to_error(failure);
        failure = nullptr;
        try {
            if (stop.stopped())
                co_await put(copy);  // how far it came: the next start goes on from there
            else
                co_await failed(std::move(copy), error);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) core_.log.problem(Priority::warning, base::to_error(failure).during("recording an owed copy"));
    }
    busy_.erase(target);
    claim.reset();
    changed_.notify();
}

// Nothing if the local set turned out to be corrupt: then it is owed still, and that was told.
asio::awaitable<std::optional<offsite::Assured>> CopySender::send_set(catalog::Copy& copy,
                                                                      const repository::StoredSet& set,
                                                                      async::StopToken stop) {
    const auto target = co_await core_.targets->open(copy.target);
    const offsite::Means means{*target, core_.pool, core_.services->random};
    async::TaskGroup notes(core_.io.get_executor());
    offsite::Way way;
    way.unfinished = copy.unfinished;
    way.checkpoint = copy.checkpoint;
    way.begun = copy.begun;
    way.trying = copy.tried;
    bool outdated = false, recording = false;
    way.on_change = [&] {
        outdated = outdated || way.begun != copy.begun || way.tried() != copy.tried;
        copy.tried = way.tried();
        copy.unfinished = way.unfinished;
        copy.checkpoint = way.checkpoint;
        copy.begun = way.begun;
        // At once: a crash would make what lies there somebody else's.
        if (outdated && !recording) notes.spawn(record(copy, outdated, recording));
    };
    offsite::Assured assured{};
    std::exception_ptr failure;
    try {
        assured = co_await offsite::send_set(means, core_.io.get_executor(), set.directory, set.manifest, way, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await notes.settle();  // what comes of the attempt is recorded too, or told
    if (!way.corrupt.empty()) {
        copy.unfinished.clear();
        copy.checkpoint.clear();
        co_await mark_corrupt(copy.id, way.corrupt);
        const auto error = offsite::held_as_corrupt(copy.id, way.corrupt);
        co_await hold(copy, error);
        co_return std::nullopt;
    }
    if (failure) std::rethrow_exception(failure);
    co_return assured;
}

asio::awaitable<void> CopySender::attempt(catalog::Copy& copy, async::StopToken stop) {
    const auto began = core_.clock.steady();
    const auto* repository = &core_.repository;
    auto* catalog = core_.catalog.get();
    const auto find = [repository, catalog, id = copy.id] { return offsite::find_owed_set(*repository, *catalog, id); };
    const auto found = co_await async::run_blocking(core_.pool, find);
    if (found.held) {
        co_await hold(copy, *found.held);
        co_return;
    }
    if (!found.set) {
        const std::string why = "the local set is not there";
        co_await strike(copy, why, stop);
        co_return;
    }
    const auto assured = co_await send_set(copy, *found.set, stop);
    if (!assured) co_return;
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(core_.clock.now() - copy.since);
    copy.owed = false;
    copy.since = core_.clock.now();
    copy.assurance = offsite::assured_text(*assured);
    copy.message.clear();
    copy.unfinished.clear();
    copy.checkpoint.clear();
    copy.tried.clear();
    co_await put(copy);
    const auto hasten = [catalog, name = copy.target, now = core_.clock.now()] { catalog->hasten_copies(name, now); };
    co_await async::run_blocking(core_.pool, hasten);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(core_.clock.steady() - began);
    core_.log.write(
        Priority::info,
        fmt::format("{}: the copy of {} owed to {} is sent: {} in {}, after {}", copy.id.job, copy.id.set, copy.target,
                    base::format_size(copy.bytes), base::format_duration(took), base::format_duration(waited)),
        std::nullopt, fields_of(copy));
    // Beside it: another target that does not answer must not hold up what is owed to this one.
    tasks_.spawn(drop_local(copy.id, copy.target, stop));
}

asio::awaitable<void> CopySender::drop_local(model::SetId id, std::string has_it, async::StopToken stop) {
    (void)co_await local_sets_.drop(std::move(id), std::move(has_it), std::move(stop));
}

// So that it counts nowhere any more, and is not read to that place once more by each attempt.
asio::awaitable<void> CopySender::mark_corrupt(model::SetId id, std::string message) {
    auto* core = &core_;
    const auto mark = [core, id, now = core_.clock.now(), message] {
        holdings::mark_corrupt(core->repository, *core->catalog, id, now, message);
    };
    std::exception_ptr failure;
    try {
        co_await async::run_blocking(core_.pool, mark);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure)
        core_.log.problem(Priority::warning,
                          base::to_error(failure).during(id.text() + ": recording that it is corrupt"));
}

// The set here keeps it from being sent, and no attempt will change that by itself: told once.
asio::awaitable<void> CopySender::hold(catalog::Copy copy, base::Error error) {
    const bool news = copy.message != error.message();
    ++copy.attempts;
    copy.message = error.message();
    copy.next_attempt = offsite::retry_at(copy.attempts, core_.clock.now(), core_.services->random());
    if (news)
        core_.log.problem(error.code() == base::ErrorCode::corrupt ? Priority::error : Priority::warning,
                          {error.code(),
                           fmt::format("{}: the copy of {} stays owed to {}, and cannot be sent: {}", copy.id.job,
                                       copy.id.set, copy.target, error.message()),
                           error.hint()},
                          systemd::upload_owed, fields_of(copy));
    co_await put(copy);
}

asio::awaitable<void> CopySender::hasten() {
    auto* catalog = core_.catalog.get();
    // Also to targets that the configuration has no more: those are struck.
    const auto hasten_all = [catalog, now = core_.clock.now()] {
        std::set<std::string> targets;
        for (const auto& copy : catalog->owed_copies()) targets.insert(copy.target);
        for (const auto& name : targets) catalog->hasten_copies(name, now);
    };
    std::exception_ptr failure;
    try {
        co_await async::run_blocking(core_.pool, hasten_all);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure)
        core_.log.problem(Priority::warning,
                          base::to_error(failure).during("copies that are owed wait for their next attempt"));
    wake();
}

asio::awaitable<void> CopySender::failed(catalog::Copy copy, base::Error error) {
    const auto now = core_.clock.now();
    ++copy.attempts;
    copy.message = error.message();
    copy.next_attempt = offsite::retry_at(copy.attempts, now, core_.services->random());
    core_.log.problem(
        Priority::warning,
        {error.code(),
         fmt::format("{}: the copy of {} is still owed to {}, next attempt at {}: {}", copy.id.job, copy.id.set,
                     copy.target, core_.people_time(copy.id.job, base::to_instant(copy.next_attempt)), error.message()),
         error.hint()},
        systemd::upload_owed, fields_of(copy));
    auto* catalog = core_.catalog.get();
    const auto put_all = [catalog, copy, error] {
        auto copies = offsite::postpone_with(copy, error, catalog->owed_copies());
        copies.push_back(copy);
        catalog->put_copies(copies);
        std::set<std::string> jobs;
        for (const auto& each : copies) jobs.insert(each.id.job);
        return jobs;
    };
    const auto jobs = co_await async::run_blocking(core_.pool, put_all);
    for (const auto& job : jobs) touch(job);
}

asio::awaitable<void> CopySender::strike(catalog::Copy copy, std::string why, async::StopToken stop) {
    core_.log.write(
        Priority::warning,
        fmt::format("{}: the copy of {} is not owed to {} any more: {}", copy.id.job, copy.id.set, copy.target, why),
        std::nullopt, fields_of(copy));
    auto* catalog = core_.catalog.get();
    const auto forget = [catalog, copy] { catalog->forget_copy(copy.target, copy.id); };
    co_await async::run_blocking(core_.pool, forget);
    touch(copy.id.job);
    tasks_.spawn(drop_local(copy.id, {}, stop));  // maybe all others have it
}

// One after the other, since the last one counts; what changes meanwhile goes with the next.
asio::awaitable<void> CopySender::record(const catalog::Copy& copy, bool& outdated, bool& recording) {
    recording = true;
    try {
        while (std::exchange(outdated, false)) {
            const auto put_copy = [this, copy] { core_.catalog->put_copy(copy); };
            co_await async::run_blocking(core_.pool, put_copy);
        }
    } catch (const base::Error&) {
        // What comes of the attempt is recorded too, or told.
    }
    recording = false;
}

asio::awaitable<void> CopySender::put(catalog::Copy copy) {
    auto* catalog = core_.catalog.get();
    const auto put_copy = [catalog, copy] { catalog->put_copy(copy); };
    co_await async::run_blocking(core_.pool, put_copy);
    touch(copy.id.job);
}

void CopySender::touch(const std::string& job) {
    overview_.touch(job);
    if (tell_copies_) tell_copies_(job);
}

}  // namespace pgbakd::service
