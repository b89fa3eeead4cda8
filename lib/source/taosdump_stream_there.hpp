// A run of taosdump in a container or on another host as a stream: the dump is made there, and then comes as a tar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/child.hpp"
#include "model/job.hpp"
#include "source/stream.hpp"
#include "source/taosdump_words.hpp"

namespace pgbakd::source {

class TaosdumpStreamThere final : public Stream {
  public:
    struct Settings {
        os::Command command;  // taosdump_there(), as it is run here
        model::ClientSpec client;
        base::Secret password;  // that no message may show
        std::string database;
        std::string what;  // in errors: `taosdump of "market_data"`
    };
    TaosdumpStreamThere(asio::any_io_executor executor, Settings settings);

    asio::awaitable<void> begun(async::StopToken stop) override;
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override;
    asio::awaitable<void> finish(async::StopToken stop) override;
    [[nodiscard]] std::vector<std::string> remarks() const override { return messages_.remarks(); }
    asio::awaitable<void> abort() override;

    // That it dumped; from the first byte on.
    [[nodiscard]] std::optional<std::uint64_t> rows() const noexcept { return rows_; }

  private:
    asio::awaitable<void> wait_for_dump(async::StopToken stop);
    // More of what comes, or the reason why it has ended.
    asio::awaitable<void> read_more(async::StopToken stop);
    asio::awaitable<void> end(async::StopToken stop);

    Settings settings_;
    TaosdumpMessages messages_;
    async::Child child_;
    std::optional<std::uint64_t> rows_;
    std::string begin_;  // what has come of the head, and then of the tar
    std::size_t offset_ = 0;
};

}  // namespace pgbakd::source
