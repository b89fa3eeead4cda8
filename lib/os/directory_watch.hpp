// Tells when something in some directories has changed (inotify, see inotify(7)).
#pragma once

#include <filesystem>

#include "os/descriptor.hpp"

namespace pgbakd::os {

class DirectoryWatch {
  public:
    enum class Told {
        names,     // files that are put there, written to their end, renamed, removed
        contents,  // these, and each writing, and changes of modes, owners, times and attributes
    };

    // Non-blocking. Errors: io_failed (the system's limits on inotify among others, which the hint names).
    DirectoryWatch();
    // What happens in `directory` is told from now on; what happens in directories below it is not. Twice the same
    // directory is one watch. Errors: not_found, io_failed.
    void add(const std::filesystem::path& directory, Told told = Told::names);
    // Readable when something has happened.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
    // Reads all that has happened until now; whether there was anything.
    bool drain();

  private:
    Descriptor descriptor_;
};

}  // namespace pgbakd::os
