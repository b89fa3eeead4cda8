#include "offsite/backlog.hpp"

#include <algorithm>
#include <cctype>

namespace pgbakd::offsite {
namespace {

constexpr std::chrono::minutes first_pause{1};
constexpr std::chrono::hours longest_pause{1};
constexpr std::size_t longest_host_name = 255;

// A clock that stepped back must not postpone a copy by the whole step.
base::Timestamp due_at(const catalog::Copy& copy, base::Timestamp now) {
    return copy.next_attempt > now + longest_pause ? now : copy.next_attempt;
}

bool is_older(const catalog::Copy& a, const catalog::Copy& b) {
    return std::pair(a.started_at, model::name_order(a.id)) < std::pair(b.started_at, model::name_order(b.id));
}

// A manifest may hold anything; this becomes part of messages and of a command.
std::string printable_host(const std::string& name) {
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; };
    const bool plain =
        name.size() <= longest_host_name && name.front() != '-' && std::all_of(name.begin(), name.end(), is_plain);
    return plain ? name : "unknown-host";
}

}  // namespace

NextSends next_sends(const std::vector<catalog::Copy>& owed, const std::set<std::string>& busy, base::Timestamp now) {
    std::map<std::string, const catalog::Copy*> oldest;
    NextSends result;
    for (const auto& copy : owed) {
        if (!copy.owed || busy.contains(copy.target)) continue;
        const auto due = due_at(copy, now);
        if (due > now) {
            result.later = std::min(result.later.value_or(due), due);
            continue;
        }
        auto& first = oldest[copy.target];
        if (first == nullptr || is_older(copy, *first)) first = &copy;
    }
    for (const auto& [target, copy] : oldest) result.now.push_back(*copy);
    return result;
}

catalog::Copy owed_copy(const std::string& target, const model::BackupSet& set, base::Timestamp now) {
    catalog::Copy copy;
    copy.target = target;
    copy.id = set.id;
    copy.run = set.run;
    copy.owed = true;
    copy.since = now;
    copy.next_attempt = now;
    copy.started_at = set.started_at;
    copy.bytes = set.bytes();
    copy.complete = set.complete;
    copy.verified = set.verified();
    copy.milestone = set.milestone;
    return copy;
}

catalog::Copy found_copy(const std::string& target, const model::BackupSet& set, base::Timestamp now,
                         const std::string& host) {
    auto copy = owed_copy(target, set, now);
    copy.owed = false;
    if (set.host != host && !set.host.empty()) copy.host = printable_host(set.host);
    return copy;
}

base::Timestamp retry_at(int attempts, base::Timestamp now, std::uint64_t random) {
    std::chrono::milliseconds pause = longest_pause;
    if (attempts >= 1 && attempts < 7)
        pause = std::min<std::chrono::milliseconds>(first_pause * (1 << (attempts - 1)), longest_pause);
    const auto half = static_cast<std::uint64_t>(pause.count()) / 2;
    return now + pause - std::chrono::milliseconds(random % (half + 1));
}

std::vector<catalog::Copy> postpone_with(const catalog::Copy& failed, const base::Error& cause,
                                         const std::vector<catalog::Copy>& owed) {
    std::vector<catalog::Copy> moved;
    if (!cause.is_passing()) return moved;
    for (auto copy : owed) {
        if (copy.target != failed.target || copy.id == failed.id || copy.next_attempt >= failed.next_attempt) continue;
        copy.next_attempt = failed.next_attempt;
        moved.push_back(std::move(copy));
    }
    return moved;
}

}  // namespace pgbakd::offsite
