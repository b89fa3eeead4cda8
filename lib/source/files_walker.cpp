#include "source/files_walker.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;

std::string normal(const std::filesystem::path& path) {
    if (!path.is_absolute())
        throw Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is not an absolute path", path.native()));
    auto text = path.lexically_normal().native();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

bool same_file(const struct stat& one, const struct stat& other) {
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

}  // namespace

void FilesNames::add(std::string_view name) {
    begins_.push_back(text_.size());
    text_.append(name).push_back('\0');
}

void FilesNames::sort() {
    std::sort(begins_.begin(), begins_.end(), [this](std::size_t one, std::size_t other) {
        return std::string_view(text_.c_str() + one) < std::string_view(text_.c_str() + other);
    });
}

FilesWalker::FilesWalker(const FilesOptions& options, FilesReport& report, std::function<void()> check)
    : options_(options), report_(report), check_(std::move(check)) {
    for (const auto& path : options_.paths) given_.push_back({normal(path)});
    const auto by_path = [](const Given& one, const Given& other) { return one.path < other.path; };
    const auto same_path = [](const Given& one, const Given& other) { return one.path == other.path; };
    std::sort(given_.begin(), given_.end(), by_path);
    given_.erase(std::unique(given_.begin(), given_.end(), same_path), given_.end());
}

std::optional<FilesWalker::Found> FilesWalker::next() {
    for (;;) {
        check_();
        if (levels_.empty()) {
            if (next_given_ == given_.size()) return std::nullopt;
            if (auto found = next_given()) return found;
            continue;
        }
        auto& level = levels_.back();
        if (level.next == level.names.size()) {
            leave();
            continue;
        }
        if (auto found = visit(level.names[level.next++])) return found;
    }
}

std::optional<FilesWalker::Found> FilesWalker::next_given() {
    auto& given = given_[next_given_++];
    // It came when the path that it lies in was walked.
    if (std::exchange(given.reached, true)) return std::nullopt;
    try {
        Found found{given.path, os::Entry::open(given.path)};
        bases_.clear();
        if (S_ISLNK(found.entry.status().st_mode))
            report_.noted(found.path, "is a symbolic link: only the link is stored, and not what it leads to");
        enter(found, true);
        return found;
    } catch (const Error& error) {
        report_.failed(given.path, error.code() == ErrorCode::not_found ? "does not exist" : error.message());
        return std::nullopt;
    }
}

std::optional<FilesWalker::Found> FilesWalker::visit(const char* name) {
    const auto& level = levels_.back();
    path_.resize(level.path_length);
    if (!path_.ends_with('/')) path_ += '/';
    path_ += name;
    bases_.resize(level.bases);
    auto* given = level.holds_given ? this->given(path_) : nullptr;
    try {
        Found found{path_, os::Entry::open_in(level.directory, name, path_)};
        const bool excluded = options_.excludes.exclude(path_, bases_, S_ISDIR(found.entry.status().st_mode));
        if (excluded && given == nullptr) return std::nullopt;
        if (given != nullptr) given->reached = true;
        if (excluded) bases_.clear();  // as if it were the only one
        enter(found, given != nullptr);
        return found;
    } catch (const Error& error) {
        if (given == nullptr && options_.excludes.exclude(path_, bases_, false)) return std::nullopt;
        if (error.code() == ErrorCode::not_found)
            report_.changed(path_, "vanished before it was read");
        else
            report_.failed(path_, error.message());
        return std::nullopt;
    }
}

// What is in a directory comes next, if it is to be stored.
void FilesWalker::enter(const Found& found, bool is_given) {
    const auto& status = found.entry.status();
    if (!S_ISDIR(status.st_mode)) return;
    path_ = found.path;
    if (!is_given && !options_.other_file_systems && status.st_dev != levels_.back().device) {
        report_.noted(path_, "is another file system: stored as an empty directory");
        return;
    }
    if (is_given) bases_.push_back(path_.size() + (path_.ends_with('/') ? 0 : 1));
    Level level;
    level.status = status;
    level.device = is_given ? status.st_dev : levels_.back().device;
    level.path_length = path_.size();
    level.bases = bases_.size();
    level.holds_given = any_given_below(path_);
    try {
        level.directory = found.entry.open_for_reading(path_);
        os::each_name(level.directory, path_, [&](std::string_view name) {
            check_();
            level.names.add(name);
        });
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        // What was listed so far is stored.
        report_.failed(path_, error.message());
    }
    level.names.sort();
    levels_.push_back(std::move(level));
    // The first is where the others are found again.
    if (levels_.size() > most_open) levels_[levels_.size() - most_open].directory.reset();
}

void FilesWalker::leave() {
    levels_.pop_back();
    while (!levels_.empty() && levels_.back().next < levels_.back().names.size() && !levels_.back().directory) {
        auto& level = levels_.back();
        path_.resize(level.path_length);
        if (reopen(level)) return;
        report_.failed(path_, "was moved while it was read: what comes after " +
                                  std::string(level.names[level.next - 1]) + " in it is not stored");
        levels_.pop_back();
    }
}

bool FilesWalker::reopen(Level& level) {
    const auto& top = levels_.front();
    try {
        os::Descriptor directory;
        std::string_view rest = std::string_view(path_).substr(top.path_length);
        while (!rest.empty()) {
            rest.remove_prefix(rest.starts_with('/') ? 1 : 0);
            const std::string name(rest.substr(0, rest.find('/')));
            rest.remove_prefix(name.size());
            const auto entry = os::Entry::open_in(directory ? directory : top.directory, name.c_str(), path_);
            if (!S_ISDIR(entry.status().st_mode)) return false;
            directory = entry.open_for_reading(path_);
        }
        if (!directory || !same_file(os::status_of(directory, path_), level.status)) return false;
        level.directory = std::move(directory);
        return true;
    } catch (const Error&) {
        return false;
    }
}

FilesWalker::Given* FilesWalker::given(const std::string& path) {
    const auto at = std::lower_bound(given_.begin(), given_.end(), path,
                                     [](const Given& one, const std::string& other) { return one.path < other; });
    return at != given_.end() && at->path == path ? &*at : nullptr;
}

bool FilesWalker::any_given_below(const std::string& path) const {
    const auto prefix = path.ends_with('/') ? path : path + '/';
    const auto at = std::upper_bound(given_.begin(), given_.end(), prefix,
                                     [](const std::string& other, const Given& one) { return other < one.path; });
    return at != given_.end() && at->path.starts_with(prefix);
}

}  // namespace pgbakd::source
