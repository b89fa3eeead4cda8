#include "run/execute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/retry.hpp"
#include "async/timer.hpp"
#include "base/units.hpp"
#include "host/secrets.hpp"
#include "run/dump_part.hpp"
#include "run/preflight.hpp"
#include "run/prune.hpp"
#include "run/report_file.hpp"
#include "run/stages.hpp"
#include "source/connection.hpp"
#include "source/stock_restore.hpp"

namespace pgbakd::run {
namespace {

constexpr std::chrono::seconds cleanup_patience{10};

model::ErrorReport describe(const base::Error& error) {
    return {std::string(base::code_text(error.code())), error.message(), error.hint()};
}

// Whether going on with the next part makes sense after this one failed so.
bool ends_the_run(const base::Error& error, const async::StopToken& stop) {
    return stop.stopped() || error.code() == base::ErrorCode::no_space;
}

// One run: its parts share the report, the stages and the set that grows.
class Execution {
  public:
    Execution(Services& services, Request request, model::RunReport report, std::shared_ptr<Progress> progress)
        : services_(services),
          request_(std::move(request)),
          job_(*request_.job),
          report_(std::move(report)),
          progress_(std::move(progress)),
          stages_(services.clock, report_, progress_) {}

    asio::awaitable<model::RunReport> run(async::StopToken stop) {
        // A run may have waited for its turn; its story, and its set's name, begin now.
        report_.started_at = services_.clock.now();
        emit(Event::Kind::started,
             fmt::format("started ({}), run {}", model::trigger_text(request_.trigger), request_.run.text()));
        const async::Deadline deadline(services_.executor, stop, job_.timeout, "the run");
        std::exception_ptr failure;
        try {
            co_await all_stages(deadline.token());
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            co_await unwind();
            record_failure(base::to_error(failure));
        }
        job_lock_.reset();
        co_await conclude();
        co_return std::move(report_);
    }

  private:
    asio::awaitable<void> all_stages(async::StopToken stop) {
        stop.check();
        co_await take_lock();
        co_await prepare(stop);
        co_await dump(stop);
        co_await commit();
        if (set_.complete)
            co_await prune();
        else
            stages_.skip(model::StageName::prune, "the set is incomplete");
    }

    asio::awaitable<void> take_lock() {
        const auto* repository = &services_.repository;
        const auto holder = fmt::format("run {} of pgbakd", request_.run.text());
        const auto lock_job = [repository, job = job_.name, holder] { return repository->lock_job(job, holder); };
        job_lock_ = co_await async::run_blocking(services_.pool, lock_job);
        if (job_lock_) co_return;
        const auto lock_holder = [repository, job = job_.name] { return repository->lock_holder(job); };
        const auto who = co_await async::run_blocking(services_.pool, lock_holder);
        throw base::Error(base::ErrorCode::conflict, fmt::format("another run holds this job: {}", who),
                          "wait for it, or end it: pgbakctl cancel");
    }

    asio::awaitable<void> prepare(async::StopToken stop) {
        stages_.begin(model::StageName::preflight);
        const auto resolve_secret = [reference = request_.server.password] { return host::resolve_secret(reference); };
        const auto password = co_await async::run_blocking(services_.pool, resolve_secret);
        source_ = std::make_unique<source::PgDumpSource>(
            services_.executor, services_.pool,
            source::PgDumpSource::Settings{request_.server, job_.source, job_.compression, services_.programs, password,
                                           source::application_name(request_.run.text()), services_.limits.nice});
        async::Backoff backoff(job_.retries.attempts, job_.retries.backoff);
        for (;;) {
            std::exception_ptr failure;
            try {
                ready_ = co_await preflight(services_, *source_, job_, stop);
            } catch (...) {
                failure = std::current_exception();
            }
            if (!failure) break;
            co_await wait_or_rethrow(backoff, failure, "preflight", stop);
        }
        progress_->expected_bytes = ready_.last_set_bytes;
        progress_->parts = ready_.prepared.parts.size();
        for (const auto& text : ready_.prepared.notes) note(text);
        for (const auto& refused : ready_.prepared.refused) part_failed(refused.database, refused.error);
        stages_.end(0, fmt::format("server {}, {}", ready_.prepared.server.version, programs_text()));
    }

