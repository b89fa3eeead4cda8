// The command source: whatever a program writes to its standard output is one artifact.
#pragma once

#include <string>

#include "async/pool.hpp"
#include "codec/compress.hpp"
#include "model/source.hpp"
#include "os/process.hpp"
#include "source/source.hpp"

namespace pgbakd::source {

class CommandSource final : public Source {
  public:
    struct Settings {
        std::string job;  // what the artifact is named by
        model::CommandSource source;
        codec::Compression compression;
        std::vector<std::filesystem::path> search_path;  // of a program that is no path
        std::vector<os::Command::Variable> variables;    // resolved, and the run's mark
        int nice = 0;
    };
    CommandSource(asio::any_io_executor executor, async::Pool& pool, Settings settings);

    asio::awaitable<Prepared> prepare(async::StopToken stop) override;
    asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, std::filesystem::path work,
                                                    async::StopToken stop) override;
    asio::awaitable<std::size_t> end_leftovers(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set) const override;

  private:
    asio::any_io_executor executor_;
    async::Pool& pool_;
    Settings settings_;
    std::string program_;  // from prepare() on
};

}  // namespace pgbakd::source
