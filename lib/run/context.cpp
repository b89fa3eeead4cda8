#include "run/context.hpp"

#include <fmt/format.h>

#include <utility>

#include "async/timer.hpp"
#include "base/units.hpp"

namespace pgbakd::run {

Context::Context(Services& the_services, Request the_request, model::RunReport the_report,
                 std::shared_ptr<Progress> the_progress)
    : services(the_services),
      request(std::move(the_request)),
      job(*request.job),
      report(std::move(the_report)),
      progress(std::move(the_progress)),
      stages(services.clock, report, progress) {}

Event Context::make_event(Event::Kind kind, std::string message) const {
    Event event;
    event.kind = kind;
    event.job = job.name;
    event.run = request.run.text();
    event.message = std::move(message);
    return event;
}

void Context::observe(const Event& event) const noexcept {
    try {
        services.observe(event);
    } catch (...) {
        // There is nobody left to tell.
    }
}

void Context::emit(Event::Kind kind, std::string message, std::string hint) const {
    auto event = make_event(kind, std::move(message));
    event.hint = std::move(hint);
    event.stage = progress->stage;
    observe(event);
}

void Context::note(const std::string& text) {
    report.notes.push_back(text);
    emit(Event::Kind::note, text);
}

void Context::part_failed(const std::string& database, const base::Error& error) {
    set.complete = false;
    set.missing.push_back({database, error.message()});
    if (!first_failure) first_failure = error;
    emit(Event::Kind::note, error.message(), error.hint());
}

asio::awaitable<void> wait_or_rethrow(Context& context, async::Backoff& backoff, std::exception_ptr failure,
                                      std::string what, async::StopToken stop) {
    stop.check();
    const auto error = base::to_error(failure);
    const auto pause = backoff.after(error, context.services.random());
    if (!pause) std::rethrow_exception(failure);
    context.stages.set_attempts(backoff.attempt());
    context.emit(Event::Kind::retrying,
                 fmt::format("{} failed, trying again in {}: {}", what, base::format_duration(*pause), error.message()),
                 error.hint());
    co_await async::sleep_for(*pause, stop);
}

}  // namespace pgbakd::run
