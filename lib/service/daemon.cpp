#include "service/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <optional>
#include <set>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "host/configuration.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "model/json.hpp"
#include "run/reconcile.hpp"
#include "scheduler/driver.hpp"
#include "scheduler/jitter.hpp"
#include "service/configuration_changes.hpp"
#include "service/control_routes.hpp"
#include "service/runner.hpp"
#include "service/start_checks.hpp"
#include "service/status_report.hpp"
#include "service/watchdog.hpp"
#include "source/connection.hpp"
#include "source/pg_dump_source.hpp"
#include "systemd/notifier.hpp"

namespace pgbakd::service {
namespace {

// 2026-11-01: the clock of a machine without a battery begins in 1970; nothing is scheduled before this was written.
constexpr base::Instant earliest_believable{std::chrono::seconds{1793491200}};
constexpr std::chrono::seconds leftover_patience{30};
constexpr std::chrono::days history_kept{400};
constexpr std::size_t most_expired = 100'000;
constexpr std::chrono::seconds progress_period{1};
constexpr std::chrono::seconds status_period{5};
constexpr std::chrono::seconds unwritten_period{5};

using ConfigPtr = std::shared_ptr<const config::Config>;

bool has_error(const std::vector<config::Problem>& problems) {
    return std::any_of(problems.begin(), problems.end(),
                       [](const auto& problem) { return problem.severity == config::Problem::Severity::error; });
}

std::vector<scheduler::PlannedJob> planned_jobs(const config::Config& config, const std::string& host) {
    std::vector<scheduler::PlannedJob> jobs;
    for (const auto& job : config.jobs)
        jobs.push_back({job->name, job->schedule, job->zone, job->catch_up, job->overlap,
                        scheduler::jitter_offset(host, job->name, job->jitter)});
    return jobs;
}

std::size_t cores() {
    return static_cast<std::size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

// What compresses at once, and beside it a thread for each run that may sit in an fsync or read a large file back, so
// that neither a slow disk nor the watchdog's look at the pool stops the others. A thread that waits costs little; a
// reload may raise limits.concurrent_runs up to this many.
std::size_t pool_threads(const model::Limits& limits) {
    constexpr int most_runs_expected = 16;
    const auto compressing = std::max<std::size_t>(cores(), static_cast<std::size_t>(limits.compression_threads));
    return compressing + static_cast<std::size_t>(std::max(most_runs_expected, limits.concurrent_runs)) + 2;
}

std::string search_path() {
    const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing here calls setenv
    return path == nullptr ? "/usr/bin:/bin" : path;
}

// A job whose run is being recorded: not in the runner's queue yet, and no second one may be asked for meanwhile.
class Starting {
  public:
    Starting(std::multiset<std::string>& jobs, const std::string& job) : jobs_(jobs), at_(jobs.insert(job)) {}
    Starting(const Starting&) = delete;
    Starting& operator=(const Starting&) = delete;
    ~Starting() { jobs_.erase(at_); }

  private:
    std::multiset<std::string>& jobs_;
    std::multiset<std::string>::iterator at_;
};

class Daemon final : public Control {
  public:
    Daemon(const DaemonOptions& options, Log& log, ConfigPtr config, calendar::ZoneDatabase& zones)
        : options_(options),
          log_(log),
          zones_(zones),
          config_(std::move(config)),
          repository_(config_->repository.directory),
          pool_(pool_threads(config_->limits), config_->limits.nice),
          planner_(earliest_believable),
          notifier_(systemd::Notifier::from_environment()),
          stop_event_(io_.get_executor()),
          actions_added_(io_.get_executor()),
          unwritten_added_(io_.get_executor()),
          tasks_(io_.get_executor()),
          signals_(io_, SIGTERM, SIGINT, SIGHUP) {
        facts_ = {PGBAKD_VERSION, getpid(), clock_.now(), false};
    }

    DaemonExit run() {
        std::exception_ptr failure;
        asio::co_spawn(io_, live(), [&failure](const std::exception_ptr& thrown) { failure = thrown; });
        io_.run();
        pool_.join();
        if (!failure) return DaemonExit::good;
        const auto error = base::to_error(failure);
        log_.problem(Priority::error, error);
        return error.code() == base::ErrorCode::conflict ? DaemonExit::locked : DaemonExit::failed;
    }

    // --- Control --------------------------------------------------------------------------------------------------
    asio::awaitable<boost::json::object> status() override {
        auto* catalog = catalog_.get();
        const auto find_last_success = [catalog] { return catalog->last_success(); };
        auto last_success = co_await async::run_blocking(pool_, find_last_success);
        const auto config = config_;
        const auto read_sets = [this, config] { return newest_sets(*config); };
        auto newest = co_await async::run_blocking(pool_, read_sets);
        co_return status_json({facts_, *config_, planner_, runner_->active(), std::move(last_success),
                               std::move(newest), clock_.steady()});
    }

    asio::awaitable<std::string> start_run(std::string name) override {
        const auto job = config_->job(name);
        if (!job) throw unknown_job(name);
        if (stopping_) throw base::Error(base::ErrorCode::interrupted, "the daemon is stopping");
        if (runner_->is_running(name) || starting_.contains(name))
            throw base::Error(base::ErrorCode::conflict, fmt::format("a run of {} goes on already", name),
                              "wait for it (pgbakctl status), or end it: pgbakctl cancel RUN");
        const Starting starting(starting_, name);
        auto request = make_request(job, model::Trigger::manual, std::nullopt);
        auto report = run::begin_report(request, clock_.now());
        auto* catalog = catalog_.get();
        const auto begin_run = [catalog, report] { catalog->begin_run(report); };
        co_await async::run_blocking(pool_, begin_run);
        const auto id = request.run.text();
        planner_.on_started(name);
        runner_->add(std::move(request), std::move(report));
        co_return id;
    }

    asio::awaitable<model::RunReport> find_run(std::string run) override {
        const auto id = base::RunId::parse(run).value();
        if (const auto active = runner_->find(run)) co_return active->report;
        for (const auto& report : unwritten_)
            if (report.run == id) co_return report;
        auto* catalog = catalog_.get();
        const auto look_up = [catalog, id] { return catalog->run(id); };
        auto found = co_await async::run_blocking(pool_, look_up);
        if (!found)
            throw base::Error(base::ErrorCode::not_found, fmt::format("there is no run {}", run), "see: pgbakctl runs");
        co_return std::move(*found);
    }

    asio::awaitable<model::RunReport> cancel_run(std::string run) override {
        const auto active = runner_->find(run);
        if (!active) {
            const auto report = co_await find_run(run);
            throw base::Error(base::ErrorCode::conflict,
                              fmt::format("run {} is not going on: {}", run, model::outcome_text(report.outcome)));
        }
        runner_->cancel(active, {base::ErrorCode::cancelled, "cancelled on request"});
        while (!active->done) co_await runner_->changed().wait();
        co_return active->report;
    }

    asio::awaitable<void> follow_run(std::string run, EventWriter writer) override {
        if (const auto active = runner_->find(run)) {
            while (!active->done) {
                auto text = event_text("progress", progress_json(*active, clock_.steady()));
                co_await writer(std::move(text));
                if (!active->done) co_await wait_changed(progress_period);
            }
            auto text = event_text("finished", model::json_run(active->report));
            co_await writer(std::move(text));
            co_return;
        }
        const auto report = co_await find_run(run);
        auto text = event_text("finished", model::json_run(report));
        co_await writer(std::move(text));
    }

    asio::awaitable<ReloadVerdict> reload() override {
        if (stopping_) throw base::Error(base::ErrorCode::interrupted, "the daemon is stopping");
        if (reloading_) throw base::Error(base::ErrorCode::conflict, "a reload is going on already");
        reloading_ = true;
        notifier_.reloading(clock_.steady());
        std::exception_ptr failure;
        ReloadVerdict verdict;
        try {
            verdict = co_await load_again();
        } catch (...) {
            failure = std::current_exception();
        }
        reloading_ = false;
        notifier_.ready(status_line(*config_, planner_, runner_->active()));
        if (failure) std::rethrow_exception(failure);
        co_return verdict;
    }

  private:
    // --- life -----------------------------------------------------------------------------------------------------
    asio::awaitable<void> live() {
        co_await start();
        std::exception_ptr failure;
        try {
            while (!stopping_) co_await stop_event_.wait();
        } catch (...) {
            failure = std::current_exception();
        }
        co_await shut_down();
        if (failure) std::rethrow_exception(failure);
        if (broken_) std::rethrow_exception(broken_);
    }

    asio::awaitable<void> start() {
        const auto open = [this] { return open_state(); };
        const auto interrupted = co_await async::run_blocking(pool_, open);
        auto* catalog = catalog_.get();
        const auto job_states = [catalog] { return catalog->job_states(); };
        const auto states = co_await async::run_blocking(pool_, job_states);
        driver_ = std::make_unique<scheduler::Driver>(
            scheduler::make_clock_timer(io_.get_executor()), clock_, planner_,
            [this](std::vector<scheduler::Action> actions) { act(std::move(actions)); });
        server_ = std::make_unique<ControlServer>(io_.get_executor(), config_->api_socket, [this](HttpRequest request) {
            return answer_request(*this, std::move(request));
        });
        act(planner_.load(planned_jobs(*config_, services_->hostname), states, now()));
        const auto stop = background_.token();
        spawn(carry_out(stop));
        spawn(driver_->run(stop));
        spawn(server_->serve(stop));
        spawn(feed_watchdog(
            notifier_, pool_, [this] { driver_->rearm(); }, [this] { return driver_->ticks(); }, stop));
        spawn(show_status(stop));
        spawn(obey_signals(stop));
        spawn(end_leftover_backends(interrupted, stop));
        spawn(write_unwritten(stop));
        facts_.ready = true;
        const auto line = status_line(*config_, planner_, runner_->active());
        notifier_.ready(line);
        log_.write(Priority::info, "ready: " + line, systemd::daemon_ready);
    }

    // Blocks. Everything that must be ours before anything runs.
    std::vector<model::RunReport> open_state() {
        repository_.prepare();
        const auto holder = fmt::format("pgbakd, pid {}", getpid());
        daemon_lock_ = repository_.lock_daemon(holder);
        if (!daemon_lock_)
            throw base::Error(base::ErrorCode::conflict,
                              fmt::format("another daemon works on the repository {}: {}",
                                          repository_.directory().string(), repository_.daemon_lock_holder()),
                              "stop it, or give this one a repository.directory of its own");
        catalog_ = catalog::Catalog::open(config_->state_file(), clock_.now());
        if (catalog_->was_damaged())
            startup_notes_.push_back("the state file was damaged: it was moved aside and begun anew");
        services_ = std::make_unique<run::Services>(
            run::Services{io_.get_executor(), pool_, clock_, repository_, *catalog_, config_->reports_directory,
                          config_->repository.min_free, config_->limits, cores(),
                          postgres::ProgramSearch::standard(search_path()), host::host_name(), host::user_name(),
                          PGBAKD_VERSION, host::random_number, [this](const run::Event& event) { log_.event(event); },
                          [this](const model::RunReport& report) { keep_later(report); }});
        runner_ = std::make_unique<Runner>(*services_, [this](const model::RunReport& report) { ended(report); });
        auto reconciled = run::reconcile(repository_, *catalog_, config_->reports_directory, clock_.now());
        if (catalog_->was_damaged()) rebuild_catalog();
        (void)catalog_->expire_runs(clock_.now() - history_kept, most_expired);
        for (const auto& report : reconciled.finished)
            startup_notes_.push_back(fmt::format("{}: run {} had left its set before the daemon ended: {}", report.job,
                                                 report.run.text(), report.set));
        for (const auto& report : reconciled.interrupted)
            startup_notes_.push_back(fmt::format("{}: run {} was interrupted: the daemon ended in the middle of it",
                                                 report.job, report.run.text()));
        for (const auto& path : reconciled.swept)
            startup_notes_.push_back("removed what an interrupted run left: " + path.string());
        for (const auto& failure : reconciled.failures) startup_notes_.push_back(failure);
        return std::move(reconciled.interrupted);
    }

    void rebuild_catalog() {
        std::vector<model::BackupSet> manifests;
        for (auto& set : repository_.sets())
            if (set.problem.empty()) manifests.push_back(std::move(set.manifest));
        (void)catalog_->rescan(manifests);
    }

    asio::awaitable<void> shut_down() {
        notifier_.stopping("stopping");
        log_.write(Priority::info, "stopping", systemd::daemon_stopping);
        const auto grace = std::chrono::duration_cast<std::chrono::microseconds>(config_->shutdown_grace);
        if (!runner_->active().empty()) notifier_.extend_timeout(grace);
        co_await runner_->shut_down({base::ErrorCode::interrupted, "the daemon was stopped"});
        background_.stop({base::ErrorCode::interrupted, "the daemon was stopped"});
        actions_added_.notify();
        while (tasks_.running() > 0) {
            try {
                co_await tasks_.join();
            } catch (const std::exception&) {
                continue;  // told by spawn()'s handler
            }
        }
        // A request or a fire that was under way may have added a run meanwhile.
        co_await runner_->shut_down({base::ErrorCode::interrupted, "the daemon was stopped"});
        server_.reset();
        driver_.reset();
        daemon_lock_.reset();
        log_.write(Priority::info, "stopped");
    }

    // A part of the daemon that fails takes the daemon with it: systemd starts it again, and that is told.
    void spawn(asio::awaitable<void> task) {
        tasks_.spawn(std::move(task), [this](const std::exception_ptr& failure) {
            if (background_.stopped()) return;
            if (!broken_) broken_ = failure;
            request_stop();
        });
    }

    void request_stop() {
        stopping_ = true;
        stop_event_.notify();
    }

    asio::awaitable<void> obey_signals(async::StopToken stop) {
        const auto registration = stop.on_stop([this] { signals_.cancel(); });
        for (;;) {
            boost::system::error_code failure;
            const int number = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, failure));
            stop.check();
            if (failure) continue;
            if (number != SIGHUP) {
                request_stop();
                continue;
            }
            std::exception_ptr refused;
            try {
                (void)co_await reload();
            } catch (...) {
                refused = std::current_exception();
            }
            if (refused) log_.problem(Priority::warning, base::to_error(refused), systemd::reload_refused);
        }
    }

