#include "service/change_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "async/directory_watch.hpp"
#include "async/leaving.hpp"
#include "async/own_pool.hpp"
#include "async/retry.hpp"
#include "async/timer.hpp"
#include "source/files_source.hpp"
#include "source/tree_watch.hpp"

namespace pgbakd::service {
namespace {

// What inotify does not tell (writes through memory, another host's on a mount) is found by then.
constexpr std::chrono::hours look_anyway{1};
constexpr int most_looks = 32;  // so many mounts that hang, and the other jobs' changes are seen no more
constexpr std::chrono::minutes look_unwatched{5};
constexpr std::chrono::seconds usual_settle{5};
constexpr int most_settling = 12;  // times `settle`, where changes do not end
// Between runs that fail.
constexpr std::chrono::minutes least_pause{1};
constexpr std::chrono::minutes first_pause{5};
constexpr std::chrono::hours longest_pause{6};

// How it is stored: a stamp of the same tree under other rules is another one.
std::string manner_of(const model::FilesSource& source) {
    return fmt::format("{} {} {}", fmt::join(source.exclude, "\n"), fmt::join(source.redact, "\n"),
                       source.other_file_systems);
}

// What one look brings. Where it hangs it is left behind with its thread: so nothing here belongs to the reactor.
struct Found {
    std::optional<os::DirectoryWatch> watch;  // nothing: it cannot be watched
    std::optional<base::Error> unwatched;     // why
    std::string stamp;
};

// Watches first, and looks then: what happens in between is told by the watch. Blocks; `check` throws to end it.
template <class Watched>
void look_at(const Watched& watched, const std::vector<std::filesystem::path>& own, const std::function<void()>& check,
             Found& found) {
    const auto options = source::files_options(watched.source, own);
    const auto add = [&](const std::filesystem::path& directory) {
        check();
        try {
            found.watch->add(directory, os::DirectoryWatch::Told::contents);
        } catch (const base::Error& error) {
            // What is gone by now is told by what it was in.
            if (error.code() != base::ErrorCode::not_found) throw;
        }
    };
    try {
        found.watch.emplace();
        source::each_watched_directory(options, add);
    } catch (const base::Error& error) {
        check();
        found.watch.reset();
        found.unwatched = error;
    }
    found.stamp = source::tree_stamp(options, manner_of(watched.source), check);
}

}  // namespace

// What one look brought, and what tells of all that happened since it began.
struct ChangeWatch::Seen {
    std::optional<async::DirectoryWatch> watch;  // nothing: it cannot be watched
    std::optional<base::Error> unwatched;        // why
    std::string stamp;
};

asio::awaitable<void> ChangeWatch::watch(async::StopToken stop) {
    std::exception_ptr over;
    while (!over) {
        follow_configuration(stop);
        try {
            co_await changed_.wait(stop);
        } catch (...) {
            over = std::current_exception();
        }
    }
    co_await tasks_.settle();
    std::rethrow_exception(over);
}

void ChangeWatch::follow_configuration(const async::StopToken& stop) {
    std::map<std::string, Watched> wanted;
    for (const auto& job : core_.config->jobs) {
        const auto* source = std::get_if<model::FilesSource>(&job->source);
        if (source != nullptr && job->schedule.kind() == calendar::ScheduleKind::on_change)
            wanted.emplace(job->name, Watched{job->name, *source, job->settle.value_or(usual_settle)});
    }
    std::erase_if(watching_, [&wanted](auto& entry) {
        const auto found = wanted.find(entry.first);
        if (found != wanted.end() && found->second == entry.second.watched) return false;
        entry.second.stop->stop({base::ErrorCode::cancelled, "the configuration has changed"});
        return true;
    });
    for (auto& [name, watched] : wanted) {
        if (watching_.contains(name)) continue;
        auto source = std::make_unique<async::StopSource>(stop);
        tasks_.spawn(watch_job(watched, source->token()));
        watching_.emplace(name, Task{watched, std::move(source)});
    }
}

asio::awaitable<void> ChangeWatch::watch_job(Watched watched, async::StopToken stop) {
    auto pause = std::chrono::milliseconds(first_pause);
    bool told = false;
    for (;;) {
        bool saved = false;
        std::optional<base::Error> problem;
        std::shared_ptr<Seen> seen;
        try {
            seen = co_await look(watched, stop);
            problem = seen->unwatched;
            saved = co_await is_saved(watched.job, seen->stamp);
            if (saved)
                co_await wait_for_change(seen, watched.settle, look_anyway, stop);
            else
                saved = co_await save(watched.job, seen->stamp, stop);
        } catch (const base::Error& error) {
            stop.check();
            problem = error;
            saved = false;
            seen.reset();
        }
        if (problem && !told)
            core_.log.problem(Priority::warning, problem->during(watched.job), {}, {{"PGBAKD_JOB", watched.job}});
        told = problem.has_value();
        if (saved) {
            pause = first_pause;
            continue;
        }
        // A change may be what was missing, and is not waited out; a tree that never rests must not fail without end.
        co_await async::sleep_for(least_pause, stop);
        const auto rest = pause - least_pause;
        pause = std::min<std::chrono::milliseconds>(2 * pause, longest_pause);
        if (!seen || !seen->watch) {
            co_await async::sleep_for(rest, stop);
            continue;
        }
        try {
            co_await wait_for_change(seen, watched.settle, rest, stop);
        } catch (const base::Error&) {
            stop.check();  // the next look tells what is wrong with the watch
        }
    }
}

asio::awaitable<bool> ChangeWatch::is_saved(std::string job, std::string stamp) {
    auto* catalog = core_.catalog.get();
    const auto read = [catalog, job] { return catalog->change_stamp(job); };
    const auto saved = co_await async::run_blocking(core_.pool, read);
    co_return saved == stamp;
}

class ChangeWatch::Looking {
  public:
    explicit Looking(ChangeWatch& watch) : watch_(watch) { ++watch_.looking_; }
    Looking(const Looking&) = delete;
    Looking& operator=(const Looking&) = delete;
    ~Looking() {
        --watch_.looking_;
        watch_.looked_.notify();
    }

