#include "run/prune_stage.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
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

asio::awaitable<std::size_t> prune_here(Context& context) {
    auto& services = context.services;
    const auto* repository = &services.repository;
    auto* catalog = &services.catalog;
    const auto now = services.clock.now();
    const auto prune_sets = [repository, catalog, job = context.request.job, now, made = context.set.id] {
        return prune_local(*repository, catalog, *job, now, made);
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

asio::awaitable<std::size_t> prune_there(Context& context, std::string name, offsite::TargetPtr target,
                                         async::StopToken stop) {
    auto& services = context.services;
    const auto now = services.clock.now();
    const offsite::Retention around{*target,           name, services.pool,  services.repository,
                                    &services.catalog, true, context.set.id, services.hostname};
    auto plan = co_await offsite::plan_remote(around, context.request.job, now, stop);
    for (const auto& remark : plan.remarks) context.note(remark);
    const auto pruned = co_await offsite::apply_remote(around, std::move(plan), stop);
    tell_deleted(context, name, pruned.deleted);
    if (!pruned.retained.empty())
        context.note(fmt::format("{} retained by {}: {}", pruned.retained.size(), name, pruned.retained.front()));
    co_await sweep_there(context, name, target, stop);
    co_return pruned.deleted.size();
}

// `keep_local: false`: a set is here only for as long as a target lacks it. Of those before the run's own the catalog
// knows what targets have as of when they were last asked: they go where all have just been asked, else another day.
asio::awaitable<void> drop_local(Context& context, bool all_asked) {
    auto& services = context.services;
    const auto* repository = &services.repository;
    auto* catalog = &services.catalog;
    const auto drop = [repository, catalog, job = context.request.job, own = context.set.id, all_asked] {
        if (all_asked) return offsite::drop_all_copied(*repository, *catalog, *job);
        offsite::DroppedSets dropped;
        try {
            if (offsite::drop_if_copied(*repository, *catalog, *job, own)) dropped.sets.push_back(own);
        } catch (const base::Error& error) {
            dropped.failures.push_back(own.text() + ": " + error.message());
        }
        return dropped;
    };
    const auto dropped = co_await async::run_blocking(services.pool, drop);
    for (const auto& id : dropped.sets) {
        if (id == context.set.id) context.report.set_directory.clear();
        context.emit(Event::Kind::pruned, fmt::format("removed the local set {}: every target has it", id.set));
    }
    for (const auto& text : dropped.failures) context.note("could not remove the local set " + text);
}

}  // namespace

asio::awaitable<std::size_t> prune_stage(Context& context, const Copies& copies, async::StopToken stop) {
    auto removed = co_await prune_here(context);
    const auto complete = copies.complete();
    bool all_asked = complete.size() == context.job.targets.size();
    for (const auto& [name, target] : complete) {
        if (stop.stopped()) break;
        std::exception_ptr failure;
        try {
            removed += co_await prune_there(context, name, target, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) continue;
        all_asked = false;
        context.note(fmt::format("could not prune on {}: {}", name, base::to_error(failure).message()));
    }
    all_asked = all_asked && !stop.stopped();
    if (context.job.keep_local == model::KeepLocal::until_copied) co_await drop_local(context, all_asked);
    co_return removed;
}

}  // namespace pgbakd::run