    asio::awaitable<void> show_status(async::StopToken stop) {
        std::string shown;
        for (;;) {
            stop.check();
            auto line = status_line(*config_, planner_, runner_->active());
            if (line != shown && !stopping_) notifier_.status(line);
            shown = std::move(line);
            // While nothing runs nothing changes, and nobody is woken.
            if (runner_->active().empty())
                co_await runner_->changed().wait(stop);
            else
                co_await wait_changed(status_period);
        }
    }

    // Backends of runs that a kill left: their client is gone, but they may hold locks until they notice.
    asio::awaitable<void> end_leftover_backends(std::vector<model::RunReport> interrupted, async::StopToken stop) {
        for (const auto& report : interrupted) {
            const auto job = config_->job(report.job);
            if (job) {
                co_await end_backends_on(config_->servers.at(job->source.server), report, stop);
                continue;
            }
            // The job has left the configuration, and with it where its run was: any server may hold them.
            const auto servers = config_->servers;
            for (const auto& [name, server] : servers) co_await end_backends_on(server, report, stop);
        }
    }

    asio::awaitable<void> end_backends_on(model::ServerSpec server, model::RunReport report, async::StopToken stop) {
        const async::Deadline patience(io_.get_executor(), stop, leftover_patience, "ending leftover backends");
        std::exception_ptr failure;
        std::size_t ended = 0;
        try {
            auto source = co_await make_source(server, report.run.text());
            ended = co_await source->end_backends(patience.token());
        } catch (...) {
            failure = std::current_exception();
        }
        stop.check();
        if (failure)
            log_.problem(Priority::warning, base::to_error(failure).during(report.job));
        else if (ended > 0)
            log_.write(Priority::warning, fmt::format("{}: ended {} server processes that run {} had left", report.job,
                                                      ended, report.run.text()));
    }

