#include "service/skip_told.hpp"

#include <fmt/format.h>

namespace pgbakd::service {
namespace {

std::string hint_for(const scheduler::Skip& skip) {
    using enum scheduler::Skip::Reason;
    if (!skip.milestone.empty())
        return fmt::format("to make it of what there is now: pgbakctl milestone {} {}", skip.job, skip.milestone);
    switch (skip.reason) {
        case still_running:
        case superseded:
        case not_caught_up:
        case too_late: return "see overlap and catch_up of this job";
        case paused:
        case edited:
        case clock_set_back: return fmt::format("to run it all the same: pgbakctl run {}", skip.job);
    }
    return {};
}

}  // namespace

SkipTold tell_skip(const scheduler::Skip& skip, const std::string& when) {
    const auto why = scheduler::reason_text(skip.reason);
    if (skip.milestone.empty())
        return {fmt::format("{}: the fire of {} is skipped: {}", skip.job, when, why),
                {base::ErrorCode::conflict, std::string(why), hint_for(skip)}};
    const auto not_made = fmt::format("milestone {} of {} is not made: {}", skip.milestone, when, why);
    return {fmt::format("{}: {}", skip.job, not_made), {base::ErrorCode::conflict, not_made, hint_for(skip)}};
}

}  // namespace pgbakd::service
