#include "model/finding.hpp"

#include "model/words.hpp"

namespace pgbakd::model {

std::string_view finding_text(FindingKind kind) noexcept {
    switch (kind) {
        case FindingKind::run_failed: return "run_failed";
        case FindingKind::too_old: return "too_old";
        case FindingKind::corrupt: return "corrupt";
        case FindingKind::copy_owed: return "copy_owed";
        case FindingKind::size_changed: return "size_changed";
        case FindingKind::disk_usage: return "disk_usage";
        case FindingKind::free_space: return "free_space";
        case FindingKind::fires_missed: return "fires_missed";
        case FindingKind::reload_refused: return "reload_refused";
        case FindingKind::channel_failing: return "channel_failing";
        case FindingKind::other_repository: return "other_repository";
        case FindingKind::check_incomplete: return "check_incomplete";
    }
    return "check_incomplete";
}

base::Result<FindingKind> parse_finding_kind(std::string_view text) {
    return parse_word("kind of finding", text, finding_text,
                      {FindingKind::run_failed, FindingKind::too_old, FindingKind::corrupt, FindingKind::copy_owed,
                       FindingKind::size_changed, FindingKind::disk_usage, FindingKind::free_space,
                       FindingKind::fires_missed, FindingKind::reload_refused, FindingKind::channel_failing,
                       FindingKind::other_repository, FindingKind::check_incomplete});
}

}  // namespace pgbakd::model
