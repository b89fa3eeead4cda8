// One request on an easy handle: libcurl's callbacks on one side, the source and the sink on the other, and bounded
// buffers between them. The callbacks only take note; the coroutine in run() does the waiting.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "http/client.hpp"
#include "http/string_list.hpp"

namespace pgbakd::http {

class Transfer : public std::enable_shared_from_this<Transfer> {
  public:
    Transfer(const asio::any_io_executor& executor, Options options, Request request);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer();

    [[nodiscard]] CURL* handle() const noexcept { return easy_.get(); }
    // Once, while the handle is in a multi handle.
    asio::awaitable<Response> run(async::StopToken stop);
    // libcurl is done with it.
    void finish(CURLcode code);

  private:
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_write(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
    static int on_seek(void* self, curl_off_t offset, int origin);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

    void set_up_connection();
    void set_up_headers();
    void set_up_bodies();
    void take_header(std::string_view line);
    std::size_t take_body(std::span<const std::byte> bytes);
    std::size_t give_body(std::span<std::byte> into);

    asio::awaitable<void> pump(async::StopToken stop);
    asio::awaitable<void> feed(async::StopToken stop);
    asio::awaitable<void> deliver(async::StopToken stop);
    void resume(bool& paused);
    void announce();
    Response conclude();
    [[nodiscard]] bool is_hungry() const noexcept { return upload_.empty() && supplied_ < length_ && !refused_; }
    [[nodiscard]] bool goes_to_sink() const noexcept { return request_.sink && response_.is_success(); }
    [[nodiscard]] std::string origin() const { return origin_of(request_.url); }

    void watch_for_stall(std::chrono::steady_clock::time_point when);
    void wake();

    struct Cleanup {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };

    Options options_;
    Request request_;
    Response response_;
    async::Event changed_;

    std::span<const std::byte> upload_;  // what the source gave and libcurl has not taken
    std::uint64_t length_ = 0;           // of the request's body
    std::uint64_t supplied_ = 0;         // of it, by the source
    bool upload_paused_ = false;
    async::StopSource* source_wait_ = nullptr;  // while the source is asked

    std::vector<std::byte> arrived_;  // for the sink, bounded
    std::vector<std::byte> delivering_;
    std::uint64_t received_ = 0;  // of the answer's body
    bool download_paused_ = false;
    bool announced_ = false;

    std::size_t header_bytes_ = 0;
    bool head_complete_ = false;
    bool refused_ = false;                // the answer is an error: no more of the request's body is wanted
    std::optional<base::Error> failure_;  // what a callback found
    std::optional<CURLcode> done_;

    asio::steady_timer stall_;
    std::chrono::milliseconds stall_timeout_;
    std::chrono::steady_clock::time_point moved_;
    bool stalled_ = false;

    std::array<char, CURL_ERROR_SIZE> detail_{};
    StringList headers_;
    std::unique_ptr<CURL, Cleanup> easy_;  // last: gone before what it points to
};

}  // namespace pgbakd::http
