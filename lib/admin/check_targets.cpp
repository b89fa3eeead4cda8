#include "admin/check_targets.hpp"

#include <fmt/format.h>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "target/probe.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::chrono::minutes patience{2};

// One line for what is allowed, one for each step that is not.
void tell_report(const std::string& subject, const target::Facts& facts, const target::ProbeReport& report,
                 const std::function<void(const Finding&)>& tell) {
    std::vector<std::string> allowed;
    for (const auto& result : report.results) {
        const std::string step(target::probe_step_text(result.step));
        if (result.outcome == target::ProbeResult::Outcome::good) allowed.push_back(step);
        if (result.error)
            tell({subject, false,
                  fmt::format("{} is not possible in {}: {}", step, facts.place, result.error->message()),
                  result.error->hint()});
    }
    if (!allowed.empty()) tell({subject, true, fmt::format("{} in {}", base::join(allowed, ", "), facts.place), {}});
}

}  // namespace

void check_targets(Context& context, const config::Config& config, const ResolveSecret& secrets,
                   const std::function<void(const Finding&)>& tell) {
    for (const auto& [name, target] : config.targets) {
        const auto subject = "target " + name;
        try {
            ask_target(context, config, secrets, name,
                       [&](RemoteAccess access, async::StopToken stop) -> asio::awaitable<void> {
                           const auto executor = co_await asio::this_coro::executor;
                           const async::Deadline deadline(executor, stop, patience, "asking the target");
                           const auto facts = co_await access.target.facts(deadline.token());
                           const auto report =
                               co_await target::probe(access.target, context.around.clock.now(), deadline.token());
                           tell_report(subject, facts, report, tell);
                       });
        } catch (const base::Error& error) {
            // The subject names the target already.
            auto message = error.message();
            if (message.starts_with(subject + ": ")) message.erase(0, subject.size() + 2);
            tell({subject, false, std::move(message), error.hint()});
        }
    }
}

}  // namespace pgbakd::admin