    asio::awaitable<std::unique_ptr<source::PgDumpSource>> make_source(model::ServerSpec server, std::string run) {
        const auto resolve_secret = [reference = server.password] { return host::resolve_secret(reference); };
        const auto password = co_await async::run_blocking(pool_, resolve_secret);
        source::PgDumpSource::Settings settings;
        settings.server = std::move(server);
        settings.programs = services_->programs;
        settings.password = password;
        settings.application = source::application_name(run);
        co_return std::make_unique<source::PgDumpSource>(io_.get_executor(), pool_, std::move(settings));
    }

    // --- reports that could not be written --------------------------------------------------------------------------
    void keep_later(const model::RunReport& report) {
        unwritten_.push_back(report);
        unwritten_added_.notify();
    }

    // The catalog's disk may be full, or another program may hold its lock: what ended has ended, and is recorded as
    // soon as that is possible.
    asio::awaitable<void> write_unwritten(async::StopToken stop) {
        auto* catalog = catalog_.get();
        for (;;) {
            while (unwritten_.empty()) co_await unwritten_added_.wait(stop);
            co_await async::sleep_for(unwritten_period, stop);
            const auto report = unwritten_.front();
            const auto finish_run = [catalog, report] { catalog->finish_run(report); };
            std::exception_ptr failure;
            try {
                co_await async::run_blocking(pool_, finish_run);
            } catch (const base::Error&) {
                failure = std::current_exception();
            }
            if (failure) continue;
            unwritten_.pop_front();
            log_.write(Priority::info, fmt::format("{}: run {} is recorded now", report.job, report.run.text()));
        }
    }