    // Waits before the next attempt, or throws the failure when there is to be none.
    asio::awaitable<void> wait_or_rethrow(async::Backoff& backoff, std::exception_ptr failure, std::string what,
                                          async::StopToken stop) {
        stop.check();
        const auto error = base::to_error(failure);
        const auto pause = backoff.after(error, services_.random());
        if (!pause) std::rethrow_exception(failure);
        stages_.set_attempts(backoff.attempt());
        emit(Event::Kind::retrying,
             fmt::format("{} failed, trying again in {}: {}", what, base::format_duration(*pause), error.message()),
             error.hint());
        co_await async::sleep_for(*pause, stop);
    }

    asio::awaitable<void> dump(async::StopToken stop) {
        stages_.begin(model::StageName::dump);
        const auto* repository = &services_.repository;
        const auto name = model::set_name(base::to_instant(report_.started_at), *job_.zone);
        const auto begin = [repository, job = job_.name, name] { return repository->begin(job, name); };
        partial_ = co_await async::run_blocking(services_.pool, begin);
        begin_set();
        progress_->dump_started = services_.clock.steady();
        std::size_t databases = 0;
        for (const auto& part : ready_.prepared.parts) {
            progress_->part = part.kind == "globals" ? part.kind : part.database;
            std::exception_ptr failure;
            try {
                co_await dump_with_retries(part, stop);
                if (part.kind == "database") ++databases;
            } catch (...) {
                failure = std::current_exception();
            }
            ++progress_->parts_done;
            if (!failure) continue;
            const auto error = base::to_error(failure);
            if (ends_the_run(error, stop)) std::rethrow_exception(failure);
            part_failed(part.kind == "globals" ? std::string{} : part.database, error);
        }
        if (databases == 0) throw base::Error(*first_failure_);
        stages_.end(set_.bytes(), fmt::format("{} of {} parts", set_.artifacts.size(),
                                              ready_.prepared.parts.size() + ready_.prepared.refused.size()));
        stages_.begin(model::StageName::verify);
        stages_.end(set_.bytes(), "every artifact was decoded to its end while it was written, and read back");
    }

    asio::awaitable<void> dump_with_retries(source::Part part, async::StopToken stop) {
        const auto stem = part.kind == "globals" ? std::string("globals") : model::file_name_of_database(part.database);
        const auto file = fmt::format("{}_{}{}", stem, partial_->id.set, part.extension);
        const auto what = part.kind == "globals" ? std::string("globals") : fmt::format("\"{}\"", part.database);
        async::Backoff backoff(job_.retries.attempts, job_.retries.backoff);
        for (;;) {
            const auto began = services_.clock.steady();
            std::exception_ptr failure;
            try {
                auto dumped = co_await dump_part(services_, *source_, part, ready_.prepared, partial_->directory, file,
                                                 progress_, stop);
                const auto took =
                    std::chrono::duration_cast<std::chrono::milliseconds>(services_.clock.steady() - began);
                add(std::move(dumped), part.kind == "globals" ? std::string("globals") : part.database, took);
            } catch (...) {
                failure = std::current_exception();
            }
            if (!failure) co_return;
            // The failed attempt's backends must not go on holding locks beside the next one's.
            co_await end_backends();
            co_await wait_or_rethrow(backoff, failure, "dumping " + what, stop);
        }
    }

    void add(DumpedPart dumped, const std::string& name, std::chrono::milliseconds took) {
        for (const auto& text : dumped.notes) note(text);
        Event event = make_event(
            Event::Kind::dumped,
            fmt::format("{} dumped: {} in {} ({} raw), decoded", name, base::format_size(dumped.artifact.bytes),
                        base::format_duration(took), base::format_size(dumped.artifact.raw_bytes)));
        event.bytes = dumped.artifact.bytes;
        event.duration = took;
        event.stage = "dump";
        services_.observe(event);
        set_.restore_order.push_back(dumped.artifact.file);
        set_.artifacts.push_back(std::move(dumped.artifact));
        if (!dumped.facts.database.empty()) set_.databases.push_back(std::move(dumped.facts));
    }

    void begin_set() {
        set_.id = partial_->id;
        set_.run = request_.run;
        set_.host = services_.hostname;
        set_.trigger = std::string(model::trigger_text(request_.trigger));
        set_.started_at = report_.started_at;
        set_.timezone = job_.timezone;
        set_.started_at_local = calendar::format_rfc3339(base::to_instant(set_.started_at), *job_.zone);
        auto& source = set_.source;
        source.server = request_.server.name;
        source.databases = ready_.prepared.databases;
        source.server_version = ready_.prepared.server.version;
        source.server_version_number = ready_.prepared.server.version_number;
        source.client_version = ready_.prepared.programs.version_text;
        source.system_identifier = ready_.prepared.server.system_identifier;
        set_.system = {services_.hostname, services_.user, services_.version};
    }

