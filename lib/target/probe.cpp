#include "target/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "target/key.hpp"
#include "target/whole.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr auto stale_after = std::chrono::hours(24);
constexpr std::size_t page_entries = 1000;

ProbeResult& result_of(ProbeReport& report, ProbeStep step) {
    return report.results[static_cast<std::size_t>(step)];
}

// Runs one step and enters how it ended; a stop goes on upwards.
asio::awaitable<bool> attempt(ProbeReport& report, ProbeStep step, asio::awaitable<void> work, async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_await std::move(work);
    } catch (...) {
        failure = std::current_exception();
    }
    auto& result = result_of(report, step);
    result.outcome = failure ? ProbeResult::Outcome::failed : ProbeResult::Outcome::good;
    if (failure) result.error = base::to_error(failure);
    stop.check();
    co_return !failure;
}

asio::awaitable<void> put_probe(Target& target, std::string key, std::string text, async::StopToken stop) {
    co_await put_text(target, std::move(key), std::move(text), {}, std::move(stop));
}

asio::awaitable<void> read_probe(Target& target, std::string key, std::string text, async::StopToken stop) {
    const auto found = co_await get_text(target, std::move(key), text.size(), std::move(stop));
    if (found != text) throw Error(ErrorCode::corrupt, "what was read is not what was written");
}

asio::awaitable<void> list_probes(Target& target, std::string key, bool expected, base::Timestamp now,
                                  std::vector<std::string>& stale, async::StopToken stop) {
    bool listed = false;
    std::string cursor;
    do {
        const auto page = co_await target.list(std::string(probe_prefix), cursor, page_entries, stop);
        for (const auto& entry : page.entries) {
            if (entry.key == key)
                listed = true;
            else if (entry.modified != base::Timestamp{} && entry.modified <= now - stale_after)
                stale.push_back(entry.key);
        }
        cursor = page.next;
    } while (!cursor.empty());
    if (expected && !listed) throw Error(ErrorCode::corrupt, "what was written is not in the list");
}

asio::awaitable<void> remove_probes(Target& target, std::vector<std::string> keys, async::StopToken stop) {
    const auto refused = co_await target.remove(std::move(keys), std::move(stop));
    if (!refused.empty()) throw Error(refused.front().error);
}

}  // namespace

bool ProbeReport::good() const noexcept {
    return std::all_of(results.begin(), results.end(),
                       [](const ProbeResult& result) { return result.outcome == ProbeResult::Outcome::good; });
}

std::optional<Error> ProbeReport::failure(std::string_view target) const {
    for (const auto& result : results)
        if (result.error)
            return result.error->during(
                fmt::format("target {}: {} is not possible", target, probe_step_text(result.step)));
    return std::nullopt;
}

std::string_view probe_step_text(ProbeStep step) noexcept {
    switch (step) {
        case ProbeStep::put: return "writing";
        case ProbeStep::read: return "reading";
        case ProbeStep::list: return "listing";
        case ProbeStep::remove: return "deleting";
    }
    return "";
}

asio::awaitable<ProbeReport> probe(Target& target, base::Timestamp now, async::StopToken stop) {
    ProbeReport report;
    for (const auto step : {ProbeStep::put, ProbeStep::read, ProbeStep::list, ProbeStep::remove})
        report.results.push_back({.step = step});
    const auto name = upload_name();
    const auto key = std::string(probe_prefix) + name;
    const auto text = fmt::format("pgbakd looks whether it may write here: {}\n", name);
    std::vector<std::string> stale;

    const bool put = co_await attempt(report, ProbeStep::put, put_probe(target, key, text, stop), stop);
    // Without an object there is nothing to read and nothing that deleting could prove.
    if (put) co_await attempt(report, ProbeStep::read, read_probe(target, key, text, stop), stop);
    co_await attempt(report, ProbeStep::list, list_probes(target, key, put, now, stale, stop), stop);
    stale.push_back(key);
    if (put) co_await attempt(report, ProbeStep::remove, remove_probes(target, stale, stop), stop);
    co_return report;
}

asio::awaitable<base::Timestamp> place_time(Target& target, async::StopToken stop) {
    std::vector<std::string> keys{std::string(probe_prefix) + upload_name()};
    co_await put_probe(target, keys.front(), "pgbakd asks what time it is here\n", stop);
    std::optional<Entry> found;
    std::exception_ptr failure;
    try {
        found = co_await target.stat(keys.front(), Detail::plain, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await remove_probes(target, keys, stop);
    if (failure) std::rethrow_exception(failure);
    co_return found ? found->modified : base::Timestamp{};
}

}  // namespace pgbakd::target
