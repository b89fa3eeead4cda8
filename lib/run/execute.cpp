#include "run/execute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "holdings/corruption.hpp"
#include "os/file.hpp"
#include "run/conclusion.hpp"
#include "run/context.hpp"
#include "run/copies.hpp"
#include "run/dump_stage.hpp"
#include "run/make_source.hpp"
#include "run/prune_stage.hpp"

namespace pgbakd::run {
namespace {

// Nothing but artifacts may lie in a directory that becomes a set: what a failed part could not clean up behind itself
// is removed now, or the set is not committed. Blocks.
void remove_all_but(const std::filesystem::path& directory, const std::vector<model::Artifact>& artifacts) {
    for (const auto& name : os::list_directory(directory)) {
        const bool known =
            std::any_of(artifacts.begin(), artifacts.end(), [&name](const auto& entry) { return entry.file == name; });
        if (!known) os::remove_tree(directory / name);
    }
}

// Blocks. What cannot be removed is thrown: the repository keeps it to itself, and a second attempt says why.
void discard(const repository::Repository& repository, const repository::Repository::Partial& partial) {
    repository.discard(partial);
    os::remove_tree(partial.directory);
}

// One run, from its first stage to its report.
class Execution {
  public:
    Execution(Services& services, Request request, model::RunReport report, std::shared_ptr<Progress> progress)
        : context_(services, std::move(request), std::move(report), std::move(progress)), copies_(context_) {}

    asio::awaitable<model::RunReport> run(async::StopToken stop) {
        // A run may have waited for its turn; its story, and its set's name, begin now.
        context_.report.started_at = context_.services.clock.now();
        std::exception_ptr failure;
        try {
            if (stop.stopped()) throw stop.reason().during("before it started");
            co_await all_stages(std::move(stop));
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            const auto error = base::to_error(failure);
            record_failure(error);
            co_await unwind(error);
        }
        job_lock_.reset();
        co_await conclude();
        co_return std::move(context_.report);
    }

  private:
    asio::awaitable<void> all_stages(async::StopToken stop) {
        context_.emit(Event::Kind::started,
                      fmt::format("started ({}), run {}", model::trigger_text(context_.request.trigger),
                                  context_.request.run.text()));
        const async::Deadline deadline(context_.services.executor, stop, context_.job.timeout, "the run");
        co_await take_lock();
        co_await prepare(deadline.token());
        co_await dump_stage(context_, copies_, deadline.token());
        seal();
        if (context_.job.keep_local == model::KeepLocal::never) {
            co_await place(deadline.token());
        } else {
            co_await commit();
            co_await upload(deadline.token());
        }
        if (context_.set.complete)
            co_await prune(deadline.token());
        else
            context_.stages.skip(model::StageName::prune, "the set is incomplete");
    }

    asio::awaitable<void> take_lock() {
        auto& services = context_.services;
        const auto* repository = &services.repository;
        const auto holder = fmt::format("run {} of pgbakd", context_.request.run.text());
        const auto lock_job = [repository, job = context_.job.name, holder] {
            return repository->lock_job(job, holder);
        };
        job_lock_ = co_await async::run_blocking(services.pool, lock_job);
        if (job_lock_) co_return;
        const auto lock_holder = [repository, job = context_.job.name] { return repository->lock_holder(job); };
        const auto who = co_await async::run_blocking(services.pool, lock_holder);
        throw base::Error(base::ErrorCode::conflict, fmt::format("another run holds this job: {}", who),
                          "wait for it, or end it: pgbakctl cancel");
    }

    asio::awaitable<void> prepare(async::StopToken stop) {
        auto& services = context_.services;
        const auto& job = context_.job;
        context_.stages.begin(model::StageName::preflight);
        context_.source = co_await make_source(services, context_.request);
        async::Backoff backoff(job.retries.attempts, job.retries.backoff);
        for (;;) {
            std::exception_ptr failure;
            try {
                context_.ready = co_await preflight(services, *context_.source, job, stop);
            } catch (...) {
                failure = std::current_exception();
            }
            if (!failure) break;
            co_await wait_or_rethrow(context_, backoff, failure, "preflight", stop);
        }
        context_.cipher = co_await prepare_cipher(services, context_.request.job, stop);
        co_await copies_.reach(stop);
        const auto& prepared = context_.ready.prepared;
        context_.progress->expected_bytes = context_.ready.last_set_bytes;
        context_.progress->parts = prepared.parts.size();
        for (const auto& text : prepared.notes) context_.note(text);
        for (const auto& refused : prepared.refused) context_.part_failed(refused.database, refused.error);
        context_.stages.end(0, prepared.summary);
    }

    // The manifest says all it has to say.
    void seal() {
        auto& set = context_.set;
        set.finished_at = context_.services.clock.now();
        set.finished_at_local = calendar::format_rfc3339(base::to_instant(set.finished_at), *context_.job.zone);
        const auto commands = [this](const model::BackupSet& plain) { return context_.source->stock_restore(plain); };
        set.stock_restore = decrypting_commands(set, commands);
    }

    // There is a set from now on.
    void tell_set(std::string directory) {
        const auto& set = context_.set;
        auto& report = context_.report;
        report.set = set.id.text();
        report.set_directory = std::move(directory);
        report.size_bytes = set.bytes();
        report.artifacts = set.artifacts;
        if (set.complete) {
            report.outcome = context_.disturbed ? model::Outcome::warning : model::Outcome::success;
        } else {
            report.outcome = model::Outcome::failed;
            report.error = describe(*context_.first_failure);
        }
    }

