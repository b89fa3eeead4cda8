#include "scheduler/actions.hpp"

namespace pgbakd::scheduler {

std::string_view reason_text(Skip::Reason reason) noexcept {
    using enum Skip::Reason;
    switch (reason) {
        case still_running: return "its last run is still going on";
        case superseded: return "a later fire took its place";
        case not_caught_up: return "it was missed, and the job catches up on nothing";
        case too_late: return "it was missed too long ago to catch up on";
        case paused: return "the job was paused while it waited";
        case edited: return "the schedule was edited while it waited";
        case clock_set_back: return "the clock was set back while it waited";
    }
    return "";
}

}  // namespace pgbakd::scheduler
