#include "service/unwritten_reports.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/timer.hpp"

namespace pgbakd::service {
namespace {

// What is full for a moment costs a moment.
constexpr std::chrono::milliseconds first_pause{200};
constexpr std::chrono::milliseconds longest_pause{5000};

}  // namespace

void UnwrittenReports::keep(const model::RunReport& report) {
    reports_.push_back(report);
    added_.notify();
}

std::optional<model::RunReport> UnwrittenReports::find(const base::RunId& run) const {
    for (const auto& report : reports_)
        if (report.run == run) return report;
    return std::nullopt;
}

asio::awaitable<void> UnwrittenReports::write(async::StopToken stop) {
    auto* catalog = core_.catalog.get();
    auto pause = first_pause;
    for (;;) {
        if (reports_.empty()) pause = first_pause;
        while (reports_.empty()) co_await added_.wait(stop);
        co_await async::sleep_for(pause, stop);
        const auto report = reports_.front();
        const auto finish_run = [catalog, report] { catalog->finish_run(report); };
        std::exception_ptr failure;
        try {
            co_await async::run_blocking(core_.pool, finish_run);
        } catch (const base::Error&) {
            failure = std::current_exception();
        }
        if (failure) {
            pause = std::min(2 * pause, longest_pause);
            continue;
        }
        reports_.pop_front();
        core_.log.write(Priority::info, fmt::format("{}: run {} is recorded now", report.job, report.run.text()));
    }
}

}  // namespace pgbakd::service
