#include "service/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "async/task_group.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "host/configuration.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "os/children.hpp"
#include "run/reconcile.hpp"
#include "service/alert_sender.hpp"
#include "service/change_watch.hpp"
#include "service/control_server.hpp"
#include "service/copy_sender.hpp"
#include "service/core.hpp"
#include "service/dispatcher.hpp"
#include "service/health_watch.hpp"
#include "service/leftover_backends.hpp"
#include "service/network_server.hpp"
#include "service/operations.hpp"
#include "service/overview.hpp"
#include "service/reloader.hpp"
#include "service/start_checks.hpp"
#include "service/status_line.hpp"
#include "service/unwritten_reports.hpp"
#include "service/watchdog.hpp"
#include "service/zone_watch.hpp"
#include "systemd/message_ids.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::days history_kept{400};
constexpr std::size_t most_expired = 100'000;
constexpr std::chrono::microseconds least_grace = std::chrono::seconds(1);
constexpr std::chrono::microseconds last_words =
    std::chrono::seconds(5);  // to give up, and say so, before systemd kills

std::string search_path() {
    const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing here calls setenv
    return path == nullptr ? "/usr/bin:/bin" : path;
}

class Daemon {
  public:
    Daemon(const DaemonOptions& options, Log& log, ConfigPtr config, calendar::ZoneDatabase& zones)
        : core_(options.configuration, log, zones, std::move(config)),
          dispatcher_(core_),
          unwritten_(core_),
          overview_(core_),
          sender_(core_, overview_),
          alerts_(core_),
          health_(core_),
          network_(core_.io.get_executor(), log, [this](HttpRequest request) { return answer(std::move(request)); }),
          changes_(core_, dispatcher_),
          reloader_(core_, dispatcher_, sender_, network_, alerts_, health_, changes_),
          operations_(core_, facts_, dispatcher_, unwritten_, reloader_, overview_, alerts_, background_.token()),
          stop_event_(core_.io.get_executor()),
          tasks_(core_.io.get_executor()),
          grace_(core_.io),
          signals_(core_.io, SIGTERM, SIGINT, SIGHUP) {
        facts_ = {PGBAKD_VERSION, getpid(), core_.clock.now(), false};
        dispatcher_.on_skipped([this](const std::string& job) { overview_.skipped(job); });
        tell_of_health();
    }

    DaemonExit run() {
        std::exception_ptr failure;
        asio::co_spawn(core_.io, live(), [&failure](const std::exception_ptr& thrown) { failure = thrown; });
        core_.io.run();
        core_.pool.join();
        if (!failure) return DaemonExit::good;
        const auto error = base::to_error(failure);
        core_.log.problem(Priority::error, error);
        return error.code() == base::ErrorCode::conflict ? DaemonExit::locked : DaemonExit::failed;
    }

  private:
    // Who hears of what: what happens leads to findings, these to alerts, and `status` shows both.
    void tell_of_health() {
        dispatcher_.on_missed([this](const scheduler::Missed& missed) {
            health_.missed(missed.job, {missed.count, missed.more, core_.people_time(missed.job, missed.latest)});
        });
        health_.on_findings([this] {
            overview_.checked(core_.clock.now());
            overview_.concerns_changed();
        });
        health_.on_alerts([this] { alerts_.wake(); });
        alerts_.on_change([this] { health_.look(); });
        sender_.on_copies([this](const std::string& job) { health_.changed(job); });
        health_.on_unrecorded(
            [this](std::optional<std::vector<model::Finding>> findings) { overview_.unrecorded(std::move(findings)); });
        alerts_.on_backlog([this] { overview_.concerns_changed(); });
    }

    asio::awaitable<void> live() {
        co_await start();
        std::exception_ptr failure;
        try {
            while (!core_.stopping) co_await stop_event_.wait();
        } catch (...) {
            failure = std::current_exception();
        }
        co_await shut_down();
        if (failure) std::rethrow_exception(failure);
        if (broken_) std::rethrow_exception(broken_);
    }

