#include "run/conclusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "run/report_file.hpp"

namespace pgbakd::run {
namespace {

void tell(const Services& services, const model::RunReport& report, const std::string& text) {
    Event event;
    event.kind = Event::Kind::note;
    event.job = report.job;
    event.run = report.run.text();
    event.stage = "report";
    event.message = text;
    services.observe(event);
}

std::string owed_text(const model::RunReport& report) {
    const auto owed = std::count_if(report.targets.begin(), report.targets.end(),
                                    [](const auto& target) { return target.status == "owed"; });
    return owed == 0 ? std::string() : fmt::format(", {} of {} copies owed", owed, report.targets.size());
}

}  // namespace

model::ErrorReport describe(const base::Error& error) {
    return {std::string(base::code_text(error.code())), error.message(), error.hint()};
}

model::Outcome outcome_of(const base::Error& error, bool held_by_other) noexcept {
    switch (error.code()) {
        case base::ErrorCode::cancelled: return model::Outcome::cancelled;
        case base::ErrorCode::interrupted: return model::Outcome::interrupted;
        case base::ErrorCode::conflict: return held_by_other ? model::Outcome::skipped : model::Outcome::failed;
        default: return model::Outcome::failed;
    }
}

Event::Kind conclusion_kind(model::Outcome outcome) noexcept {
    switch (outcome) {
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

std::string conclusion_text(const model::RunReport& report, std::size_t missing) {
    const auto took = base::format_duration(report.duration());
    const auto why = report.error ? report.error->message : std::string{};
    // One that never began took no time; `why` says that it had not begun.
    const auto when = report.stages.empty() ? std::string(" ") : fmt::format(" after {}: ", took);
    switch (conclusion_kind(report.outcome)) {
        case Event::Kind::succeeded: return fmt::format("succeeded in {}{}: {}", took, owed_text(report), report.set);
        case Event::Kind::skipped: return "skipped: " + why;
        case Event::Kind::cancelled: return fmt::format("cancelled{}{}", when, why);
        case Event::Kind::interrupted: return fmt::format("interrupted{}{}", when, why);
        default: break;
    }
    if (!report.set.empty())
        return fmt::format("failed after {}: incomplete set {} ({} missing): {}", took, report.set, missing, why);
    return fmt::format("failed after {}: {}", took, why);
}

asio::awaitable<void> keep_report(Services& services, model::RunReport& report, calendar::ZonePtr zone) {
    auto* catalog = &services.catalog;
    std::vector<std::string> failures;
    std::exception_ptr failure;
    try {
        const auto write = [directory = services.reports_directory, report, zone] {
            const auto name = model::set_name(base::to_instant(report.started_at), *zone);
            write_report(directory, report, name);
        };
        co_await async::run_blocking(services.pool, write);
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
        tell(services, report, text);
        report.notes.push_back(std::move(text));
    }
}

}  // namespace pgbakd::run
