#include "source/tree_watch.hpp"

#include <fmt/format.h>

#include "codec/sha256.hpp"
#include "os/file.hpp"
#include "source/files_walker.hpp"

namespace pgbakd::source {
namespace {

namespace fs = std::filesystem;

void add(codec::Sha256& hash, std::string_view text) {
    // With its length: no two lists of texts are one.
    const auto line = fmt::format("{}:{}\n", text.size(), text);
    hash.update(std::as_bytes(std::span(line)));
}

std::string facts_of(const struct stat& status) {
    return fmt::format("{} {} {} {} {} {}.{} {}.{}", status.st_ino, status.st_mode, status.st_uid, status.st_gid,
                       status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                       status.st_ctim.tv_nsec);
}

// The nearest directory above that is there.
fs::path directory_above(const fs::path& path) {
    auto directory = path.parent_path();
    std::error_code ignored;
    while (directory.has_relative_path() && !fs::is_directory(directory, ignored)) directory = directory.parent_path();
    return directory;
}

}  // namespace

std::string tree_stamp(const FilesOptions& options, std::string_view manner, const std::function<void()>& check) {
    codec::Sha256 hash;
    add(hash, manner);
    FilesReport report;
    FilesWalker walker(options, report, check);
    while (const auto found = walker.next()) {
        add(hash, found->path);
        add(hash, facts_of(found->entry.status()));
    }
    for (const auto& line : report.lines()) add(hash, line);  // what cannot be looked at may come back
    return hash.hex_digest();
}

void each_watched_directory(const FilesOptions& options, const std::function<void(const fs::path&)>& take) {
    for (const auto& path : options.paths) take(directory_above(path));
    FilesReport unseen;
    FilesWalker walker(options, unseen, [] {});
    while (const auto found = walker.next())
        if (S_ISDIR(found->entry.status().st_mode)) take(found->path);
}

}  // namespace pgbakd::source
