// Trees to be stored, what the stock tar makes of what was stored, and where the two differ.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/files_reader.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace pgbakd::source::testing {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;
using Lines = std::vector<std::string>;

inline void write_file(const fs::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    REQUIRE(file.flush());
}

inline std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline FilesOptions options_for(std::vector<fs::path> paths, std::vector<std::string> exclude = {},
                                std::vector<std::string> redact = {}) {
    FilesOptions options;
    options.paths = std::move(paths);
    options.excludes = model::PathExcludes::parse(exclude).value();
    options.redact = KeyPatterns::parse(redact).value();
    return options;
}

struct Stored {
    Bytes tar;
    FilesReport report;
};

inline Stored store(FilesOptions options, FilesHooks hooks = {}) {
    FilesReader reader(std::move(options), std::move(hooks));
    Stored stored;
    for (;;) {
        const auto piece = reader.next();
        if (piece.empty()) break;
        stored.tar.insert(stored.tar.end(), piece.begin(), piece.end());
    }
    stored.report = reader.report();
    return stored;
}

// Runs the stock tar on it; what it says on standard output and error.
inline std::string run_tar(const Bytes& tar, const std::string& options, const fs::path& directory) {
    const support::TemporaryDirectory work;
    write_file(work / "x.tar", {reinterpret_cast<const char*>(tar.data()), tar.size()});
    const auto command = "LC_ALL=C tar " + options + " -f '" + (work / "x.tar").native() + "' -C '" +
                         directory.native() + "' >'" + (work / "out").native() + "' 2>&1";
    const int ended = std::system(command.c_str());
    const auto said = read_text(work / "out");
    INFO(said);
    CHECK(ended == 0);
    return said;
}

// With all that tar can bring back; its complaints.
inline std::string unpack(const Bytes& tar, const fs::path& directory) {
    return run_tar(tar, "-xp --same-owner --xattrs --xattrs-include='*' --acls", directory);
}

// Names of members, in their order, as tar writes them (escapes for what is not printable).
inline Lines members(const Bytes& tar) {
    Lines names;
    std::string text = run_tar(tar, "-t", "/");
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        names.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

inline std::string attributes_of(const fs::path& path) {
    std::array<char, 4096> names{};
    const auto size = ::llistxattr(path.c_str(), names.data(), names.size());
    std::map<std::string, std::string> all;
    for (ssize_t at = 0; at < size;) {
        const std::string name(names.data() + at);
        std::array<char, 65536> value{};
        const auto length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        if (length >= 0) all[name] = std::string(value.data(), static_cast<std::size_t>(length));
        at += static_cast<ssize_t>(name.size()) + 1;
    }
    std::string text;
    for (const auto& [name, value] : all) text += name + "=" + value + ";";
    return text;
}

// Everything that a tar keeps of what is at that path.
inline std::string facts(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return "nothing";
    const bool is_directory = S_ISDIR(status.st_mode);
    std::string text = "mode " + std::to_string(status.st_mode) + " owner " + std::to_string(status.st_uid) + ":" +
                       std::to_string(status.st_gid) + " device " + std::to_string(status.st_rdev);
    text += " modified " + std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
    text += " links " + (is_directory ? "-" : std::to_string(status.st_nlink));
    text += " attributes " + attributes_of(path);
    if (S_ISLNK(status.st_mode)) text += " to " + fs::read_symlink(path).native();
    if (S_ISREG(status.st_mode)) {
        text += " size " + std::to_string(status.st_size);
        if (status.st_size < (1 << 20)) text += " content " + read_text(path);
        if (status.st_blocks * 512 < status.st_size) text += " sparse";
    }
    return text;
}

// Paths below both where they are not the same.
inline Lines differences(const fs::path& one, const fs::path& other) {
    std::set<std::string> paths{"."};
    for (const auto& top : {one, other})
        for (const auto& entry : fs::recursive_directory_iterator(top))
            paths.insert(entry.path().lexically_relative(top).native());
    Lines found;
    for (const auto& path : paths) {
        const auto before = facts(one / path);
        const auto after = facts(other / path);
        if (before != after) found.push_back(path + ": " + before.substr(0, 400) + " | " + after.substr(0, 400));
    }
    return found;
}

inline fs::path below(const fs::path& top, const fs::path& absolute) {
    return top / absolute.relative_path();
}

}  // namespace pgbakd::source::testing
