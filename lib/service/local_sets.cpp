#include "service/local_sets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/timer.hpp"
#include "offsite/confirm.hpp"
#include "offsite/local_set.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::minutes asking_patience{1};
const std::string nobody;

}  // namespace

asio::awaitable<void> LocalSets::drop_all(async::StopToken stop) {
    const auto config = core_.config;
    const auto* repository = &core_.repository;
    std::exception_ptr failure;
    try {
        for (const auto& job : config->jobs) {
            if (job->keep_local != model::KeepLocal::until_copied) continue;
            const auto list = [repository, name = job->name] { return repository->ids(name); };
            const auto ids = co_await async::run_blocking(core_.pool, list);
            for (const auto& id : ids) {
                const auto is_sent = [this, &id](const auto& target) {
                    return core_.targets->is_claimed(target, id.text());
                };
                if (std::any_of(job->targets.begin(), job->targets.end(), is_sent)) continue;  // its run's or ours
                const bool asked = co_await drop(id, nobody, stop);
                if (!asked) break;  // another day, or the next good run
            }
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !stop.stopped())
        core_.log.problem(Priority::warning, base::to_error(failure).during("removing local sets"));
}

// Whether that target is known to lack it, or could not be asked, in words; empty if it has it.
asio::awaitable<std::string> LocalSets::ask(std::string name, repository::StoredSet set, async::StopToken stop) {
    const async::Deadline patience(core_.io.get_executor(), stop, asking_patience, "asking the target");
    const auto target = co_await core_.targets->open(name);
    co_return co_await offsite::what_is_wrong_there(*target, core_.pool, set, patience.token());
}

asio::awaitable<bool> LocalSets::drop(model::SetId id, std::string has_it, async::StopToken stop) {
    const auto job = core_.config->job(id.job);
    if (!job || job->keep_local != model::KeepLocal::until_copied) co_return true;
    auto* core = &core_;
    const auto look = [core, job, id] { return offsite::droppable(core->repository, *core->catalog, *job, id); };
    const auto drop = [core, job, id] { return offsite::drop_if_copied(core->repository, *core->catalog, *job, id); };
    std::exception_ptr failure;
    bool dropped = false;
    try {
        const auto set = co_await async::run_blocking(core_.pool, look);
        if (!set) co_return true;
        for (const auto& name : job->targets) {
            if (name == has_it) continue;
            const auto wrong = co_await ask(name, *set, stop);
            if (wrong.empty()) continue;
            core_.log.problem(Priority::warning,
                              {base::ErrorCode::not_found,
                               fmt::format("{}: the local set {} stays, for {} does not have it as it should: {}",
                                           id.job, id.set, name, wrong),
                               fmt::format("pgbakctl rescan --from {} tells what else is gone there", name)});
            co_return true;
        }
        dropped = co_await async::run_blocking(core_.pool, drop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !stop.stopped())
        core_.log.write(Priority::info,
                        fmt::format("{}: the local set {} stays until every target can be asked for it: {}", id.job,
                                    id.set, base::to_error(failure).message()));
    if (dropped) overview_.touch(id.job);
    if (dropped)
        core_.log.write(Priority::info,
                        fmt::format("{}: removed the local set {}: every target has it", id.job, id.set));
    co_return !failure;
}

}  // namespace pgbakd::service
