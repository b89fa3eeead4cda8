#include "model/run.hpp"

#include "model/words.hpp"

namespace pgbakd::model {

std::string_view trigger_text(Trigger trigger) noexcept {
    switch (trigger) {
        case Trigger::schedule: return "schedule";
        case Trigger::catch_up: return "catch-up";
        case Trigger::manual: return "manual";
        case Trigger::milestone: return "milestone";
        case Trigger::change: return "change";
        case Trigger::unknown: return "unknown";
    }
    return "manual";
}

base::Result<Trigger> parse_trigger(std::string_view text) {
    return parse_word(
        "trigger", text, trigger_text,
        {Trigger::schedule, Trigger::catch_up, Trigger::manual, Trigger::milestone, Trigger::change, Trigger::unknown});
}

std::string_view outcome_text(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::running: return "RUNNING";
        case Outcome::success: return "SUCCESS";
        case Outcome::warning: return "WARNING";
        case Outcome::failed: return "FAILED";
        case Outcome::skipped: return "SKIPPED";
        case Outcome::cancelled: return "CANCELLED";
        case Outcome::interrupted: return "INTERRUPTED";
    }
    return "FAILED";
}

base::Result<Outcome> parse_outcome(std::string_view text) {
    return parse_word("status", text, outcome_text,
                      {Outcome::running, Outcome::success, Outcome::warning, Outcome::failed, Outcome::skipped,
                       Outcome::cancelled, Outcome::interrupted});
}

std::string_view stage_text(StageName stage) noexcept {
    switch (stage) {
        case StageName::preflight: return "preflight";
        case StageName::dump: return "dump";
        case StageName::verify: return "verify";
        case StageName::commit: return "commit";
        case StageName::upload: return "upload";
        case StageName::prune: return "prune";
        case StageName::report: return "report";
    }
    return "report";
}

base::Result<StageName> parse_stage(std::string_view text) {
    return parse_word("stage", text, stage_text,
                      {StageName::preflight, StageName::dump, StageName::verify, StageName::commit, StageName::upload,
                       StageName::prune, StageName::report});
}

}  // namespace pgbakd::model
