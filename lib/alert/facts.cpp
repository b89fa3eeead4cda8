#include "alert/facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/text.hpp"
#include "base/units.hpp"
#include "calendar/zone.hpp"

namespace pgbakd::alert {

using model::Alert;
using model::Severity;

std::string size_text(const Alert& alert) {
    if (!alert.bytes) return {};
    auto now = base::format_size(*alert.bytes);
    if (!alert.previous_bytes) return now;
    const auto before = base::format_size(*alert.previous_bytes);
    if (*alert.previous_bytes == 0) return fmt::format("{} (before: {})", now, before);
    const auto ratio = static_cast<double>(*alert.bytes) / static_cast<double>(*alert.previous_bytes);
    return fmt::format("{} (before: {}, {:+} %)", now, before, std::llround((std::min(ratio, 1e9) - 1) * 100));
}

std::string duration_text(const Alert& alert) {
    if (!alert.duration) return {};
    auto now = base::format_duration(*alert.duration);
    if (!alert.previous_duration) return now;
    return fmt::format("{} (before: {})", now, base::format_duration(*alert.previous_duration));
}

std::vector<Fact> facts_of(const Alert& alert) {
    std::vector<Fact> facts{{"job", alert.job},
                            {"host", alert.host},
                            {"set", alert.set},
                            {"place", alert.place},
                            {"run", alert.run},
                            {"size", size_text(alert)},
                            {"duration", duration_text(alert)}};
    std::erase_if(facts, [](const Fact& fact) { return base::trim(fact.value).empty(); });
    return facts;
}

Severity severity_of(const std::vector<Alert>& alerts) {
    auto most = Severity::info;
    for (const auto& alert : alerts) most = std::max(most, alert.severity);
    return most;
}

std::string digest_title(const std::vector<Alert>& alerts) {
    constexpr std::array severities{Severity::critical, Severity::warning, Severity::info};
    std::vector<std::string> parts;
    for (const auto severity : severities) {
        const auto count = std::ranges::count(alerts, severity, &Alert::severity);
        if (count > 0) parts.push_back(fmt::format("{} {}", count, severity_text(severity)));
    }
    const auto& host = alerts.front().host;
    return fmt::format("{}{}{}: {}", base::counted(alerts.size(), "alert"), host.empty() ? "" : " from ", host,
                       base::join(parts, ", "));
}

std::vector<std::size_t> by_severity(const std::vector<Alert>& alerts) {
    std::vector<std::size_t> order(alerts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&alerts](std::size_t i) { return alerts[i].severity; });
    return order;
}

std::string title_of(const Alert& alert) {
    if (!base::trim(alert.title).empty()) return alert.title;
    return alert.job.empty() ? std::string("pgbakd") : alert.job;
}

std::string time_text(base::Timestamp time) {
    if (time == base::Timestamp{}) return {};
    auto text = calendar::format_rfc3339_utc(base::to_instant(time));
    if (const auto t = text.find('T'); t != std::string::npos) text[t] = ' ';
    if (text.ends_with('Z')) text.replace(text.size() - 1, 1, " UTC");
    return text;
}

}  // namespace pgbakd::alert
