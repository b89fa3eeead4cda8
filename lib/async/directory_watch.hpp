// Waits on the reactor until something in some directories has changed.
#pragma once

#include <filesystem>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "os/directory_watch.hpp"

namespace pgbakd::async {

class DirectoryWatch {
  public:
    // Errors: as os::DirectoryWatch's.
    explicit DirectoryWatch(const asio::any_io_executor& executor);
    // What that one tells, since it was made.
    DirectoryWatch(const asio::any_io_executor& executor, os::DirectoryWatch watch);
    DirectoryWatch(const DirectoryWatch&) = delete;
    DirectoryWatch& operator=(const DirectoryWatch&) = delete;
    ~DirectoryWatch();
    // As os::DirectoryWatch::add(): what is told, and the errors.
    using Told = os::DirectoryWatch::Told;
    void add(const std::filesystem::path& directory, Told told = Told::names) { watch_.add(directory, told); }
    // Until something has happened that changed() and drain() have not told yet. Throws the token's reason when
    // stopped, io_failed. One caller at a time.
    asio::awaitable<void> changed(StopToken stop);
    // Whether anything has; does not wait.
    bool drain() { return watch_.drain(); }

  private:
    os::DirectoryWatch watch_;
    asio::posix::stream_descriptor readable_;
};

}  // namespace pgbakd::async