    asio::awaitable<void> commit() {
        auto& set = context_.set;
        context_.stages.begin(model::StageName::commit);
        co_await copies_.owe(set);
        const auto* repository = &context_.services.repository;
        const auto commit = [repository, partial = *context_.partial, set] {
            remove_all_but(partial.directory, set.artifacts);
            return repository->commit(partial, set);
        };
        const auto directory = co_await async::run_blocking(context_.services.pool, commit);
        context_.partial.reset();
        tell_set(directory.string());
        context_.stages.end(set.bytes(), set.id.text());
    }

    // The commit of a set that is on targets alone, each on its own: its manifest arrives. Without any there is no set.
    asio::awaitable<void> place(async::StopToken stop) {
        context_.stages.skip(model::StageName::commit, "nothing of the set is kept on this host");
        context_.stages.begin(model::StageName::upload);
        co_await copies_.finish_there(context_.set, stop);
        tell_set({});
        tell_copies();
        co_await remove_partial();
    }

    // The set is committed: whatever happens here, it is a backup. What a target does not get is owed to it.
    asio::awaitable<void> upload(async::StopToken stop) {
        auto& report = context_.report;
        if (copies_.empty()) co_return;
        context_.stages.begin(model::StageName::upload);
        std::exception_ptr failure;
        try {
            co_await copies_.finish(report.set_directory, context_.set, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) context_.note("copying broke off: " + base::to_error(failure).message());
        const auto corrupt = copies_.corrupt();
        if (!corrupt.empty()) co_await condemn(corrupt);
        tell_copies();
    }

    // The disk has lost what was verified a moment ago: that is no backup, and nothing is removed for its sake.
    asio::awaitable<void> condemn(std::string corrupt) {
        auto& services = context_.services;
        const auto* repository = &services.repository;
        auto* catalog = &services.catalog;
        const auto mark = [repository, catalog, id = context_.set.id, now = services.clock.now(), corrupt] {
            holdings::mark_corrupt(*repository, *catalog, id, now, corrupt);
        };
        std::exception_ptr unmarked;
        try {
            co_await async::run_blocking(services.pool, mark);
        } catch (...) {
            unmarked = std::current_exception();
        }
        if (unmarked) context_.note("it could not be marked as corrupt: " + base::to_error(unmarked).message());
        const base::Error error(base::ErrorCode::corrupt,
                                "the set was written and verified, and is damaged now: " + corrupt,
                                "look at the disk of the repository; the next run makes a new set");
        throw base::Error(error);
    }

    void tell_copies() {
        auto& report = context_.report;
        std::uint64_t sent = 0;
        std::size_t copied = 0;
        for (const auto& target : report.targets) {
            sent += target.bytes;
            if (target.status == "copied") ++copied;
        }
        if (report.outcome == model::Outcome::success && copied < context_.job.targets.size())
            report.outcome = model::Outcome::warning;
        context_.stages.end(sent, fmt::format("{} of {} targets have the set", copied, context_.job.targets.size()));
    }

    asio::awaitable<void> prune(async::StopToken stop) {
        context_.stages.begin(model::StageName::prune);
        std::exception_ptr failure;
        std::size_t removed = 0;
        try {
            removed = co_await prune_stage(context_, copies_, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        // The set is there and good: old ones that stay are no failure of this run.
        if (failure) context_.note("could not prune: " + base::to_error(failure).message());
        context_.stages.end(0, base::counted(removed, "set") + " removed");
    }

    void record_failure(const base::Error& error) {
        context_.stages.fail(error);
        context_.report.error = describe(error);
        context_.report.outcome = outcome_of(error, !job_lock_);
    }

    // The failure stands whatever happens here: what cannot be cleaned up becomes a note beside it.
    asio::awaitable<void> unwind(base::Error error) {
        if (!context_.partial) co_return;
        co_await copies_.abandon(std::move(error));
        co_await remove_partial();
        co_await end_backends(context_);
    }

    asio::awaitable<void> remove_partial() {
        std::exception_ptr left;
        try {
            const auto* repository = &context_.services.repository;
            const auto discard_partial = [repository, partial = *context_.partial] { discard(*repository, partial); };
            co_await async::run_blocking(context_.services.pool, discard_partial);
        } catch (...) {
            left = std::current_exception();
        }
        if (left)
            context_.note(fmt::format("{} could not be removed, the next start tries again: {}",
                                      context_.partial->directory.string(), base::to_error(left).message()));
        context_.partial.reset();
    }

    asio::awaitable<void> conclude() {
        auto& report = context_.report;
        report.finished_at = context_.services.clock.now();
        co_await keep_report(context_.services, report, context_.job.zone);
        auto event =
            context_.make_event(conclusion_kind(report.outcome), conclusion_text(report, context_.set.missing.size()));
        event.set = report.set;
        event.bytes = report.size_bytes;
        event.duration = report.duration();
        if (report.error) event.hint = report.error->hint;
        context_.observe(event);
    }

    Context context_;
    Copies copies_;
    std::optional<os::FileLock> job_lock_;
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
    co_await keep_report(services, report, std::move(zone));
}

}  // namespace pgbakd::run