    // --- schedule -------------------------------------------------------------------------------------------------
    [[nodiscard]] base::Instant now() const { return base::to_instant(clock_.now()); }

    void act(std::vector<scheduler::Action> actions) {
        for (auto& action : actions) actions_.push_back(std::move(action));
        actions_added_.notify();
    }

    // One after the other, in the planner's order: a slot is on the disk before its run starts and before the next
    // action is looked at.
    asio::awaitable<void> carry_out(async::StopToken stop) {
        for (const auto& note : startup_notes_) log_.write(Priority::warning, note);
        for (;;) {
            while (!actions_.empty() && !stopping_) {
                const auto action = std::make_shared<scheduler::Action>(std::move(actions_.front()));
                actions_.pop_front();
                std::exception_ptr failure;
                try {
                    co_await carry_out_one(action);
                } catch (...) {
                    failure = std::current_exception();
                }
                if (failure) log_.problem(Priority::error, base::to_error(failure).during("recording a schedule"));
                if (failure && std::holds_alternative<scheduler::Start>(*action))
                    finished(std::get<scheduler::Start>(*action).job);
            }
            co_await actions_added_.wait(stop);
        }
    }

    asio::awaitable<void> carry_out_one(std::shared_ptr<const scheduler::Action> action) {
        auto* catalog = catalog_.get();
        if (const auto* start = std::get_if<scheduler::Start>(action.get())) {
            co_await start_scheduled(*start);
        } else if (const auto* skip = std::get_if<scheduler::Skip>(action.get())) {
            co_await record_skip(*skip);
        } else if (const auto* anchor = std::get_if<scheduler::Anchor>(action.get())) {
            const auto put_job_state = [catalog, state = anchor->state] { catalog->put_job_state(state); };
            co_await async::run_blocking(pool_, put_job_state);
        } else if (const auto* forget = std::get_if<scheduler::Forget>(action.get())) {
            const auto forget_job = [catalog, job = forget->job] { catalog->forget_job(job); };
            co_await async::run_blocking(pool_, forget_job);
        } else if (const auto* missed = std::get_if<scheduler::Missed>(action.get())) {
            log_.write(Priority::warning,
                       fmt::format("{}: missed {}{} {}, the latest at {}", missed->job,
                                   missed->more ? "more than " : "", missed->count,
                                   missed->count == 1 ? "fire" : "fires", people_time(missed->job, missed->latest)),
                       systemd::fire_missed, {{"PGBAKD_JOB", missed->job}});
        } else if (const auto* moved = std::get_if<scheduler::Moved>(action.get())) {
            log_.write(Priority::info, moved->to ? fmt::format("{}: new time zone rules moved the next fire to {}",
                                                               moved->job, people_time(moved->job, *moved->to))
                                                 : moved->job + ": new time zone rules left no further fire");
        } else if (const auto* warning = std::get_if<scheduler::Warning>(action.get())) {
            log_.problem(Priority::warning, {base::ErrorCode::internal, warning->message, warning->hint});
        }
    }

