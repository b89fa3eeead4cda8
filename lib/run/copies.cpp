#include "run/copies.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/timer.hpp"
#include "base/units.hpp"
#include "offsite/backlog.hpp"
#include "offsite/keys.hpp"
#include "offsite/send_set.hpp"
#include "run/copies_destination.hpp"
#include "run/copies_told.hpp"
#include "run/length_told.hpp"

namespace pgbakd::run {
namespace {

constexpr std::chrono::seconds reach_patience{20};
constexpr std::chrono::seconds removal_patience{30};
constexpr std::chrono::seconds hasty_patience{5};  // when the daemon stops

}  // namespace

Copies::Copies(Context& context)
    : context_(context),
      tasks_(context.services.executor),
      only_there_(context.job.keep_local == model::KeepLocal::never) {
    for (const auto& name : context.job.targets)
        destinations_.push_back(std::make_unique<Destination>(context.services.executor, name));
}

Copies::~Copies() = default;

asio::awaitable<void> Copies::reach(async::StopToken stop) {
    if (!only_there_) co_return;
    async::TaskGroup group(context_.services.executor);
    for (const auto& destination : destinations_) group.spawn(reach_one(*destination, stop));
    co_await group.join();
    stop.check();
    const bool none = std::all_of(destinations_.begin(), destinations_.end(),
                                  [](const auto& destination) { return destination->failure.has_value(); });
    if (none) throw base::Error(first_failure());
    for (const auto& destination : destinations_)
        if (destination->failure) tell_unreachable(*destination);
}

asio::awaitable<void> Copies::reach_one(Destination& destination, async::StopToken stop) {
    std::exception_ptr failure;
    offsite::TargetPtr target;
    const async::Deadline patience(context_.services.executor, stop, reach_patience, "asking the target");
    try {
        target = co_await context_.services.targets.open(destination.name);
        const auto prefix = offsite::prefix_of(context_.job.name);
        co_await target->list(prefix, {}, 1, patience.token());
    } catch (...) {
        failure = std::current_exception();
    }
    destination.failure.reset();
    if (failure)
        destination.failure = base::to_error(failure);
    else
        destination.target = std::move(target);
}

void Copies::begin(const model::SetId& id) {
    set_.id = id;
    for (const auto& destination : destinations_) {
        destination->claim = context_.services.targets.claim(destination->name, id.text());
        destination->began = context_.services.clock.steady();
        destination->way.on_change = [this, at = destination.get()] { keep_way(*at); };
        tasks_.spawn(serve(*destination));
    }
}

// Whether it can have this artifact now. What is on no disk must reach it at the first try, or with a new dump of it.
bool Copies::usable(Destination& destination, const std::string& file) const {
    if (!destination.claim) return false;
    if (!only_there_) return !destination.failure;  // maybe it is still being asked
    if (!destination.target) return false;
    destination.coming.erase(file);
    if (destination.missing.erase(file) > 0) destination.failure.reset();
    return !destination.failure && destination.missing.empty();
}

bool Copies::has_all(const Destination& destination) const {
    return std::all_of(set_.artifacts.begin(), set_.artifacts.end(),
                       [&destination](const auto& artifact) { return destination.way.sent.contains(artifact.file); });
}

std::unique_ptr<Feed> Copies::follow(const std::filesystem::path& path) {
    const auto& executor = context_.services.executor;
    const auto name = path.filename().native();
    std::shared_ptr<offsite::GrowingFile> file;
    std::vector<std::shared_ptr<offsite::GrowingBuffer>> buffers;
    const auto taken = std::make_shared<async::Event>(executor);
    for (const auto& destination : destinations_) {
        // Made anew: what an upload has of the attempt before is of another file.
        auto& way = destination->way;
        way.sent.erase(name);
        if (way.unfinished == name) {
            way.unfinished.clear();
            way.checkpoint.clear();
        }
        if (!usable(*destination, name)) continue;
        if (only_there_) {
            auto buffer = std::make_shared<offsite::GrowingBuffer>(executor, name, taken);
            buffer->on_left_behind = [at = destination.get()](const base::Error& reason) {
                if (at->sending) at->sending->stop(reason);
            };
            destination->coming.insert(name);
            destination->waiting.push_back(buffer);
            buffers.push_back(std::move(buffer));
        } else {
            if (!file) file = std::make_shared<offsite::GrowingFile>(executor, path);
            destination->waiting.push_back(file);
        }
        destination->changed.notify();
    }
    if (only_there_)
        return std::make_unique<BufferFeed>(context_.services.clock, std::move(buffers), taken,
                                            [this] { return first_failure(); });
    return file ? std::make_unique<FileFeed>(std::move(file)) : nullptr;
}

asio::awaitable<void> Copies::serve(Destination& destination) {
    // What is on targets alone had to be asked before: who comes later has missed something.
    if (!only_there_ && destination.claim) {
        const auto stop = stop_.token();
        co_await reach_one(destination, stop);
        if (destination.failure && !stop.stopped()) tell_unreachable(destination);
    }
    if (destination.target && destination.claim) co_await stream(destination);
    while (phase_ == Phase::writing) co_await destination.changed.wait();
    if (phase_ == Phase::committed) co_await send_committed(destination);
    if (phase_ == Phase::abandoned) co_await remove_sent(destination);
}

// One file after the other; what comes after a failure is left to send_committed(), if it is on the disk.
asio::awaitable<void> Copies::stream(Destination& destination) {
    const auto stop = stop_.token();
    while ((only_there_ || !destination.failure) && !stop.stopped()) {
        // What was not begun by now goes with all that is missing.
        if (!only_there_ && phase_ != Phase::writing) break;
        if (destination.waiting.empty()) {
            if (phase_ != Phase::writing) co_return;
            co_await destination.changed.wait();
            continue;
        }
        const auto file = destination.current = destination.waiting.front();
        destination.waiting.pop_front();
        const auto told = with_length_told(destination.target, file);
        const offsite::Means means{*told, context_.services.pool, context_.services.random};
        destination.sending = std::make_unique<async::StopSource>(stop);
        const auto sending = destination.sending->token();
        file->guess = context_.ready.largest_artifact();
        std::exception_ptr failure;
        try {
            co_await offsite::send_artifact(means, set_.id, file, destination.way, sending);
        } catch (...) {
            failure = std::current_exception();
        }
        destination.sending.reset();
        destination.current.reset();
        destination.coming.erase(file->name());
        destination.changed.notify();
        if (!failure || file->is_abandoned()) continue;
        const auto error = base::to_error(failure);
        // It is found under its final name from now on, and sent with all that is missing: nothing has failed.
        if (!only_there_ && phase_ == Phase::committed && error.code() == base::ErrorCode::not_found) break;
        destination.failure = error;
        destination.stalled = destination.failure->code() == base::ErrorCode::timed_out;
        ++destination.attempts;
        if (!only_there_) continue;
        destination.missing.insert(file->name());
        // What was made meanwhile is of no use there.
        for (const auto& next : destination.waiting) {
            destination.missing.insert(next->name());
            destination.coming.erase(next->name());
            next->give_up();
        }
        destination.waiting.clear();
    }
    // Of one that was made anew the target may have what was there before.
    for (const auto& next : destination.waiting) destination.way.sent.erase(next->name());
}

asio::awaitable<void> Copies::settled(std::string file, async::StopToken stop) {
    if (!only_there_) co_return;
    bool anybody = false;
    for (const auto& destination : destinations_) {
        while (destination->coming.contains(file)) co_await destination->changed.wait(stop);
        anybody = anybody || (destination->way.sent.contains(file) && destination->missing.empty());
    }
    if (!anybody) throw base::Error(first_failure());
}

asio::awaitable<void> Copies::owe(const model::BackupSet& set) {
    if (destinations_.empty()) co_return;
    set_ = set;
    std::vector<catalog::Copy> copies;
    for (const auto& destination : destinations_) copies.push_back(copy_of(*destination));
    auto* catalog = &context_.services.catalog;
    const auto put = [catalog, copies] { catalog->put_copies(copies); };
    owed_ = true;
    co_await async::run_blocking(context_.services.pool, put);
}

asio::awaitable<void> Copies::finish(std::filesystem::path directory, const model::BackupSet& set,
                                     async::StopToken stop) {
    set_ = set;
    directory_ = std::move(directory);
    const auto registration = stop.on_stop([this, &stop] { stop_.stop(stop.reason()); });
    phase_ = Phase::committed;
    wake();
    co_await tasks_.join();
    // As the job lists them, not as they came to their ends.
    const auto rank = [this](const auto& told) { return std::ranges::find(context_.job.targets, told.name); };
    std::ranges::sort(context_.report.targets, {}, rank);
}

asio::awaitable<void> Copies::finish_there(const model::BackupSet& set, async::StopToken stop) {
    co_await finish({}, set, std::move(stop));
    if (complete().empty()) throw base::Error(first_failure());
}

asio::awaitable<void> Copies::abandon(base::Error reason) {
    stop_.stop(std::move(reason));
    phase_ = Phase::abandoned;
    wake();
    std::exception_ptr ignored;  // what could not be removed is swept later, what is owed without a set struck
    try {
        co_await tasks_.settle();
        auto* catalog = &context_.services.catalog;
        const auto forget = [catalog, targets = context_.job.targets, id = set_.id] {
            for (const auto& target : targets) catalog->forget_copy(target, id);
        };
        if (owed_) co_await async::run_blocking(context_.services.pool, forget);
    } catch (...) {
        ignored = std::current_exception();
    }
}

void Copies::wake() {
    for (const auto& destination : destinations_) destination->changed.notify();
}

asio::awaitable<void> Copies::send_committed(Destination& destination) {
    const auto stop = stop_.token();
    async::Backoff backoff(context_.job.retries.attempts, context_.job.retries.backoff);
    // What has just stalled, for minutes, would do so again: the run does not wait for it.
    const bool hopeless = destination.stalled && !only_there_;
    while (!hopeless && !stop.stopped() && destination.claim && (!only_there_ || has_all(destination))) {
        std::exception_ptr failure;
        try {
            co_await send_once(destination);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) break;
        destination.failure = base::to_error(failure);
        ++destination.attempts;
        const auto pause = backoff.after(*destination.failure, context_.services.random());
        if (!pause || stop.stopped()) break;
        context_.emit(Event::Kind::retrying,
                      fmt::format("copying to {} failed, trying again in {}: {}", destination.name,
                                  base::format_duration(*pause), destination.failure->message()),
                      destination.failure->hint());
        failure = nullptr;
        try {
            co_await async::sleep_for(*pause, stop);
        } catch (...) {
            failure = std::current_exception();
        }
    }
    if (!only_there_ || destination.assured) {
        co_await conclude(destination);
        co_return;
    }
    tell_missing(context_, destination.name, set_.id, why_missing(destination));
    // With all of its artifacts there, the manifest may be there too, its answer lost: that is a set. If it is not,
    // what is there is swept after a day.
    if (!has_all(destination)) co_await remove_sent(destination);
}

asio::awaitable<void> Copies::send_once(Destination& destination) {
    const auto stop = stop_.token();
    if (!destination.target) co_await reach_one(destination, stop);
    if (!destination.target) throw base::Error(*destination.failure);
    const offsite::Means means{*destination.target, context_.services.pool, context_.services.random};
    if (only_there_)
        destination.assured = co_await offsite::close_set(means, set_, destination.way, stop);
    else
        destination.assured =
            co_await offsite::send_set(means, context_.services.executor, directory_, set_, destination.way, stop);
    destination.failure.reset();
}

catalog::Copy Copies::copy_of(const Destination& destination) const {
    auto copy = offsite::owed_copy(destination.name, set_, context_.services.clock.now());
    copy.attempts = destination.attempts;
    copy.unfinished = destination.way.unfinished;
    copy.checkpoint = destination.way.checkpoint;
    copy.begun = destination.way.begun;
    copy.tried = destination.way.tried();
    if (destination.assured) {
        copy.owed = false;
        copy.tried.clear();
        copy.assurance = offsite::assured_text(*destination.assured);
        return copy;
    }
    if (destination.failure) copy.message = destination.failure->message();
    return copy;
}

// A later attempt goes on from there, also one after a crash.
void Copies::keep_way(Destination& destination) {
    if (phase_ != Phase::committed || only_there_) return;
    destination.outdated = true;
    if (!destination.recording) tasks_.spawn(record(destination));
}

asio::awaitable<void> Copies::record(Destination& destination) {
    destination.recording = true;
    std::exception_ptr failure;
    while (destination.outdated && !failure) {
        destination.outdated = false;
        auto* catalog = &context_.services.catalog;
        const auto put = [catalog, copy = copy_of(destination)] { catalog->put_copy(copy); };
        try {
            co_await async::run_blocking(context_.services.pool, put);
        } catch (...) {
            failure = std::current_exception();  // the copy is noted as owed; that much stands
        }
    }
    destination.recording = false;
    destination.changed.notify();
}

asio::awaitable<void> Copies::conclude(Destination& destination) {
    while (destination.recording) co_await destination.changed.wait();
    auto copy = copy_of(destination);
    if (copy.owed) {
        const auto now = context_.services.clock.now();
        const auto stop = stop_.token();
        const bool soon = stop.stopped() && stop.reason().code() == base::ErrorCode::interrupted;
        copy.next_attempt = soon ? now : offsite::retry_at(std::max(copy.attempts, 1), now, context_.services.random());
        if (stop.stopped() && copy.message.empty()) copy.message = stop.reason().message();
        if (!destination.claim) copy.message = "a set of that name is being sent there";
    }
    auto* catalog = &context_.services.catalog;
    const auto put = [catalog, copy, now = context_.services.clock.now()] {
        catalog->put_copy(copy);
        // After an outage, what is older follows at once.
        if (!copy.owed) catalog->hasten_copies(copy.target, now);
    };
    std::exception_ptr failure;
    try {
        co_await async::run_blocking(context_.services.pool, put);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure)
        context_.note(fmt::format("the catalog could not be told of the copy on {}: {}", destination.name,
                                  base::to_error(failure).message()));
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(context_.services.clock.steady() - destination.began);
    tell_copy(context_, copy, set_, destination.failure, took);
}

// The set will not be, or not there. Only what this run has put there is removed, and of a set that has a manifest
// nothing: what else lies under that name may be another host's. Never throws: what stays is swept after a day.
asio::awaitable<void> Copies::remove_sent(Destination& destination) {
    std::vector<std::string> keys;
    for (const auto& file : destination.way.placed) keys.push_back(offsite::key_of(set_.id, file));
    if (keys.empty() || !destination.target) co_return;
    const auto stop = stop_.token();
    const bool hurry = stop.stopped() && stop.reason().code() == base::ErrorCode::interrupted;
    const async::Deadline patience(context_.services.executor, {}, hurry ? hasty_patience : removal_patience,
                                   "removing what was sent");
    std::exception_ptr left;
    try {
        const auto manifest = offsite::key_of(set_.id, model::manifest_file);
        const auto there = co_await destination.target->stat(manifest, target::Detail::plain, patience.token());
        if (there) co_return;
        const auto refused = co_await destination.target->remove(std::move(keys), patience.token());
        // What comes to lie there from now on need not be ours.
        if (refused.empty()) destination.way.placed.clear();
    } catch (...) {
        left = std::current_exception();
    }
}

}  // namespace pgbakd::run
