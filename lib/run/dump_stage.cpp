#include "run/dump_stage.hpp"

#include <fmt/format.h>

#include <utility>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "holdings/begin_set.hpp"
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

asio::awaitable<void> dump_with_retries(Context& context, Copies& copies, source::Part part, async::StopToken stop) {
    auto& services = context.services;
    const auto encrypted = context.cipher ? "." + context.cipher->method : std::string();
    const auto file = fmt::format("{}_{}{}{}", part.stem, context.partial->id.set, part.extension, encrypted);
    const auto what = part.database.empty() ? part.kind : fmt::format("\"{}\"", part.database);
    const auto storing = context.job.keep_local == model::KeepLocal::never ? Storing::nothing : Storing::file;
    const Follow follow = [&copies](const std::filesystem::path& path) { return copies.follow(path); };
    async::Backoff backoff(context.job.retries.attempts, context.job.retries.backoff);
    for (int attempt = 1;; ++attempt) {
        const auto changed = attempt < context.job.retries.attempts ? Changed::fails : Changed::is_told;
        const auto began = services.clock.steady();
        std::exception_ptr failure;
        try {
            auto dumped =
                co_await dump_part(services, *context.source, part, context.cipher, context.partial->directory, file,
                                   context.progress, storing, changed, follow, stop);
            co_await copies.settled(file, stop);
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(services.clock.steady() - began);
            add(context, std::move(dumped), part.what(), took);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return;
        // The failed attempt's backends must not go on holding locks beside the next one's.
        co_await end_backends(context);
        co_await wait_or_rethrow(context, backoff, failure, "dumping " + what, stop);
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
    bool has_any = false;  // of what makes it a set
    const auto& prepared = context.ready.prepared;
    for (const auto& part : prepared.parts) {
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
    if (!has_any) throw base::Error(*context.first_failure);
    const auto bytes = context.set.bytes();
    stages.end(bytes, fmt::format("{} of {}", context.set.artifacts.size(),
                                  base::counted(prepared.parts.size() + prepared.refused.size(), "part")));
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