    asio::awaitable<void> start_scheduled(scheduler::Start start) {
        const auto job = config_->job(start.job);
        if (!job) {
            finished(start.job);
            co_return;
        }
        const Starting starting(starting_, start.job);
        const auto trigger = start.catch_up ? model::Trigger::catch_up : model::Trigger::schedule;
        auto request = make_request(job, trigger, start.repeated ? std::nullopt : std::optional(start.slot));
        auto report = run::begin_report(request, clock_.now());
        auto* catalog = catalog_.get();
        // A repeated slot may have run before: it is a run without one.
        const auto take_slot = [catalog, start, report] {
            if (!start.repeated) return catalog->take_slot(start.state, start.slot, report);
            catalog->begin_run(report);
            return true;
        };
        const bool taken = co_await async::run_blocking(pool_, take_slot);
        if (taken) {
            runner_->add(std::move(request), std::move(report));
            co_return;
        }
        log_.write(Priority::warning,
                   fmt::format("{}: the fire of {} was run before", start.job, people_time(start.job, start.slot)));
        finished(start.job);
    }

    asio::awaitable<void> record_skip(scheduler::Skip skip) {
        const std::string reason(scheduler::reason_text(skip.reason));
        log_.write(Priority::warning,
                   fmt::format("{}: the fire of {} is skipped: {}", skip.job, people_time(skip.job, skip.slot), reason),
                   systemd::fire_missed, {{"PGBAKD_JOB", skip.job}});
        auto* catalog = catalog_.get();
        const auto put_job_state = [catalog, state = skip.state] { catalog->put_job_state(state); };
        co_await async::run_blocking(pool_, put_job_state);
        const auto job = config_->job(skip.job);
        if (!job) co_return;
        const auto request = make_request(job, model::Trigger::schedule, skip.slot);
        auto report = run::begin_report(request, clock_.now());
        co_await run::record_skipped(*services_, std::move(report), job->zone,
                                     {base::ErrorCode::conflict, reason, "see overlap and catch_up of this job"});
    }