    // --- start ------------------------------------------------------------------------------------------------------
    asio::awaitable<void> start() {
        const auto open = [this] { return open_state(); };
        const auto interrupted = co_await async::run_blocking(core_.pool, open);
        for (const auto& note : startup_notes_) core_.log.write(Priority::warning, note);
        auto* catalog = core_.catalog.get();
        const auto job_states = [catalog] { return catalog->job_states(); };
        const auto states = co_await async::run_blocking(core_.pool, job_states);
        core_.driver = std::make_unique<scheduler::Driver>(
            scheduler::make_clock_timer(core_.io.get_executor()), core_.clock, core_.planner,
            [this](std::vector<scheduler::Action> actions) { dispatcher_.act(std::move(actions)); });
        server_ = std::make_unique<ControlServer>(core_.io.get_executor(), core_.config->api_socket,
                                                  [this](HttpRequest request) { return answer(std::move(request)); });
        const auto config = core_.config;
        const auto read_token = [config] { return api_token(*config); };
        const auto token = co_await async::run_blocking(core_.pool, read_token);
        network_.configure(config->api_listen, token);
        auto actions = core_.planner.load(core_.planned_jobs(), states, core_.now());
        co_await dispatcher_.act_first(std::move(actions));
        const auto stop = background_.token();
        spawn(dispatcher_.carry_out(stop));
        spawn(core_.driver->run(stop));
        spawn(server_->serve(stop));
        spawn(network_.serve(stop));
        spawn(overview_.keep(stop));
        spawn(operations_.keep_ready(stop));
        spawn(feed_watchdog(
            core_.notifier, core_.pool, [this] { core_.driver->rearm(); }, [this] { return core_.driver->ticks(); },
            stop));
        spawn(show_status_line(core_, stop));
        spawn(obey_signals(stop));
        spawn(end_leftover_backends(core_, interrupted, stop));
        spawn(unwritten_.write(stop));
        spawn(sender_.send(stop));
        spawn(sender_.sweep(stop));
        spawn(health_.watch(stop));
        spawn(alerts_.send(stop));
        spawn(changes_.watch(stop));
        spawn(watch_zones(core_, reloader_, stop));
        facts_.ready = true;
        const auto line = core_.status_line();
        core_.notifier.ready(line);
        core_.log.write(Priority::info, "ready: " + line, systemd::daemon_ready);
    }

    asio::awaitable<HttpAnswer> answer(HttpRequest request) { return answer_request(operations_, std::move(request)); }

    void observe(const run::Event& event) {
        core_.log.event(event);
        if (event.kind == run::Event::Kind::started) health_.started(event.job, event.run);
    }