    asio::awaitable<void> commit() {
        stages_.begin(model::StageName::commit);
        set_.finished_at = services_.clock.now();
        set_.finished_at_local = calendar::format_rfc3339(base::to_instant(set_.finished_at), *job_.zone);
        set_.stock_restore = source::stock_restore(set_);
        const auto* repository = &services_.repository;
        const auto commit = [repository, partial = *partial_, set = set_] { return repository->commit(partial, set); };
        const auto directory = co_await async::run_blocking(services_.pool, commit);
        partial_.reset();
        report_.set = set_.id.text();
        report_.set_directory = directory.string();
        report_.size_bytes = set_.bytes();
        report_.artifacts = set_.artifacts;
        stages_.end(set_.bytes(), report_.set);
        if (set_.complete) {
            report_.outcome = model::Outcome::success;
        } else {
            report_.outcome = model::Outcome::failed;
            report_.error = describe(*first_failure_);
        }
    }

    asio::awaitable<void> prune() {
        stages_.begin(model::StageName::prune);
        const auto* repository = &services_.repository;
        auto* catalog = &services_.catalog;
        const auto now = base::to_instant(services_.clock.now());
        Pruned pruned;
        std::exception_ptr failure;
        try {
            const auto prune_sets = [repository, catalog, job = request_.job, now] {
                return prune_local(*repository, catalog, *job, now);
            };
            pruned = co_await async::run_blocking(services_.pool, prune_sets);
        } catch (...) {
            failure = std::current_exception();
        }
        // The set is there and good: old ones that stay are no failure of this run.
        if (failure) pruned.failures.push_back(base::to_error(failure).message());
        for (const auto& decision : pruned.deleted) {
            auto event = make_event(Event::Kind::pruned,
                                    fmt::format("pruned local set {}: {}", decision.id.set, decision.reason));
            event.set = decision.id.text();
            services_.observe(event);
        }
        for (const auto& text : pruned.failures) note("could not prune " + text);
        stages_.end(0, fmt::format("{} sets removed", pruned.deleted.size()));
    }

    void part_failed(const std::string& database, const base::Error& error) {
        set_.complete = false;
        set_.missing.push_back({database, error.message()});
        if (!first_failure_) first_failure_ = error;
        auto event = make_event(Event::Kind::note, error.message());
        event.hint = error.hint();
        event.stage = progress_->stage;
        services_.observe(event);
    }

    asio::awaitable<void> end_backends() {
        if (!source_) co_return;
        const async::Deadline patience(services_.executor, {}, cleanup_patience, "ending the backends of the run");
        std::exception_ptr unreachable;  // a server that cannot be reached notices by itself that we are gone
        try {
            co_await source_->end_backends(patience.token());
        } catch (...) {
            unreachable = std::current_exception();
        }
    }

    asio::awaitable<void> unwind() {
        if (partial_) {
            const auto* repository = &services_.repository;
            const auto discard = [repository, partial = *partial_] { repository->discard(partial); };
            co_await async::run_blocking(services_.pool, discard);
            co_await end_backends();
        }
    }

    void record_failure(const base::Error& error) {
        stages_.fail(error);
        report_.error = describe(error);
        switch (error.code()) {
            case base::ErrorCode::cancelled: report_.outcome = model::Outcome::cancelled; break;
            case base::ErrorCode::interrupted: report_.outcome = model::Outcome::interrupted; break;
            case base::ErrorCode::conflict:
                report_.outcome = job_lock_ ? model::Outcome::failed : model::Outcome::skipped;
                break;
            default: report_.outcome = model::Outcome::failed;
        }
    }

    asio::awaitable<void> conclude() {
        report_.finished_at = services_.clock.now();
        co_await keep_report(services_, report_, job_.zone);
        auto event = make_event(conclusion(), conclusion_text());
        event.set = report_.set;
        event.bytes = report_.size_bytes;
        event.duration = report_.duration();
        if (report_.error) event.hint = report_.error->hint;
        services_.observe(event);
    }

