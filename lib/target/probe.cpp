#include "target/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "target/key.hpp"
#include "target/listing.hpp"
#include "target/tidying.hpp"
#include "target/whole.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr auto stale_after = std::chrono::hours(24);
constexpr auto tidying_patience = std::chrono::seconds(30);
constexpr std::uint64_t most_probes = 100'000;

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

// To ask after it would take the permission to read, which is another step's question.
asio::awaitable<void> put_probe(Target& target, std::string key, std::string text, async::StopToken stop) {
    PutOptions options;
    options.ask_after = false;
    co_await put_text(target, std::move(key), std::move(text), std::move(options), std::move(stop));
}

asio::awaitable<void> read_probe(Target& target, std::string key, std::string text, async::StopToken stop) {
    const auto found = co_await get_text(target, std::move(key), text.size(), std::move(stop));
    if (found != text) throw Error(ErrorCode::corrupt, "what was read is not what was written");
}

asio::awaitable<void> list_probes(Target& target, std::string key, bool expected, base::Timestamp now,
                                  std::vector<std::string>& stale, async::StopToken stop) {
    bool listed = false;
    Listing listing(target, std::string(probe_prefix), most_probes);
    while (co_await listing.next(stop)) {
        for (const auto& entry : listing.entries()) {
            if (entry.key == key)
                listed = true;
            else if (entry.modified != base::Timestamp{} && entry.modified <= now - stale_after)
                stale.push_back(entry.key);
        }
    }
    if (expected && !listed) throw Error(ErrorCode::corrupt, "what was written is not in the list");
}

void add_result(ProbeReport& report, ProbeStep step, std::optional<Error> error) {
    using Outcome = ProbeResult::Outcome;
    report.results.push_back(
        {.step = step, .outcome = error ? Outcome::failed : Outcome::good, .error = std::move(error)});
}

asio::awaitable<void> probe_parts(Target& target, std::string key, ProbeReport& report, async::StopToken stop) {
    PartsTried found;
    try {
        found = co_await target.try_parts(std::move(key), stop);
    } catch (const Error& error) {
        found.tried = true;
        found.sending.push_back(error);
        found.sweeping = error;
    }
    stop.check();
    if (!found.tried) co_return;
    if (found.sending.empty()) add_result(report, ProbeStep::parts, std::nullopt);
    for (auto& error : found.sending) add_result(report, ProbeStep::parts, std::move(error));
    // A service that knows no such listing has rules of its own for what is left.
    const bool unknown = found.sweeping && found.sweeping->code() == ErrorCode::unsupported;
    if (!unknown) add_result(report, ProbeStep::sweep, std::move(found.sweeping));
}

asio::awaitable<void> remove_probes(Target& target, std::vector<std::string> keys, async::StopToken stop) {
    const auto refused = co_await target.remove(std::move(keys), std::move(stop));
    if (!refused.empty()) throw Error(refused.front().error);
}

// What may be there although something failed. That deleting fails too is told by its own step, if at all.
asio::awaitable<void> tidy_up(Target& target, std::vector<std::string> keys, async::StopToken stop) {
    const auto executor = co_await asio::this_coro::executor;
    const TidyingDeadline deadline(executor, stop, tidying_patience, "removing a probe");
    try {
        co_await remove_probes(target, std::move(keys), deadline.token());
    } catch (const Error& error) {
        (void)error;  // left to the next probe
    }
}

asio::awaitable<void> perform_probe(Target& target, std::string key, base::Timestamp now, ProbeReport& report,
                                    async::StopToken stop) {
    const auto text = fmt::format("pgbakd looks whether it may write here: {}\n", key.substr(probe_prefix.size()));
    std::vector<std::string> stale;
    const bool put = co_await attempt(report, ProbeStep::put, put_probe(target, key, text, stop), stop);
    // Without an object there is nothing to read and nothing that deleting could prove.
    if (put) co_await attempt(report, ProbeStep::read, read_probe(target, key, text, stop), stop);
    co_await attempt(report, ProbeStep::list, list_probes(target, key, put, now, stale, stop), stop);
    stale.push_back(key);
    if (put) co_await attempt(report, ProbeStep::remove, remove_probes(target, stale, stop), stop);
    if (put) co_await probe_parts(target, key, report, stop);
    // It may have come all the same; but a place that does not answer is not waited for once more.
    const auto& listed = result_of(report, ProbeStep::list).error;
    if (!put && !(listed && listed->is_passing())) co_await tidy_up(target, stale, stop);
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
        case ProbeStep::parts: return "uploading in parts";
        case ProbeStep::sweep: return "sweeping unfinished uploads";
    }
    return "";
}

asio::awaitable<ProbeReport> probe(Target& target, base::Timestamp now, async::StopToken stop) {
    ProbeReport report;
    for (const auto step : {ProbeStep::put, ProbeStep::read, ProbeStep::list, ProbeStep::remove})
        report.results.push_back({.step = step});
    const auto key = std::string(probe_prefix) + upload_name();
    std::exception_ptr failure;
    try {
        co_await perform_probe(target, key, now, report, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return report;
    std::vector<std::string> keys{key};
    co_await tidy_up(target, std::move(keys), stop);
    std::rethrow_exception(failure);
}

asio::awaitable<base::Timestamp> place_time(Target& target, async::StopToken stop) {
    std::vector<std::string> keys{std::string(probe_prefix) + upload_name()};
    std::optional<Entry> found;
    std::exception_ptr failure;
    try {
        co_await put_probe(target, keys.front(), "pgbakd asks what time it is here\n", stop);
        found = co_await target.stat(keys.front(), Detail::plain, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await tidy_up(target, std::move(keys), stop);
        std::rethrow_exception(failure);
    }
    co_await remove_probes(target, keys, stop);
    co_return found ? found->modified : base::Timestamp{};
}

}  // namespace pgbakd::target
