#include "run/prune_stage.hpp"

#include <fmt/format.h>

#include <set>

#include "base/text.hpp"
#include "holdings/identity.hpp"
#include "offsite/confirm.hpp"
#include "offsite/forgotten.hpp"
#include "offsite/local_set.hpp"
#include "offsite/retention.hpp"
#include "run/prune.hpp"

namespace pgbakd::run {
namespace {

constexpr std::chrono::hours stale_after{24};

void tell_deleted(Context& context, const std::string& place, const std::vector<retention::Decision>& deleted) {
    for (const auto& decision : deleted) {
        auto event = context.make_event(Event::Kind::pruned,
                                        fmt::format("pruned {} set {}: {}", place, decision.id.set, decision.reason));
        event.set = decision.id.text();
        if (place != "local") event.target = place;
        context.observe(event);
    }
}

// Sets that are older than the catalog, which was lost, may be nowhere else: until each target was asked, what its
// retention would keep stays. Blocks.
Holds held_for(const std::vector<std::string>& unasked, const repository::Repository& repository,
               catalog::Catalog& catalog, const model::JobSpec& job, base::Timestamp now) {
    Holds holds;
    if (unasked.empty()) return holds;
    for (const auto& target : unasked) {
        const auto before = catalog.unasked_before(job.name, target);
        if (!before || *before == base::Timestamp{}) continue;
        std::set<model::SetId> older;
        for (const auto& set : repository.sets(job.name))
            if (set.manifest.started_at < *before) older.insert(set.manifest.id);
        if (older.empty()) continue;
        for (const auto& id : offsite::unproven_copies(target, repository, &catalog, job, now))
            if (older.contains(id))
                holds[id].push_back(fmt::format("caution, since {} cannot be asked whether it has it", target));
    }
    return holds;
}

asio::awaitable<std::size_t> prune_here(Context& context, std::vector<std::string> unasked) {
    auto& services = context.services;
    const auto* repository = &services.repository;
    auto* catalog = &services.catalog;
    const auto now = services.clock.now();
    const auto look = [repository, catalog, name = context.job.name] {
        return holdings::identify(*repository, *catalog, name);
    };
    const auto identity = co_await async::run_blocking(services.pool, look);
    if (identity.whose == holdings::Whose::another)
        context.note(fmt::format("nothing is pruned here: {}; {}", identity.what, identity.hint));
    const auto prune_sets = [repository, catalog, job = context.request.job, now, made = context.set.id, unasked] {
        const auto holds = held_for(unasked, *repository, *catalog, *job, now);
        return delete_local(*repository, catalog, plan_local(*repository, catalog, *job, now, made, holds));
    };
    const auto pruned = co_await async::run_blocking(services.pool, prune_sets);
    tell_deleted(context, "local", pruned.deleted);
    for (const auto& text : pruned.failures) context.note("could not prune " + text);
    co_return pruned.deleted.size();
}

// Removes what interrupted uploads left. That is none of retention's business: what it may not do is told by itself,
// and once as long as the configuration stays.
asio::awaitable<void> sweep_there(Context& context, std::string name, offsite::TargetPtr target,
                                  async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_await target->sweep(context.services.clock.now() - stale_after, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure || stop.stopped()) co_return;
    const auto error = base::to_error(failure);
    const auto text = fmt::format("what unfinished uploads have left on {} could not be swept, all else is pruned: {}",
                                  name, error.message());
    if (!error.is_passing() && !context.services.targets.first_to_tell(name, "sweep")) co_return;
    context.note(error.hint().empty() ? text : fmt::format("{}; {}", text, error.hint()));
}

// A target that has the run's set, and what is to go there.
struct Place {
    std::string name;
    offsite::TargetPtr target;
    std::optional<offsite::RemotePlan> plan;  // none: it could not be asked, which was told
};

offsite::Retention retention_of(Context& context, const Place& place) {
    auto& services = context.services;
    const auto claim = [&services, name = place.name](const model::SetId& id) -> std::shared_ptr<void> {
        return services.targets.claim(name, id.text());
    };
    return {*place.target,  place.name,        services.pool, services.repository, &services.catalog, true,
            context.set.id, services.hostname, claim};
}

void tell_unpruned(Context& context, const Place& place, const std::exception_ptr& failure) {
    if (failure) context.note(fmt::format("could not prune on {}: {}", place.name, base::to_error(failure).message()));
}

asio::awaitable<void> plan_there(Context& context, Place& place, async::StopToken stop) {
    std::exception_ptr failure;
    try {
        const auto around = retention_of(context, place);
        const auto now = context.services.clock.now();
        place.plan = co_await offsite::plan_remote(around, context.request.job, now, stop);
        for (const auto& remark : place.plan->remarks) context.note(remark);
    } catch (...) {
        failure = std::current_exception();
    }
    tell_unpruned(context, place, failure);
}

asio::awaitable<std::size_t> prune_there(Context& context, Place& place, async::StopToken stop) {
    if (!place.plan) co_return 0;
    std::exception_ptr failure;
    std::size_t removed = 0;
    try {
        const auto around = retention_of(context, place);
        const auto pruned = co_await offsite::apply_remote(around, std::move(*place.plan), stop);
        removed = pruned.deleted.size();
        tell_deleted(context, place.name, pruned.deleted);
        if (!pruned.retained.empty())
            context.note(
                fmt::format("{} retained by {}: {}", pruned.retained.size(), place.name, pruned.retained.front()));
        if (!pruned.failures.empty())
            context.note(fmt::format("{} could not be deleted on {}: {}", base::counted(pruned.failures.size(), "set"),
                                     place.name, pruned.failures.front()));
        if (pruned.ended) throw base::Error(*pruned.ended);
        co_await sweep_there(context, place.name, place.target, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    tell_unpruned(context, place, failure);
    co_return removed;
}

void tell_dropped(Context& context, const model::SetId& id) {
    if (id == context.set.id) context.report.set_directory.clear();
    context.emit(Event::Kind::pruned, fmt::format("removed the local set {}: every target has it", id.set));
}

using Targets = std::vector<std::pair<std::string, offsite::TargetPtr>>;

// Why a local set has to stay, asked of the targets themselves; empty: all of them have it.
asio::awaitable<std::string> why_kept(Context& context, Targets targets, repository::StoredSet set,
                                      async::StopToken stop) {
    for (const auto& [name, target] : targets) {
        const auto wrong = co_await offsite::what_is_wrong_there(*target, context.services.pool, set, stop);
        if (!wrong.empty()) co_return fmt::format("{} does not have it as it should: {}", name, wrong);
    }
    co_return std::string();
}

asio::awaitable<void> drop_one(Context& context, Targets targets, model::SetId id, async::StopToken stop) {
    auto& services = context.services;
    const auto* repository = &services.repository;
    auto* catalog = &services.catalog;
    const auto job = context.request.job;
    if (id != context.set.id) {
        const auto look = [repository, catalog, job, id] {
            return offsite::droppable(*repository, *catalog, *job, id);
        };
        const auto set = co_await async::run_blocking(services.pool, look);
        if (!set) co_return;
        const auto why = co_await why_kept(context, targets, *set, stop);
        if (!why.empty()) {
            context.note(fmt::format("the local set {} stays: {}", id.set, why));
            co_return;
        }
    }
    const auto drop = [repository, catalog, job, id] {
        return offsite::drop_if_copied(*repository, *catalog, *job, id);
    };
    const bool dropped = co_await async::run_blocking(services.pool, drop);
    if (dropped) tell_dropped(context, id);
}

// `keep_local: false`: a set is here only for as long as a target lacks it. The run's own has just been sent; of those
// before it the catalog knows what was true once, so that the targets are asked. Where one cannot be, they stay for
// now.
asio::awaitable<void> drop_local(Context& context, Targets targets, async::StopToken stop) {
    auto& services = context.services;
    const auto* repository = &services.repository;
    std::vector<model::SetId> ids{context.set.id};
    if (targets.size() == context.job.targets.size()) {
        const auto list = [repository, name = context.job.name] { return repository->ids(name); };
        ids = co_await async::run_blocking(services.pool, list);
    }
    for (const auto& id : ids) {
        std::exception_ptr failure;
        try {
            co_await drop_one(context, targets, id, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure)
            context.note(
                fmt::format("could not remove the local set {}: {}", id.text(), base::to_error(failure).message()));
    }
}

}  // namespace

asio::awaitable<std::size_t> prune_stage(Context& context, const Copies& copies, async::StopToken stop) {
    const auto complete = copies.complete();
    std::vector<Place> places;
    places.reserve(complete.size());
    for (const auto& [name, target] : complete) places.push_back({name, target, std::nullopt});
    // Before anything goes: what one of them turns out to lack stays here for it.
    for (auto& place : places)
        if (!stop.stopped()) co_await plan_there(context, place, stop);
    std::vector<std::string> unasked = context.job.targets;
    for (const auto& place : places)
        if (place.plan) std::erase(unasked, place.name);
    auto removed = co_await prune_here(context, unasked);
    for (auto& place : places)
        if (!stop.stopped()) removed += co_await prune_there(context, place, stop);
    if (context.job.keep_local == model::KeepLocal::until_copied) co_await drop_local(context, complete, stop);
    co_return removed;
}

}  // namespace pgbakd::run
