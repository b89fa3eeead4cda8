// How long it may take to tidy up after an upload. What is not done by then is left to sweep().
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "async/timer.hpp"

namespace pgbakd::target {

// Once the upload was stopped, or is stopped meanwhile: the process may be about to end.
inline constexpr std::chrono::seconds patience_after_stop{5};

class TidyingDeadline {
  public:
    // `stop` is what the upload was last called with; it does not stop the tidying, but hastens it.
    TidyingDeadline(const asio::any_io_executor& executor, const async::StopToken& stop,
                    std::chrono::milliseconds patience, const std::string& what,
                    std::chrono::milliseconds after_stop = patience_after_stop);
    TidyingDeadline(const TidyingDeadline&) = delete;
    TidyingDeadline& operator=(const TidyingDeadline&) = delete;
    ~TidyingDeadline() = default;
    [[nodiscard]] async::StopToken token() const { return source_->token(); }

  private:
    void expire_after(std::chrono::milliseconds patience);

    std::shared_ptr<async::StopSource> source_;
    asio::steady_timer timer_;
    std::string what_;
    std::optional<async::StopToken::Registration> registration_;
};

}  // namespace pgbakd::target
