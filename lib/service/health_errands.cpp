// What the watch has done beside its looks, since it takes long: targets asked for their room, a set read again.
#include <fmt/format.h>

#include "service/health_watch.hpp"

namespace pgbakd::service {

// A look at everything follows, with what they told: the one before did not wait for them.
asio::awaitable<void> HealthWatch::ask_for_rooms(async::StopToken stop) {
    std::exception_ptr failure;
    try {
        ConfigPtr asked;
        while (asked != core_.config) {
            asked = core_.config;
            co_await rooms_.ask(stop);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    asking_ = false;
    if (stop.stopped()) co_return;
    if (failure)
        core_.log.problem(Priority::warning, base::to_error(failure).during("asking targets for their room"));
    else
        look();
}

// Takes as long as it takes to read the set; runs and checks go on beside it.
asio::awaitable<void> HealthWatch::read_again(async::StopToken stop) {
    auto* catalog = core_.catalog.get();
    const auto* repository = &core_.repository;
    const auto stopped = std::make_shared<std::atomic<bool>>(false);
    const auto registration = stop.on_stop([stopped] { *stopped = true; });
    std::exception_ptr failure;
    std::optional<model::SetId> id;
    health::Reread reread;
    try {
        const auto choose = [repository, catalog, tried = tried_, now = core_.clock.now()] {
            auto sets = health::sets_to_read(*repository, *catalog);
            for (auto& set : sets)
                if (const auto known = tried.find(set.id); known != tried.end() && !known->second.message.empty())
                    set.tried_at = known->second.at;
            return health::next_to_read(sets, now);
        };
        id = co_await async::run_blocking(core_.pool, choose);
        const auto read = [repository, catalog, id, stopped, now = core_.clock.now()] {
            return health::reread(*repository, *catalog, *id, now, [stopped](std::uint64_t) { return !*stopped; });
        };
        if (id) reread = co_await async::run_blocking(core_.pool, read);
    } catch (...) {
        failure = std::current_exception();
    }
    reading_ = false;
    if (stop.stopped()) co_return;
    if (failure) {
        core_.log.problem(Priority::warning, base::to_error(failure).during("reading a set again"));
        co_return;
    }
    if (!id) co_return;
    const bool is_unread = reread.result == health::Reread::Result::unread;
    auto& tried = tried_[*id];
    const bool is_news = is_unread || !tried.message.empty() || tried.at == base::Timestamp();
    tried = {core_.clock.now(), is_unread ? reread.message : std::string()};
    const std::vector<Field> fields{{"PGBAKD_JOB", id->job}, {"PGBAKD_SET", id->text()}};
    if (is_unread)
        core_.log.write(Priority::warning, fmt::format("{} could not be read again: {}", id->text(), reread.message),
                        {}, fields);
    if (reread.result == health::Reread::Result::good)
        core_.log.write(Priority::info, fmt::format("{} was read again, and is good", id->text()), {}, fields);
    // It becomes a finding, or one is over.
    if (is_news || reread.result == health::Reread::Result::corrupt) look();
}

}  // namespace pgbakd::service
