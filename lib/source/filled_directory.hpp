// A directory that a program has filled, read as a tar on the pool; it is gone at the end in any case.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "async/stop.hpp"
#include "source/directory_tar.hpp"

namespace pgbakd::source {

class FilledDirectory {
  public:
    FilledDirectory(async::Pool& pool, std::filesystem::path directory)
        : pool_(pool), directory_(std::move(directory)) {}

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return directory_; }

    // When the program has ended. `tree` is the directory or one in it; the rest as for DirectoryTar.
    asio::awaitable<void> open(std::filesystem::path tree, std::string first, std::string maker);
    [[nodiscard]] bool is_open() const noexcept { return tar_ != nullptr; }

    // Of the tar; 0: its end. It must be open.
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop);

    asio::awaitable<void> remove();
    // After a failure: what stays here never gets into a set (run/execute.cpp), and so is no failure of its own.
    asio::awaitable<void> abandon();

  private:
    async::Pool& pool_;
    std::filesystem::path directory_;
    std::shared_ptr<DirectoryTar> tar_;
    std::vector<std::byte> piece_;
    std::size_t offset_ = 0;
};

}  // namespace pgbakd::source
