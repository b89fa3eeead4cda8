#include "http/interrupt.hpp"

#include <curl/curl.h>

namespace pgbakd::http {

void Interrupt::stop() noexcept {
    stopped_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    if (multi_ != nullptr) curl_multi_wakeup(static_cast<CURLM*>(multi_));
}

void Interrupt::watch(void* multi) noexcept {
    const std::lock_guard lock(mutex_);
    multi_ = multi;
}

}  // namespace pgbakd::http
