// The taosdump source: databases of a TDengine server, each as a tar of what taosdump wrote.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/child.hpp"
#include "async/pool.hpp"
#include "codec/compress.hpp"
#include "model/job.hpp"
#include "os/process.hpp"
#include "source/client_way.hpp"
#include "source/source.hpp"
#include "source/taosdump_words.hpp"

namespace pgbakd::source {

class TaosdumpSource final : public Source {
  public:
    struct Settings {
        model::ServerSpec server;
        model::TaosdumpSource source;
        codec::Compression compression;
        std::vector<std::filesystem::path> search_path;  // of the programs, unless the server names their directory
        base::Secret password;                           // empty: the programs' own, of a new server
        os::Command::Variable mark;                      // of the run's processes
        int nice = 0;
        // Where the programs run elsewhere: what their directories' names begin with there, of this host and job alone.
        std::string scratch = "pgbakd-taosdump";
    };
    TaosdumpSource(asio::any_io_executor executor, async::Pool& pool, Settings settings);

    asio::awaitable<Prepared> prepare(async::StopToken stop) override;
    asio::awaitable<std::unique_ptr<OpenPart>> open(Part part, std::filesystem::path work,
                                                    async::StopToken stop) override;
    // The server ends by itself what a client that is gone has asked.
    asio::awaitable<std::size_t> end_leftovers(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> stock_restore(const model::BackupSet& set) const override;

  private:
    asio::awaitable<void> find_programs(async::StopToken stop);
    asio::awaitable<void> find_programs_there(async::StopToken stop);
    [[nodiscard]] bool is_there() const noexcept;  // the programs run elsewhere
    [[nodiscard]] os::Command question() const;
    asio::awaitable<async::Captured> ask_here(os::Command command, async::StopToken stop);
    asio::awaitable<async::Captured> ask_there(os::Command command, async::StopToken stop);
    [[nodiscard]] std::unique_ptr<OpenPart> open_there(const Part& part) const;
    // Nothing where the shell cannot be asked and need not be.
    asio::awaitable<std::optional<TaosAnswer>> ask_server(async::StopToken stop);
    void choose_databases(const std::optional<TaosAnswer>& answer, Prepared& prepared) const;
    [[nodiscard]] Part part_of(const std::string& database) const;
    // With what both programs get, `program` first.
    [[nodiscard]] os::Command command_of(const std::filesystem::path& program) const;

    asio::any_io_executor executor_;
    async::Pool& pool_;
    Settings settings_;
    // From prepare() on:
    std::filesystem::path taosdump_;
    std::filesystem::path taos_;  // empty: the shell is not installed
    std::string version_;
    ClientWay way_;
};

}  // namespace pgbakd::source
