#include "run/dump_stage.hpp"

#include <fmt/format.h>

#include <utility>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "holdings/begin_set.hpp"
#include "os/file.hpp"
#include "run/dump_part.hpp"

namespace pgbakd::run {
namespace {

constexpr std::chrono::seconds backends_patience{10};

// Whether going on with the next part makes sense after this one failed so.
bool ends_the_run(const base::Error& error, const async::StopToken& stop) {
    return stop.stopped() || error.code() == base::ErrorCode::no_space;
}

void begin_set(Context& context) {
    auto& set = context.set;
    const auto& services = context.services;
    set.id = context.partial->id;
    set.run = context.request.run;
    set.host = services.hostname;
    set.trigger = std::string(model::trigger_text(context.request.trigger));
    set.milestone = context.request.milestone;
    set.started_at = context.report.started_at;
    set.timezone = context.job.timezone;
    set.started_at_local = calendar::format_rfc3339(base::to_instant(set.started_at), *context.job.zone);
    set.source = context.ready.prepared.origin;
    if (context.cipher) set.recipients = context.cipher->recipients;
    set.system = {services.hostname, services.user, services.version};
}

void add(Context& context, DumpedPart dumped, const std::string& name, std::chrono::milliseconds took) {
    for (const auto& text : dumped.notes) context.note(text);
    context.disturbed = context.disturbed || dumped.disturbed;
    // Kept, but never as a good one.
    if (dumped.doubt) context.part_failed(dumped.artifact.database, *dumped.doubt);
    auto event = context.make_event(
        Event::Kind::dumped,
        fmt::format("{} dumped: {} in {} ({} raw), decoded", name, base::format_size(dumped.artifact.bytes),
                    base::format_duration(took), base::format_size(dumped.artifact.raw_bytes)));
    event.bytes = dumped.artifact.bytes;
    event.duration = took;
    event.stage = "dump";
    context.observe(event);
    auto& set = context.set;
    set.restore_order.push_back(dumped.artifact.file);
    set.artifacts.push_back(std::move(dumped.artifact));
    if (dumped.facts) set.databases.push_back(std::move(*dumped.facts));
}

// One attempt at one part. `changed`: what becomes of one that is in doubt.
asio::awaitable<void> dump_once(Context& context, Copies& copies, source::Part part, Changed changed,
                                async::StopToken stop) {
    auto& services = context.services;
    const auto encrypted = context.cipher ? "." + context.cipher->method : std::string();
    const auto file = fmt::format("{}_{}{}{}", part.stem, context.partial->id.set, part.extension, encrypted);
    const auto storing = context.job.keep_local == model::KeepLocal::never ? Storing::nothing : Storing::file;
    const Follow follow = [&copies](const std::filesystem::path& path) { return copies.follow(path); };
    const auto began = services.clock.steady();
    auto dumped = co_await dump_part(services, *context.source, part, context.cipher, context.partial->directory, file,
                                     context.progress, storing, changed, follow, stop);
    co_await copies.settled(file, stop);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(services.clock.steady() - began);
    add(context, std::move(dumped), part.what(), took);
}

asio::awaitable<void> dump_with_retries(Context& context, Copies& copies, source::Part part, async::StopToken stop) {
    const auto what = part.database.empty() ? part.kind : fmt::format("\"{}\"", part.database);
    async::Backoff backoff(context.job.retries.attempts, context.job.retries.backoff);
    for (int attempt = 1;; ++attempt) {
        const auto changed = attempt < context.job.retries.attempts ? Changed::fails : Changed::is_told;
        std::exception_ptr failure;
        try {
            co_await dump_once(context, copies, part, changed, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return;
        // The failed attempt's backends must not go on holding locks beside the next one's.
        co_await end_backends(context);
        co_await wait_or_rethrow(context, backoff, failure, "dumping " + what, stop);
    }
}

// One part after the other, each with attempts of its own; one that fails is left out of the set. Whether there is
// anything that makes it a set.
asio::awaitable<bool> dump_each(Context& context, Copies& copies, async::StopToken stop) {
    auto& progress = *context.progress;
    bool has_any = false;
    for (const auto& part : context.ready.prepared.parts) {
        progress.part = part.what();
        std::exception_ptr failure;
        try {
            co_await dump_with_retries(context, copies, part, stop);
            has_any = has_any || !part.is_accessory;
        } catch (...) {
            failure = std::current_exception();
        }
        ++progress.parts_done;
        if (!failure) continue;
        const auto error = base::to_error(failure);
        if (ends_the_run(error, stop)) std::rethrow_exception(failure);
        context.part_failed(part.database, error);
    }
    co_return has_any;
}

asio::awaitable<void> dump_together_once(Context& context, Copies& copies, async::StopToken stop) {
    auto& progress = *context.progress;
    progress.part = "waiting for the server's checkpoint";
    const auto begun = co_await context.source->begin(context.partial->directory, stop);
    for (const auto& note : begun.notes) context.note(note);
    progress.parts = begun.parts.size();
    progress.expected_raw_bytes = begun.raw_bytes;
    for (const auto& part : begun.parts) {
        progress.part = part.what();
        co_await dump_once(context, copies, part, Changed::fails, stop);
        ++progress.parts_done;
    }
    // It was an estimate, and all has come.
    progress.expected_raw_bytes = progress.raw_bytes;
    context.source->complete(context.set.source);
}

// What an attempt has left that did not come to its end.
asio::awaitable<void> forget_attempt(Context& context, Copies& copies, async::StopToken stop) {
    auto& set = context.set;
    co_await copies.begin_anew(stop);
    const auto remove = [directory = context.partial->directory, artifacts = set.artifacts] {
        for (const auto& artifact : artifacts) os::remove_file(directory / artifact.file);
    };
    co_await async::run_blocking(context.services.pool, remove);
    set.artifacts.clear();
    set.restore_order.clear();
    context.progress->parts_done = 0;
    context.progress->raw_bytes = 0;
    context.progress->bytes = 0;
}

// All parts in each attempt: those of one do not fit those of another.
asio::awaitable<void> dump_together(Context& context, Copies& copies, async::StopToken stop) {
    async::Backoff backoff(context.job.retries.attempts, context.job.retries.backoff);
    for (;;) {
        std::exception_ptr failure;
        try {
            co_await dump_together_once(context, copies, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return;
        co_await end_backends(context);
        co_await wait_or_rethrow(context, backoff, failure, "the backup", stop);
        co_await forget_attempt(context, copies, stop);
    }
}

asio::awaitable<void> begin_partial(Context& context) {
    const auto* repository = &context.services.repository;
    auto* catalog = &context.services.catalog;
    const auto name =
        model::set_name(base::to_instant(context.report.started_at), *context.job.zone, context.request.milestone);
    const auto goes = context.job.targets.empty() ? holdings::Goes::nowhere : holdings::Goes::to_targets;
    const auto begin = [repository, catalog, job = context.job.name, name, goes, now = context.services.clock.now()] {
        return holdings::begin_set(*repository, *catalog, job, name, goes, now);
    };
    context.partial = co_await async::run_blocking(context.services.pool, begin);
    begin_set(context);
}

}  // namespace

asio::awaitable<void> dump_stage(Context& context, Copies& copies, async::StopToken stop) {
    auto& stages = context.stages;
    auto& progress = *context.progress;
    stages.begin(model::StageName::dump);
    co_await begin_partial(context);
    copies.begin(context.partial->id);
    progress.dump_started = context.services.clock.steady();
    const auto& prepared = context.ready.prepared;
    bool has_any = true;  // of what makes it a set
    if (prepared.together)
        co_await dump_together(context, copies, stop);
    else
        has_any = co_await dump_each(context, copies, stop);
    if (!has_any) throw base::Error(*context.first_failure);
    const auto bytes = context.set.bytes();
    stages.end(bytes, fmt::format("{} of {}", context.set.artifacts.size(),
                                  base::counted(progress.parts + prepared.refused.size(), "part")));
    stages.begin(model::StageName::verify);
    stages.end(bytes, "every artifact was decoded to its end while it was written, and read back");
}

asio::awaitable<void> end_backends(Context& context) {
    if (!context.source) co_return;
    std::exception_ptr unreachable;
    try {
        const async::Deadline patience(context.services.executor, {}, backends_patience,
                                       "ending the backends of the run");
        co_await context.source->end_leftovers(patience.token());
    } catch (...) {
        unreachable = std::current_exception();
    }
}

}  // namespace pgbakd::run