  private:
    ChangeWatch& watch_;
};

asio::awaitable<std::shared_ptr<ChangeWatch::Seen>> ChangeWatch::look(Watched watched, async::StopToken stop) {
    while (looking_ >= most_looks) co_await looked_.wait(stop);
    const Looking looking(*this);
    const auto stopped = std::make_shared<std::atomic<bool>>(false);
    const auto registration = stop.on_stop([stopped] { *stopped = true; });
    const auto check = [stopped] {
        if (*stopped) throw base::Error(base::ErrorCode::cancelled, "nobody waits for it any more");
    };
    const std::vector<std::filesystem::path> own{core_.repository.directory(), core_.config->reports_directory};
    const auto found = std::make_shared<Found>();
    const auto work = [found, watched, own, check](async::Waiting&) { look_at(watched, own, check, *found); };
    // Of its own: a mount whose server is away holds it for as long as it likes.
    const auto pool = async::own_pool(1, core_.config->limits.nice);
    const async::Patience patience{.what = "looking at " + watched.job, .stall = {}, .after_stop = {}, .stop = stop};
    co_await async::run_leaving(*pool, work, patience);
    stop.check();
    const auto seen = std::make_shared<Seen>();
    if (found->watch) seen->watch.emplace(core_.io.get_executor(), std::move(*found->watch));
    seen->unwatched = found->unwatched;
    seen->stamp = found->stamp;
    co_return seen;
}

asio::awaitable<bool> ChangeWatch::save(std::string job, std::string stamp, async::StopToken stop) {
    // One that goes on began before this look.
    while (core_.runner->is_running(job)) co_await core_.runner->wait_changed(look_anyway, stop);
    std::shared_ptr<ActiveRun> run;
    try {
        const auto id = co_await dispatcher_.start_by_change(job);
        run = core_.runner->find(id);
    } catch (const base::Error& error) {
        stop.check();
        core_.log.problem(Priority::warning, error.during("starting a run of " + job));
    }
    if (!run) co_return false;
    while (!run->done) co_await core_.runner->wait_changed(look_anyway, stop);
    const auto outcome = run->report.outcome;
    if (outcome != model::Outcome::success && outcome != model::Outcome::warning) co_return false;
    auto* catalog = core_.catalog.get();
    const auto put = [catalog, job, stamp] { catalog->put_change_stamp(job, stamp); };
    co_await async::run_blocking(core_.pool, put);
    co_return true;
}

asio::awaitable<void> ChangeWatch::wait_for_change(std::shared_ptr<Seen> seen, std::chrono::milliseconds settle,
                                                   std::chrono::milliseconds at_most, async::StopToken stop) {
    if (!seen->watch) {
        co_await async::sleep_for(look_unwatched, stop);
        co_return;
    }
    const auto executor = co_await asio::this_coro::executor;
    const async::Deadline deadline(executor, stop, at_most, "waiting for a change");
    try {
        co_await seen->watch->changed(deadline.token());
    } catch (const base::Error& error) {
        stop.check();
        if (error.code() == base::ErrorCode::timed_out) co_return;
        throw;
    }
    for (int i = 0; i < most_settling; ++i) {
        co_await async::sleep_for(settle, stop);
        if (!seen->watch->drain()) co_return;
    }
}

}  // namespace pgbakd::service