    void ended(const model::RunReport& report) { finished(report.job); }

    void finished(const std::string& job) {
        act(planner_.on_finished(job, now()));
        driver_->rearm();
    }

    // --- reload ---------------------------------------------------------------------------------------------------
    asio::awaitable<ReloadVerdict> load_again() {
        // A newer time zone database is read with the new configuration.
        zones_.forget();
        const auto at = now();
        const auto load_files = [this, at] {
            auto result = host::load_configuration(options_.configuration, zones_, at);
            if (result.config)
                for (auto& problem : unreadable_secrets(*result.config)) result.problems.push_back(std::move(problem));
            return result;
        };
        auto loaded = co_await async::run_blocking(pool_, load_files);
        if (loaded.config)
            for (auto& problem : needs_restart(*config_, *loaded.config, options_.configuration.string()))
                loaded.problems.push_back(std::move(problem));
        ReloadVerdict verdict;
        verdict.problems = loaded.problems;
        for (const auto& problem : loaded.problems)
            log_.write(problem.severity == config::Problem::Severity::error ? Priority::error : Priority::warning,
                       config::problem_text(problem));
        if (!loaded.config || has_error(loaded.problems)) {
            log_.write(Priority::error, "reload refused: the old configuration stays in force",
                       systemd::reload_refused);
            co_return verdict;
        }
        verdict.accepted = true;
        verdict.changes = changes(*config_, *loaded.config);
        apply(loaded.config);
        log_.write(Priority::info,
                   verdict.changes.empty() ? "reloaded: no changes"
                                           : fmt::format("reloaded: {}", fmt::join(verdict.changes, ", ")),
                   systemd::reload_accepted);
        co_return verdict;
    }

    // Runs in flight hold the job they started with; everything else looks here.
    void apply(ConfigPtr config) {
        config_ = std::move(config);
        services_->limits = config_->limits;
        services_->min_free = config_->repository.min_free;
        act(planner_.load(planned_jobs(*config_, services_->hostname), {}, now()));
        driver_->rearm();
        runner_->limits_changed();
    }

    // --- small things ---------------------------------------------------------------------------------------------
    run::Request make_request(std::shared_ptr<const model::JobSpec> job, model::Trigger trigger,
                              std::optional<base::Instant> slot) {
        std::array<std::byte, 10> random{};
        for (auto& byte : random) byte = static_cast<std::byte>(services_->random() & 0xffU);
        const auto& server = config_->servers.at(job->source.server);
        return {std::move(job), server, base::RunId::make(clock_.now(), random), trigger, slot};
    }

    [[nodiscard]] std::string people_time(const std::string& job, base::Instant at) const {
        const auto spec = config_->job(job);
        return calendar::format_for_people(at, spec ? *spec->zone : *config_->zone);
    }

