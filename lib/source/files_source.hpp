// The files source: paths of this host as one tar.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "async/pool.hpp"
#include "codec/compress.hpp"
#include "model/source.hpp"
#include "source/files_options.hpp"
#include "source/source.hpp"

namespace pgbakd::source {

// What of this host is stored. `own`: see FilesSource::Settings.
[[nodiscard]] FilesOptions files_options(const model::FilesSource& source,
                                         const std::vector<std::filesystem::path>& own);

class FilesSource final : public Source {
  public:
    struct Settings {
        std::string job;  // what the artifact is named by
        model::FilesSource source;
        codec::Compression compression;
        // Directories of the daemon's own, which are left out of what they lie in: a backup that holds all others grows
        // without end.
        std::vector<std::filesystem::path> own;
        int nice = 0;
    };
    // Reads on a thread of its own: a mount whose server is away holds that one, and nobody else's. Whatever waits for
    // such a mount when it is stopped is left behind with it.
    explicit FilesSource(Settings settings);

    asio::awaitable<Prepared> prepare(async::StopToken stop) override;
    asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, std::filesystem::path work,
                                                    async::StopToken stop) override;
    asio::awaitable<std::size_t> end_leftovers(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set) const override;

  private:
    std::shared_ptr<async::Pool> pool_;
    Settings settings_;
};

}  // namespace pgbakd::source
