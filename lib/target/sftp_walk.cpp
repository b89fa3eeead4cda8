// Lists of the SFTP store: directory by directory, in the order of the keys.
#include <algorithm>
#include <set>
#include <utility>

#include "target/key.hpp"
#include "target/sftp_store.hpp"

namespace pgbakd::target {

using base::Error;
using base::ErrorCode;

struct SftpStore::Found {
    std::string key;  // of a directory: with the "/" that all its objects have there, so that it sorts as they do
    SftpLine line;
    std::optional<std::chrono::sys_seconds> exact{};
};

struct SftpStore::Walk {
    const std::string& after;
    std::size_t limit;
    std::vector<Found> found{};
    [[nodiscard]] bool full() const { return found.size() >= limit; }
};

Page SftpStore::list(const std::string& prefix, const std::string& after, std::size_t limit, Interrupt& interrupt) {
    return ask(
        [&](http::SftpSession& session) {
            // One more than asked for tells whether there is a next page.
            Walk state{.after = after, .limit = limit + 1};
            walk(session, state, prefix, interrupt);
            auto& found = state.found;
            Page page;
            if (found.size() > limit) {
                found.pop_back();
                page.next = found.back().key;
            }
            set_times(session, found, interrupt);
            for (auto& [key, line, exact] : found)
                page.entries.push_back(
                    {.key = std::move(key), .size = line.size, .modified = exact.value(), .checksums = {}});
            return page;
        },
        interrupt);
}

void SftpStore::walk(http::SftpSession& session, Walk& walk, const std::string& prefix, Interrupt& interrupt) {
    for (auto& found : list_directory(session, prefix, interrupt)) {
        if (walk.full()) return;
        if (found.line.kind == SftpLine::Kind::directory) {
            // Nothing below it comes after the cursor if the cursor is not below it itself and sorts behind it.
            if (found.key < walk.after && !walk.after.starts_with(found.key)) continue;
            this->walk(session, walk, found.key, interrupt);
        } else if (found.key > walk.after) {
            walk.found.push_back(std::move(found));
        }
    }
}

std::vector<SftpStore::Found> SftpStore::list_directory(http::SftpSession& session, const std::string& prefix,
                                                        Interrupt& interrupt) {
    using Lines = http::SftpSession::Lines;
    const auto path = path_of(prefix.empty() ? "" : std::string_view(prefix).substr(0, prefix.size() - 1));
    std::vector<Found> found;
    const auto add = [&](SftpLine line, std::optional<std::chrono::sys_seconds> exact) {
        const bool is_directory = line.kind == SftpLine::Kind::directory;
        if (line.kind == SftpLine::Kind::other || (prefix.empty() && line.name == uploads_folder)) return;
        auto key = prefix + line.name;
        // ".", "..", or somebody else's file with a name that cannot be asked for.
        if (!check_key(key)) return;
        if (is_directory) key += '/';
        found.push_back({.key = std::move(key), .line = std::move(line), .exact = exact});
    };
    try {
        bool is_plain = true;
        std::set<std::string, std::less<>> told{".", ".."};
        const auto now = std::chrono::floor<std::chrono::seconds>(clock_.now());
        for (const auto& text : session.list(path, Lines::long_names, interrupt)) {
            auto line = parse_sftp_line(text, now);
            is_plain = is_plain && line;
            if (!line) continue;
            // A link is listed with what it points to, and is none of ours.
            told.insert(line->name.substr(
                0, line->kind == SftpLine::Kind::other ? line->name.find(" -> ") : std::string::npos));
            add(std::move(*line), std::nullopt);
        }
        // Another kind of server, or a name with a line end in it: asked one by one.
        if (!is_plain) {
            for (auto& name : session.list(path, Lines::names, interrupt)) {
                if (told.contains(name) || !check_key(prefix + name)) continue;
                const auto of_it = path + "/" + name;
                const auto status = session.look(of_it, interrupt);
                if (!status) continue;
                const bool is_directory = session.is_directory(of_it, interrupt);
                add({.kind = is_directory ? SftpLine::Kind::directory : SftpLine::Kind::file,
                     .name = std::move(name),
                     .size = status->size},
                    status->modified);
            }
        }
    } catch (const Error& error) {
        // Not there, or removed since its parent was read.
        if (error.code() == ErrorCode::not_found) return {};
        throw;
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.key < b.key; });
    return found;
}

// Lines tell the server's local time: the file with the latest tells how far that is from UTC. An hour may be wrong for
// times on the other side of a change of the clocks.
void SftpStore::set_times(http::SftpSession& session, std::vector<Found>& found, Interrupt& interrupt) {
    const Found* latest = nullptr;
    for (const auto& one : found)
        if (!one.exact && one.line.is_to_the_minute && (!latest || one.line.modified > latest->line.modified))
            latest = &one;
    std::chrono::seconds offset{0};
    if (latest != nullptr) {
        const auto status = session.look(path_of(latest->key), interrupt);
        if (status) offset = sftp_time_offset(latest->line.modified, status->modified);
    }
    for (auto& one : found)
        if (!one.exact) one.exact = std::chrono::sys_seconds(one.line.modified.time_since_epoch() - offset);
}

}  // namespace pgbakd::target
