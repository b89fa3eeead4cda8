// A directory by its descriptor, and what is in it by name. Below it no symbolic link is followed: whoever may write
// there leads nobody elsewhere, whatever is swapped for a link and when. All of it blocks.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/descriptor.hpp"
#include "os/file.hpp"

namespace pgbakd::os {

class OpenDirectory {
  public:
    // How a path below is walked: by the kernel in one call where it can, or name by name. For tests.
    enum class Walk { best, by_name };

    // Follows symbolic links: this is where a person said it is. Nothing if there is none. Error: conflict if it is
    // something else.
    [[nodiscard]] static std::optional<OpenDirectory> open(const std::filesystem::path& path, Walk walk = Walk::best);

    // Where it was when it was opened, for messages.
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const Descriptor& descriptor() const noexcept { return directory_; }
    [[nodiscard]] OpenDirectory again() const;

    // The directory of that relative path, itself for an empty one; nothing if a name is missing or is a file. Error:
    // invalid_configuration, which names the link, where one is in the way.
    [[nodiscard]] std::optional<OpenDirectory> below(const std::filesystem::path& relative) const;
    // The same; makes (0700) and flushes what is missing, and calls `made` with each of them before it is used. Error:
    // conflict, which names it, where something else has the name.
    using Made = std::function<void(const OpenDirectory& parent, const OpenDirectory& directory)>;
    [[nodiscard]] OpenDirectory make_below(const std::filesystem::path& relative, const Made& made = {}) const;

    // Of what is in it. Names are single ones; a link is looked at, not followed.
    [[nodiscard]] std::optional<FileStatus> status(const std::string& name) const;
    [[nodiscard]] Descriptor create_file(const std::string& name) const;  // as os::create_file()
    // Error: not_found for what is no regular file.
    [[nodiscard]] Descriptor open_for_reading(const std::string& name) const;
    void remove_file(const std::string& name) const;
    [[nodiscard]] bool remove_directory(const std::string& name) const noexcept;  // whether it was empty, and is gone
    [[nodiscard]] std::vector<std::string> list() const;                          // as os::list_directory()
    void sync() const;                                                            // as os::sync_directory()
    // As far as we may.
    void give_to_owner_of(const OpenDirectory& other) const noexcept;

  private:
    OpenDirectory(std::filesystem::path path, Descriptor directory, Walk walk)
        : path_(std::move(path)), directory_(std::move(directory)), walk_(walk) {}
    [[nodiscard]] Descriptor walk(const std::filesystem::path& relative) const;

    std::filesystem::path path_;
    Descriptor directory_;  // O_PATH: the right to search it is enough
    Walk walk_ = Walk::best;
};

}  // namespace pgbakd::os
