// Files of several names: the first is stored, the others refer to it.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

namespace pgbakd::source {

// Holds a name only as long as others of the file may come, and no more than `limit` bytes of them: beyond that files
// are stored once for each name, which costs space and loses nothing.
class FilesLinks {
  public:
    explicit FilesLinks(std::size_t limit = std::size_t{64} << 20U) : limit_(limit) {}

    // The member that holds it; null if there is none. Counts one more of its names as seen.
    [[nodiscard]] const std::string* find(const struct stat& file);
    void add(const struct stat& file, const std::string& member);

  private:
    // With time and size: the number of a file that is gone may be another's by now.
    using Key = std::tuple<dev_t, ino_t, off_t, time_t, long>;
    [[nodiscard]] static Key key_of(const struct stat& file) noexcept {
        return {file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
    }
    struct Held {
        std::string member;
        std::uint64_t missing = 0;
    };
    static constexpr std::size_t overhead = 128;

    std::size_t limit_;
    std::size_t used_ = 0;
    std::map<Key, Held> held_;
    std::string last_;  // of one that was given up just now
};

}  // namespace pgbakd::source
