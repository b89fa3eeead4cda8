// What taosdump writes, as one stream: it fills a directory of its own, and what it says of that is judged; then the
// directory is read as a tar.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/child.hpp"
#include "async/pool.hpp"
#include "base/secret.hpp"
#include "os/process.hpp"
#include "source/filled_directory.hpp"
#include "source/stream.hpp"
#include "source/taosdump_words.hpp"

namespace pgbakd::source {

class TaosdumpStream final : public Stream {
  public:
    // Names in the directory that it runs in. They are handed to it without the way there, as it would expand that like
    // a shell (wordexp(3)).
    static constexpr const char* output_name = "dump";
    static constexpr const char* result_name = "dump_result.txt";
    static constexpr const char* log_name = "log";

    struct Settings {
        os::Command command;    // its working directory has `output_name`, empty, and is removed at the end
        base::Secret password;  // asked for by the bare -p among its arguments; empty: there is none
        std::string database;
        std::string what;  // in errors: `taosdump of "market_data"`
    };
    TaosdumpStream(asio::any_io_executor executor, async::Pool& pool, Settings settings);

    asio::awaitable<void> begun(async::StopToken stop) override;
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override;
    asio::awaitable<void> finish(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> remarks() const override { return messages_.remarks(); }
    asio::awaitable<void> abort() override;

    // That it dumped; from the first byte on.
    [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept { return rows_; }

  private:
    asio::awaitable<void> wait_for_dump(async::StopToken stop);
    asio::awaitable<void> hand_over_password(async::StopToken stop);
    void check_ending(const os::Child::Ending& ending) const;

    async::Pool& pool_;
    Settings settings_;
    FilledDirectory directory_;
    TaosdumpMessages messages_;
    async::Child child_;
    std::optional<std::uint64_t> rows_;
};

}  // namespace pgbakd::source
