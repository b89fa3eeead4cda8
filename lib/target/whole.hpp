// Small objects in one piece: manifests, probes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "target/target.hpp"

namespace pgbakd::target {

// Puts `text`; a failed upload is aborted before this throws.
asio::awaitable<Receipt> put_text(Target& target, std::string key, std::string text, PutOptions options,
                                  async::StopToken stop);
// The whole object. Error: corrupt if it has more than `limit` bytes; not_found.
asio::awaitable<std::string> get_text(Target& target, std::string key, std::size_t limit, async::StopToken stop);

// Appends to a string, up to a limit.
class TextSink final : public Sink {
  public:
    explicit TextSink(std::size_t limit) : limit_(limit) {}
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override;
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::size_t limit_;
    std::string text_;
};

}  // namespace pgbakd::target
