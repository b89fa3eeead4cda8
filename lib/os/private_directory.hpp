// A directory of this process alone, for sockets and the like: 0700, in the directory for temporary files, gone with
// this object or, where the process was killed, with the next one of the same user and prefix that is made.
#pragma once

#include <filesystem>
#include <string>

#include "os/descriptor.hpp"

namespace pgbakd::os {

class PrivateDirectory {
  public:
    // `prefix` begins its name: "pgbakd-ssh-". In $TMPDIR, else /tmp. Blocks. Throws io_failed.
    [[nodiscard]] static PrivateDirectory make(const std::string& prefix);
    PrivateDirectory(PrivateDirectory&& other) noexcept;
    PrivateDirectory& operator=(PrivateDirectory&&) = delete;
    ~PrivateDirectory();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    PrivateDirectory(std::filesystem::path path, Descriptor lock) noexcept;
    std::filesystem::path path_;
    Descriptor lock_;  // held as long as the process lives; the programs it runs do not inherit it
};

}  // namespace pgbakd::os