    [[nodiscard]] Event::Kind conclusion() const {
        switch (report_.outcome) {
            case model::Outcome::running:
            case model::Outcome::failed: return Event::Kind::failed;
            case model::Outcome::success:
            case model::Outcome::warning: return Event::Kind::succeeded;
            case model::Outcome::skipped: return Event::Kind::skipped;
            case model::Outcome::cancelled: return Event::Kind::cancelled;
            case model::Outcome::interrupted: return Event::Kind::interrupted;
        }
        return Event::Kind::failed;
    }

    [[nodiscard]] std::string conclusion_text() const {
        const auto took = base::format_duration(report_.duration());
        const auto why = report_.error ? report_.error->message : std::string{};
        switch (conclusion()) {
            case Event::Kind::succeeded: return fmt::format("succeeded in {}: {}", took, report_.set);
            case Event::Kind::skipped: return "skipped: " + why;
            case Event::Kind::cancelled: return fmt::format("cancelled after {}: {}", took, why);
            case Event::Kind::interrupted: return fmt::format("interrupted after {}: {}", took, why);
            default: break;
        }
        if (!report_.set.empty())
            return fmt::format("failed after {}: incomplete set {} ({} missing): {}", took, report_.set,
                               set_.missing.size(), why);
        return fmt::format("failed after {}: {}", took, why);
    }

    [[nodiscard]] std::string programs_text() const { return ready_.prepared.programs.version_text; }

    void note(const std::string& text) {
        report_.notes.push_back(text);
        emit(Event::Kind::note, text);
    }
    [[nodiscard]] Event make_event(Event::Kind kind, std::string message) const {
        Event event;
        event.kind = kind;
        event.job = job_.name;
        event.run = request_.run.text();
        event.message = std::move(message);
        return event;
    }
    void emit(Event::Kind kind, std::string message, std::string hint = {}) {
        auto event = make_event(kind, std::move(message));
        event.hint = std::move(hint);
        event.stage = progress_->stage;
        services_.observe(event);
    }

  public:
    // Report file and catalog. The set is what counts: a report that cannot be written is told, and changes no outcome.
    static asio::awaitable<void> keep_report(Services& services, model::RunReport& report, calendar::ZonePtr zone) {
        auto* catalog = &services.catalog;
        std::vector<std::string> failures;
        std::exception_ptr failure;
        try {
            const auto to_instant = [directory = services.reports_directory, report, zone] {
                const auto name = model::set_name(base::to_instant(report.started_at), *zone);
                write_report(directory, report, name);
            };
            co_await async::run_blocking(services.pool, to_instant);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) failures.push_back("the report could not be written: " + base::to_error(failure).message());
        failure = nullptr;
        try {
            const auto finish_run = [catalog, report] { catalog->finish_run(report); };
            co_await async::run_blocking(services.pool, finish_run);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            failures.push_back("the catalog could not be written: " + base::to_error(failure).message());
            services.not_recorded(report);
        }
        for (auto& text : failures) {
            Event event;
            event.kind = Event::Kind::note;
            event.job = report.job;
            event.run = report.run.text();
            event.stage = "report";
            event.message = text;
            services.observe(event);
            report.notes.push_back(std::move(text));
        }
    }

  private:
    Services& services_;
    Request request_;
    const model::JobSpec& job_;
    model::RunReport report_;
    std::shared_ptr<Progress> progress_;
    StageLog stages_;
    std::optional<os::FileLock> job_lock_;
    std::unique_ptr<source::PgDumpSource> source_;
    Ready ready_;
    std::optional<repository::Repository::Partial> partial_;
    model::BackupSet set_;
    std::optional<base::Error> first_failure_;
};

}  // namespace

model::RunReport begin_report(const Request& request, base::Timestamp now) {
    model::RunReport report;
    report.run = request.run;
    report.job = request.job->name;
    report.trigger = request.trigger;
    report.slot = request.slot;
    report.started_at = now;
    report.timezone = request.job->timezone;
    return report;
}

asio::awaitable<model::RunReport> execute(Services& services, Request request, model::RunReport report,
                                          std::shared_ptr<Progress> progress, async::StopToken stop) {
    const auto execution =
        std::make_unique<Execution>(services, std::move(request), std::move(report), std::move(progress));
    co_return co_await execution->run(std::move(stop));
}

asio::awaitable<void> record_skipped(Services& services, model::RunReport report, calendar::ZonePtr zone,
                                     base::Error reason) {
    report.outcome = model::Outcome::skipped;
    report.finished_at = report.started_at;
    report.error = describe(reason);
    co_await Execution::keep_report(services, report, std::move(zone));
}

}  // namespace pgbakd::run
