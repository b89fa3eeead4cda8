#include "repository/index.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <span>
#include <system_error>

#include "base/clock.hpp"
#include "codec/sha256.hpp"
#include "model/json.hpp"

namespace pgbakd::repository {
namespace {

// The version of the program is part of it: what it keeps of a manifest may change with any of them.
constexpr std::string_view header = "pgbakd-index " PGBAKD_VERSION " ";
constexpr std::size_t hash_length = 64;
constexpr std::size_t largest_index = std::size_t{512} << 20U;
constexpr std::size_t fewest_sets = 256;    // below, reading the manifests takes no time that anybody notices
constexpr std::size_t fewest_changes = 64;  // to be read anew before it is worth writing all again
// Two changes within a tick of the file system's clock bear the same time. A manifest that was changed so shortly
// before it was read may yet change without a trace, so it is not kept.
constexpr std::chrono::seconds unsettled{2};

std::string stamp_of(const os::FileStatus& status) {
    return fmt::format("{}.{}.{}.{}", status.inode, status.size, status.modified_nanoseconds,
                       status.changed_nanoseconds);
}

bool is_settled(const os::FileStatus& status) {
    // Not the daemon's clock but that which the file system stamps with.
    const auto now = std::chrono::nanoseconds(base::SystemClock().now().time_since_epoch());
    return std::chrono::nanoseconds(status.changed_nanoseconds) + unsettled < now;
}

// The text up to `end`, cut off from `rest` together with it; all of it where there is none.
std::string_view cut(std::string_view& rest, char end) {
    const auto at = rest.find(end);
    const auto part = rest.substr(0, at);
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return part;
}

std::string hash_of(std::string_view text) {
    return codec::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace

void keep_summary(model::BackupSet& set) {
    set.databases = {};
    set.restore_order = {};
    set.stock_restore = {};
}

Index::Index(std::filesystem::path file) : file_(std::move(file)) {
    try {
        const auto directory = os::file_status(file_.parent_path());
        ours_ = directory && directory->owner == ::geteuid();
        const auto found = os::file_status(file_);
        if (!found || !found->is_regular) return;
        text_ = os::read_file(file_, largest_index);
        parse();
    } catch (const base::Error&) {
        entries_.clear();
    }
}

void Index::parse() {
    std::string_view rest = text_;
    const auto first = cut(rest, '\n');
    if (!first.starts_with(header) || first.size() != header.size() + hash_length ||
        first.substr(header.size()) != hash_of(rest))
        return;
    while (!rest.empty()) {
        auto line = cut(rest, '\n');
        const auto name = cut(line, '\t');
        const auto stamp = cut(line, '\t');
        entries_[name] = {stamp, line, false};
    }
}

std::optional<model::BackupSet> Index::find(const std::string& set, const os::FileStatus& manifest) {
    ++seen_;
    const auto found = entries_.find(set);
    if (found == entries_.end() || found->second.stamp != stamp_of(manifest)) return std::nullopt;
    auto content = model::parse_manifest(found->second.summary);
    if (!content) return std::nullopt;
    found->second.used = true;
    ++used_;
    return std::move(*content);
}

void Index::add(const std::string& set, const os::FileStatus& manifest, const model::BackupSet& content) {
    if (!ours_ || !is_settled(manifest)) return;
    auto summary = content;
    keep_summary(summary);
    lines_[set] = fmt::format("{}\t{}\t{}\n", set, stamp_of(manifest), model::compact(model::json_manifest(summary)));
}

void Index::save() noexcept {
    try {
        if (!ours_ || (seen_ < fewest_sets && text_.empty())) return;
        const bool mostly_dead = entries_.size() > 2 * (used_ + lines_.size()) + fewest_changes;
        if (seen_ < fewest_sets)
            os::remove_file(file_);
        else if (lines_.size() >= fewest_changes || mostly_dead)
            write();
    } catch (const std::exception&) {
        return;
    }
}

void Index::write() const {
    std::string body;
    for (const auto& [name, entry] : entries_)
        if (entry.used) body += fmt::format("{}\t{}\t{}\n", name, entry.stamp, entry.summary);
    for (const auto& [name, line] : lines_) body += line;
    const auto temporary = file_.native() + ".new";
    // Not flushed, and two may write at once: whatever mixture of both is left fails its hash, and counts for nothing.
    os::remove_file(temporary);
    const auto output = os::create_file(temporary);
    std::error_code failure;
    try {
        const auto first = fmt::format("{}{}\n", header, hash_of(body));
        os::write_all(output, std::as_bytes(std::span(first)), temporary);
        os::write_all(output, std::as_bytes(std::span(body)), temporary);
        std::filesystem::rename(temporary, file_, failure);
    } catch (const base::Error&) {
        os::remove_file(temporary);
    }
}

}  // namespace pgbakd::repository