    // Blocks. Everything that must be ours before anything runs.
    std::vector<model::RunReport> open_state() {
        auto& repository = core_.repository;
        repository.prepare();
        const auto holder = fmt::format("pgbakd, pid {}", getpid());
        daemon_lock_ = repository.lock_daemon(holder);
        if (!daemon_lock_)
            throw base::Error(base::ErrorCode::conflict,
                              fmt::format("another daemon works on the repository {}: {}",
                                          repository.directory().string(), repository.daemon_lock_holder()),
                              "stop it, or give this one a repository.directory of its own, in another parent "
                              "directory");
        const auto& config = *core_.config;
        lock_state(holder);
        core_.catalog = catalog::Catalog::open(config.state_file(), core_.clock.now());
        auto& catalog = *core_.catalog;
        if (catalog.was_damaged())
            startup_notes_.push_back("the state file was damaged: it was moved aside and begun anew");
        core_.targets = std::make_unique<offsite::Targets>(offsite::Surroundings{
            core_.io.get_executor(), core_.pool, core_.clock, host::random_number,
            [](const model::SecretReference& secret) { return host::resolve_secret(secret); }, search_path(),
            config.api_socket.parent_path(),
            [this](const std::string& name, const base::Error& why) {
                core_.log.problem(
                    Priority::warning,
                    {why.code(), fmt::format("target {} has stalled, it is tried again: {}", name, why.message()),
                     why.hint()});
            }});
        core_.targets->configure(config.targets, config.limits.upload_rate);
        core_.services = std::make_unique<run::Services>(
            run::Services{core_.io.get_executor(), core_.pool, core_.clock, repository, catalog, *core_.targets,
                          config.reports_directory, config.repository.min_free, config.limits,
                          static_cast<std::size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))),
                          postgres::ProgramSearch::standard(search_path()), host::host_name(), host::user_name(),
                          PGBAKD_VERSION, host::random_number, [this](const run::Event& event) { observe(event); },
                          [this](const model::RunReport& report) { unwritten_.keep(report); }});
        core_.runner = std::make_unique<Runner>(*core_.services, [this](const model::RunReport& report) {
            dispatcher_.finished(report.job);
            overview_.finished(report);
            sender_.wake();
            health_.finished(report);
        });
        auto reconciled = run::reconcile(repository, catalog, config.reports_directory, config.jobs, core_.clock.now());
        if (catalog.was_damaged()) rebuild_catalog();
        (void)catalog.expire_runs(core_.clock.now(), history_kept, most_expired);
        for (const auto& report : reconciled.finished)
            startup_notes_.push_back(fmt::format("{}: run {} had left its set before the daemon ended: {}", report.job,
                                                 report.run.text(), report.set));
        for (const auto& report : reconciled.interrupted)
            startup_notes_.push_back(fmt::format("{}: run {} was interrupted: the daemon ended in the middle of it",
                                                 report.job, report.run.text()));
        for (auto& note : reconciled.notes) startup_notes_.push_back(std::move(note));
        for (const auto& path : reconciled.swept)
            startup_notes_.push_back("removed what an interrupted run left: " + path.string());
        for (const auto& failure : reconciled.failures) startup_notes_.push_back(failure);
        return std::move(reconciled.interrupted);
    }

    // The state file stands beside the repository's directory: two repositories in one directory would share it, and
    // each daemon would take the other's runs for its own.
    void lock_state(const std::string& holder) {
        const auto file = core_.config->state_file().native() + ".lock";
        state_lock_ = os::FileLock::try_lock(file, holder);
        if (state_lock_) return;
        throw base::Error(base::ErrorCode::conflict,
                          fmt::format("another daemon keeps its state in {}: {}", core_.config->state_file().native(),
                                      os::FileLock::holder(file)),
                          "the state file stands beside repository.directory: give this daemon's repository another "
                          "parent directory");
    }

    void rebuild_catalog() {
        std::vector<model::BackupSet> manifests;
        for (auto& set : core_.repository.sets())
            if (set.problem.empty()) manifests.push_back(std::move(set.manifest));
        (void)core_.catalog->rescan(manifests);
    }

    // --- stop -------------------------------------------------------------------------------------------------------
    asio::awaitable<void> shut_down() {
        core_.notifier.stopping("stopping");
        core_.log.write(Priority::info, "stopping", systemd::daemon_stopping);
        const auto grace = std::chrono::duration_cast<std::chrono::microseconds>(core_.config->shutdown_grace);
        core_.notifier.extend_timeout(std::max(grace, least_grace) + last_words);
        grace_.expires_after(std::max(grace, least_grace));
        alerts_.end_by(core_.clock.steady() + std::max(grace, least_grace));
        grace_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled) give_up();
        });
        co_await core_.runner->shut_down({base::ErrorCode::interrupted, "the daemon was stopped"});
        background_.stop({base::ErrorCode::interrupted, "the daemon was stopped"});
        co_await tasks_.settle();  // failures were told by spawn()'s handler
        // A request or a fire that was under way may have added a run meanwhile.
        co_await core_.runner->shut_down({base::ErrorCode::interrupted, "the daemon was stopped"});
        co_await dispatcher_.settle();
        server_.reset();
        core_.driver.reset();
        state_lock_.reset();
        daemon_lock_.reset();
        grace_.cancel();
        core_.log.write(Priority::info, "stopped");
    }

    // What hangs (a mount whose server is away, a program that ignores its end) must not keep the host from going down.
    // Children die with us, but what they have started does not. The server notices that its clients are gone, and the
    // next start does the rest.
    [[noreturn]] void give_up() {
        std::string not_killed;
        try {
            (void)os::kill_children();
        } catch (const std::exception& error) {
            not_killed = fmt::format(" (what its programs have started may live on until then: {})", error.what());
        }
        core_.log.write(
            Priority::error,
            fmt::format("shutdown_grace ({}) is over and not everything has wound up ({} runs): ended as it "
                        "stands, the next start puts right what is left{}",
                        base::canonical_duration(core_.config->shutdown_grace), core_.runner->active().size(),
                        not_killed));
        std::_Exit(static_cast<int>(DaemonExit::failed));
    }

    void request_stop() {
        core_.stopping = true;
        stop_event_.notify();
    }

    // A part of the daemon that fails takes the daemon with it: systemd starts it again, and that is told.
    void spawn(asio::awaitable<void> task) {
        tasks_.spawn(std::move(task), [this](const std::exception_ptr& failure) {
            if (background_.stopped()) return;
            if (!broken_) broken_ = failure;
            request_stop();
        });
    }

    // --- signals and systemd ----------------------------------------------------------------------------------------
    asio::awaitable<void> obey_signals(async::StopToken stop) {
        // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): it lives until the end of the scope
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
            // A task of its own: a configuration on a file system that hangs must not keep SIGTERM waiting.
            spawn(reload_on_signal());
        }
    }

    asio::awaitable<void> reload_on_signal() {
        std::exception_ptr refused;
        try {
            (void)co_await reloader_.reload();
        } catch (...) {
            refused = std::current_exception();
        }
        if (refused) core_.log.problem(Priority::warning, base::to_error(refused), systemd::reload_refused);
    }

    Core core_;
    DaemonFacts facts_;
    async::StopSource background_;
    Dispatcher dispatcher_;
    UnwrittenReports unwritten_;
    Overview overview_;
    CopySender sender_;
    AlertSender alerts_;
    HealthWatch health_;
    NetworkServer network_;
    ChangeWatch changes_;
    Reloader reloader_;
    Operations operations_;
    std::optional<os::FileLock> daemon_lock_, state_lock_;
    std::unique_ptr<ControlServer> server_;
    std::vector<std::string> startup_notes_;
    async::Event stop_event_;
    async::TaskGroup tasks_;
    asio::steady_timer grace_;
    asio::signal_set signals_;
    std::exception_ptr broken_;
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
    log_problems(log, loaded.problems);
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
    std::cout << configuration.string() << ": valid, " << base::counted(loaded.config->jobs.size(), "job") << '\n';
    return DaemonExit::good;
}

}  // namespace pgbakd::service