    [[nodiscard]] base::Error unknown_job(const std::string& name) const {
        std::vector<std::string> names;
        for (const auto& job : config_->jobs) names.push_back(job->name);
        const auto near = base::closest(name, names);
        return {base::ErrorCode::not_found, fmt::format("there is no job \"{}\"", base::printable(name)),
                near ? fmt::format("did you mean \"{}\"?", *near) : fmt::format("jobs: {}", base::join(names, ", "))};
    }

    // Blocks: reads manifests.
    [[nodiscard]] std::map<std::string, NewestSet> newest_sets(const config::Config& config) const {
        std::map<std::string, NewestSet> newest;
        std::set<model::SetId> corrupt;
        for (const auto& state : catalog_->set_states())
            if (state.corrupt) corrupt.insert(state.id);
        for (const auto& job : config.jobs) {
            const auto set = repository_.newest(
                job->name, [&corrupt](const auto& candidate) { return !corrupt.contains(candidate.manifest.id); });
            if (!set) continue;
            newest[job->name] = {set->manifest.id.text(), set->manifest.started_at, set->manifest.bytes(),
                                 std::string(model::verification_text(set->manifest.verified()))};
        }
        return newest;
    }

    asio::awaitable<void> wait_changed(std::chrono::milliseconds at_most) {
        const async::Deadline soon(io_.get_executor(), background_.token(), at_most, "a change");
        try {
            co_await runner_->changed().wait(soon.token());
        } catch (const base::Error& error) {
            if (background_.stopped()) throw;
        }
    }

    DaemonOptions options_;
    Log& log_;
    calendar::ZoneDatabase& zones_;
    base::SystemClock clock_;
    ConfigPtr config_;
    repository::Repository repository_;
    asio::io_context io_{1};
    async::Pool pool_;
    scheduler::Planner planner_;
    systemd::Notifier notifier_;
    std::optional<os::FileLock> daemon_lock_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::unique_ptr<run::Services> services_;
    std::unique_ptr<Runner> runner_;
    std::unique_ptr<scheduler::Driver> driver_;
    std::unique_ptr<ControlServer> server_;
    std::vector<std::string> startup_notes_;
    std::deque<scheduler::Action> actions_;
    std::deque<model::RunReport> unwritten_;
    std::multiset<std::string> starting_;
    DaemonFacts facts_;
    async::StopSource background_;
    async::Event stop_event_;
    async::Event actions_added_;
    async::Event unwritten_added_;
    async::TaskGroup tasks_;
    asio::signal_set signals_;
    std::exception_ptr broken_;
    bool stopping_ = false;
    bool reloading_ = false;
};

config::LoadResult load(const std::filesystem::path& file, calendar::ZoneDatabase& zones) {
    return host::load_configuration(file, zones, base::to_instant(base::SystemClock().now()));
}

}  // namespace

DaemonExit run_daemon(const DaemonOptions& options) {
    Log log(options.log_to_stderr);
    calendar::ZoneDatabase zones;
    auto loaded = load(options.configuration, zones);
    if (loaded.config)
        for (auto& problem : unreadable_secrets(*loaded.config)) loaded.problems.push_back(std::move(problem));
    for (const auto& problem : loaded.problems)
        log.write(problem.severity == config::Problem::Severity::error ? Priority::error : Priority::warning,
                  config::problem_text(problem));
    if (!loaded.config || has_error(loaded.problems)) {
        log.write(Priority::error, "not started: the configuration is wrong");
        return DaemonExit::wrong_configuration;
    }
    try {
        Daemon daemon(options, log, loaded.config, zones);
        return daemon.run();
    } catch (const std::exception&) {
        log.problem(Priority::error, base::to_error(std::current_exception()));
        return DaemonExit::failed;
    }
}

DaemonExit check_configuration(const std::filesystem::path& configuration) {
    calendar::ZoneDatabase zones;
    const auto loaded = load(configuration, zones);
    for (const auto& problem : loaded.problems) std::cerr << config::problem_text(problem) << '\n';
    if (!loaded.config) return DaemonExit::wrong_configuration;
    std::cout << configuration.string() << ": valid, " << loaded.config->jobs.size() << " jobs\n";
    return DaemonExit::good;
}

}  // namespace pgbakd::service
