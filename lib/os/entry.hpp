// One entry of a directory, whatever it is, held by a descriptor that opens nothing: a link is not followed, a pipe
// waits for nobody, a device does not move. All of it blocks; all of it throws base::Error that names the path.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/descriptor.hpp"

namespace pgbakd::os {

class Entry {
  public:
    // Links on the way to the last name are followed, that one is not. Error: not_found.
    [[nodiscard]] static Entry open(const std::string& path);
    // A single name. `path` is for errors only.
    [[nodiscard]] static Entry open_in(const Descriptor& directory, const char* name, std::string_view path);

    // As it was when the entry was opened.
    [[nodiscard]] const struct stat& status() const noexcept { return status_; }
    // The very file or directory that is held, also when its name is another's by now.
    [[nodiscard]] Descriptor open_for_reading(std::string_view path) const;
    [[nodiscard]] std::string link_target(std::string_view path) const;
    // Extended attributes, sorted by name; none where the file system has none. Those that vanish meanwhile are left
    // out. Error: invalid_argument if names and values take more than `limit` bytes.
    using Attributes = std::vector<std::pair<std::string, std::string>>;
    [[nodiscard]] Attributes attributes(std::size_t limit, std::string_view path) const;

  private:
    Entry(Descriptor entry, const struct stat& status) : entry_(std::move(entry)), status_(status) {}

    Descriptor entry_;  // O_PATH
    struct stat status_;
};

[[nodiscard]] struct stat status_of(const Descriptor& file, std::string_view path);
// The names in a directory that was opened for reading, in the file system's order, without "." and "..".
void each_name(const Descriptor& directory, std::string_view path, const std::function<void(std::string_view)>& take);

}  // namespace pgbakd::os
