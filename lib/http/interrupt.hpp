// Ends what blocks in libcurl on a thread of a pool.
#pragma once

#include <atomic>
#include <mutex>

namespace pgbakd::http {

// From any thread and for good: within two seconds also when the server does not answer.
class Interrupt {
  public:
    void stop() noexcept;
    [[nodiscard]] bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }
    // libcurl's multi handle that is to be woken then, while it is at work; null after that.
    void watch(void* multi) noexcept;

  private:
    std::atomic<bool> stopped_{false};
    std::mutex mutex_;
    void* multi_ = nullptr;
};

}  // namespace pgbakd::http
