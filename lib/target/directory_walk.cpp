#include "target/directory_walk.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "target/key.hpp"

namespace pgbakd::target {
namespace {

struct Walk {
    const std::string& after;
    std::size_t limit;
    async::Waiting& waiting;
    Page page;
    [[nodiscard]] bool full() const { return page.entries.size() >= limit; }
};

struct Found {
    std::string key;  // of a directory: with the "/" that all its objects have there, so that it sorts as they do
    os::FileStatus status;
};

std::vector<std::string> names_in(const os::OpenDirectory& directory) {
    try {
        return directory.list();
    } catch (const base::Error& error) {
        // Not there, or removed since its parent was read.
        if (error.code() != base::ErrorCode::not_found) throw;
    }
    return {};
}

std::vector<Found> found_in(const os::OpenDirectory& directory, const std::string& prefix, async::Waiting& waiting) {
    std::vector<Found> found;
    for (const auto& name : names_in(directory)) {
        waiting.step();
        if (prefix.empty() && name == uploads_folder) continue;
        const auto status = directory.status(name);
        if (!status || (!status->is_regular && !status->is_directory)) continue;
        // Somebody else's file, with a name that cannot be asked for.
        if (!check_key(prefix + name)) continue;
        found.push_back({prefix + name + (status->is_directory ? "/" : ""), *status});
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.key < b.key; });
    return found;
}

void walk(Walk& state, const os::OpenDirectory& directory, const std::string& prefix) {
    for (const auto& [key, status] : found_in(directory, prefix, state.waiting)) {
        if (state.full() || state.waiting.left()) return;
        if (status.is_directory) {
            // Nothing below it comes after the cursor if the cursor is not below it itself and sorts behind it.
            if (key < state.after && !state.after.starts_with(key)) continue;
            const auto below = directory.below(key.substr(prefix.size(), key.size() - prefix.size() - 1));
            if (below) walk(state, *below, key);
        } else if (key > state.after) {
            state.page.entries.push_back(
                {.key = key, .size = status.size, .modified = modified_of(status), .checksums = {}});
        }
    }
}

}  // namespace

base::Timestamp modified_of(const os::FileStatus& status) {
    return base::Timestamp(
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds(status.modified_nanoseconds)));
}

Page page_of(const os::OpenDirectory& directory, const std::string& prefix, const std::string& after, std::size_t limit,
             async::Waiting& waiting) {
    // One more than asked for tells whether there is a next page.
    Walk state{.after = after, .limit = limit + 1, .waiting = waiting, .page = {}};
    walk(state, directory, prefix);
    auto& entries = state.page.entries;
    if (entries.size() > limit) {
        entries.pop_back();
        state.page.next = entries.back().key;
    }
    return std::move(state.page);
}

}  // namespace pgbakd::target
