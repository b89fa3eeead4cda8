// libcurl's multi handle on the reactor: its sockets are watched and its one timer is kept by Asio. Nothing polls.
// Reactor thread only.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <map>
#include <memory>

#include "async/asio.hpp"

namespace pgbakd::http {

class Transfer;

// libcurl wants its process-wide part made once, before any other call. It is never undone: a daemon's exit does that.
void initialise_library();

class Multi : public std::enable_shared_from_this<Multi> {
  public:
    [[nodiscard]] static std::shared_ptr<Multi> create(const asio::any_io_executor& executor);
    explicit Multi(const asio::any_io_executor& executor);
    Multi(const Multi&) = delete;
    Multi& operator=(const Multi&) = delete;
    ~Multi();

    // Keeps a transfer under way while it lives.
    class Membership {
      public:
        Membership(std::shared_ptr<Multi> multi, std::shared_ptr<Transfer> transfer);
        Membership(const Membership&) = delete;
        Membership& operator=(const Membership&) = delete;
        ~Membership();

      private:
        std::shared_ptr<Multi> multi_;
        std::shared_ptr<Transfer> transfer_;
    };

  private:
    struct Watch;  // one socket, and what libcurl waits for on it

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* assigned);
    static int on_timer(CURLM* handle, long timeout_ms, void* self);
    void watch(curl_socket_t socket, int what);
    void arm(const std::shared_ptr<Watch>& watch);
    void ready(const std::shared_ptr<Watch>& watch, int what);
    void act(curl_socket_t socket, int what);
    void collect();

    asio::any_io_executor executor_;
    asio::steady_timer timer_;
    std::uint64_t timer_round_ = 0;  // an expiry that was queued before the timer was set again is of an old round
    std::map<curl_socket_t, std::shared_ptr<Watch>> watches_;
    CURLM* handle_ = nullptr;
};

}  // namespace pgbakd::http
