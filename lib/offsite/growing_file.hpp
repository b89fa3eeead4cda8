// A local file that is sent while it is still being written. The disk is the buffer between its writer and those who
// send it, so that no reader slows the writer or another reader.
#pragma once

#include <filesystem>

#include "offsite/growing.hpp"

namespace pgbakd::offsite {

class GrowingFile final : public Growing {
  public:
    GrowingFile(const asio::any_io_executor& executor, std::filesystem::path path)
        : Growing(executor, path.filename().native(), Kept::on_disk), path_(std::move(path)) {}

    // The file stays the same one when its set is committed by a rename meanwhile, or deleted. Errors: not_found,
    // io_failed.
    asio::awaitable<std::unique_ptr<Reading>> open(async::Pool& pool) override;

  private:
    std::filesystem::path path_;
};

}  // namespace pgbakd::offsite
