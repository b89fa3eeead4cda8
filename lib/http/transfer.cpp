#include "http/transfer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/text.hpp"
#include "base/units.hpp"
#include "http/failure.hpp"

namespace pgbakd::http {
namespace {

// Of an answer's body, between libcurl and a sink that is slower than the network. There are two.
constexpr std::size_t most_arrived = 256UL * 1024;

int status_of(std::string_view status_line) {
    const auto space = status_line.find(' ');
    if (space == std::string_view::npos) return 0;
    int status = 0;
    std::from_chars(status_line.data() + space + 1, status_line.data() + status_line.size(), status);
    return status;
}

}  // namespace

// --- called by libcurl ---

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto bytes = size * count;
    transfer.moved_ = std::chrono::steady_clock::now();
    transfer.header_bytes_ += bytes;
    if (transfer.header_bytes_ > transfer.options_.most_header_bytes) {
        transfer.failure_.emplace(base::ErrorCode::server_error,
                                  transfer.origin() + ": the answer's headers are larger than " +
                                      base::format_size(transfer.options_.most_header_bytes));
        return 0;
    }
    transfer.take_header(base::trim(std::string_view(data, bytes)));
    return bytes;
}

void Transfer::take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
        // An interim answer (100) may have come before this one.
        response_.status = status_of(line);
        response_.headers.clear();
        head_complete_ = false;
        return;
    }
    if (line.empty()) {
        head_complete_ = response_.status >= 200;
        if (head_complete_) changed_.notify();
        // libcurl stops sending at an error (but not at a redirect); 7.88 forgets to do so while it is paused.
        refused_ = head_complete_ && response_.status >= 400;
        if (refused_) wake();
        return;
    }
    if (head_complete_) return;  // a trailer
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    response_.headers.push_back(
        {base::to_lower(base::trim(line.substr(0, colon))), std::string(base::trim(line.substr(colon + 1)))});
}

std::size_t Transfer::on_write(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_body(std::as_bytes(std::span(data, size * count)));
}

std::size_t Transfer::take_body(std::span<const std::byte> bytes) {
    moved_ = std::chrono::steady_clock::now();
    if (goes_to_sink()) {
        if (!arrived_.empty() && arrived_.size() + bytes.size() > most_arrived) {
            download_paused_ = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
        received_ += bytes.size();
        changed_.notify();
        return bytes.size();
    }
    received_ += bytes.size();
    const auto room = options_.most_body_bytes - response_.body.size();
    if (bytes.size() > room && response_.is_success()) {
        failure_.emplace(base::ErrorCode::server_error,
                         origin() + ": the answer is larger than " + base::format_size(options_.most_body_bytes));
        return 0;
    }
    response_.body.append(reinterpret_cast<const char*>(bytes.data()), std::min(room, bytes.size()));
    return bytes.size();
}

std::size_t Transfer::on_read(char* into, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->give_body(std::as_writable_bytes(std::span(into, size * count)));
}

std::size_t Transfer::give_body(std::span<std::byte> into) {
    if (upload_.empty()) {
        if (supplied_ == length_) return 0;
        if (refused_) return CURL_READFUNC_ABORT;
        upload_paused_ = true;
        changed_.notify();
        return CURL_READFUNC_PAUSE;
    }
    moved_ = std::chrono::steady_clock::now();
    const auto bytes = std::min(into.size(), upload_.size());
    std::memcpy(into.data(), upload_.data(), bytes);
    upload_ = upload_.subspan(bytes);
    if (is_hungry()) changed_.notify();
    return bytes;
}

int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!transfer.request_.body) return CURL_SEEKFUNC_OK;
    // A source that is being asked cannot begin anew under its own feet.
    if (offset != 0 || origin != SEEK_SET || transfer.source_wait_ != nullptr || !transfer.request_.body->rewind())
        return CURL_SEEKFUNC_FAIL;
    transfer.upload_ = {};
    transfer.supplied_ = 0;
    transfer.changed_.notify();
    return CURL_SEEKFUNC_OK;
}

void Transfer::finish(CURLcode code) {
    done_ = code;
    wake();
}

void Transfer::wake() {
    changed_.notify();
    // What the source would still give is not needed any more.
    if (source_wait_ != nullptr) source_wait_->stop({base::ErrorCode::cancelled, "the request has ended"});
}

// --- the reactor's side ---

void Transfer::watch_for_stall(std::chrono::steady_clock::time_point when) {
    stall_.expires_at(when);
    stall_.async_wait([weak = weak_from_this()](const boost::system::error_code& failure) {
        const auto self = weak.lock();
        if (failure || !self || self->done_) return;
        const auto now = std::chrono::steady_clock::now();
        // While we let the other side wait, it cannot stall.
        if (self->upload_paused_ || self->download_paused_) self->moved_ = now;
        const auto limit = self->moved_ + self->stall_timeout_;
        if (now < limit) return self->watch_for_stall(limit);
        self->stalled_ = true;
        self->wake();
    });
}

asio::awaitable<Response> Transfer::run(async::StopToken stop) {
    moved_ = std::chrono::steady_clock::now();
    watch_for_stall(moved_ + stall_timeout_);
    co_await pump(stop);
    co_return conclude();
}

asio::awaitable<void> Transfer::pump(async::StopToken stop) {
    for (;;) {
        // As soon as it is there: its body may never come.
        if (head_complete_ && goes_to_sink()) announce();
        stop.check();
        if (!arrived_.empty()) {
            co_await deliver(stop);
        } else if (done_) {
            break;
        } else if (stalled_) {
            throw base::Error(
                base::ErrorCode::timed_out, origin() + ": no byte moved for " + base::format_duration(stall_timeout_),
                "check that the service is well, and the network between it and this host", base::Persistence::passing);
        } else if (is_hungry()) {
            co_await feed(stop);
        } else if (refused_ && upload_paused_) {
            resume(upload_paused_);
        } else {
            co_await changed_.wait(stop);
        }
    }
}

asio::awaitable<void> Transfer::feed(async::StopToken stop) {
    async::StopSource wait(stop);
    source_wait_ = &wait;
    std::span<const std::byte> bytes;
    std::exception_ptr failure;
    try {
        bytes = co_await request_.body->next(wait.token());
    } catch (...) {
        failure = std::current_exception();
    }
    source_wait_ = nullptr;
    stop.check();
    if (done_ || stalled_ || refused_) co_return;
    if (failure) std::rethrow_exception(failure);
    supplied_ += bytes.size();
    if (bytes.empty() || supplied_ > length_)
        throw base::Error(base::ErrorCode::io_failed, "a request's body is " +
                                                          std::string(bytes.empty() ? "shorter" : "longer") +
                                                          " than the " + base::format_size(length_) + " announced");
    upload_ = bytes;
    resume(upload_paused_);
}

asio::awaitable<void> Transfer::deliver(async::StopToken stop) {
    delivering_.clear();
    std::swap(arrived_, delivering_);
    resume(download_paused_);
    co_await request_.sink->write(delivering_, stop);
}

void Transfer::resume(bool& paused) {
    if (!paused) return;
    paused = false;
    moved_ = std::chrono::steady_clock::now();
    if (done_) return;
    // May call back at once with what was held; if that fails, the transfer's own result tells.
    curl_easy_pause(easy_.get(), (upload_paused_ ? CURLPAUSE_SEND : 0) | (download_paused_ ? CURLPAUSE_RECV : 0));
}

void Transfer::announce() {
    if (!std::exchange(announced_, true)) request_.sink->begin(response_);
}

Response Transfer::conclude() {
    if (failure_) throw base::Error(*failure_);
    // A server that refuses a body may close the connection while it is being sent: its answer says more than the
    // lost connection.
    const bool refused = head_complete_ && response_.status >= 300;
    // libcurl takes headers that end with the connection, and not with an empty line, for all of them.
    const bool cut_off = *done_ == CURLE_OK && response_.status != 0 && !head_complete_;
    if ((*done_ != CURLE_OK || cut_off) && !refused) {
        long system_error = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system_error);
        curl_off_t connected = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
        throw failure_from({cut_off ? CURLE_RECV_ERROR : *done_, origin(), detail_.data(),
                            static_cast<int>(system_error), connected > 0, received_, options_.ca_file});
    }
    if (response_.status < 200 || response_.status > 599)
        throw base::Error(base::ErrorCode::server_error, origin() + ": the answer has no status of HTTP");
    if (goes_to_sink()) announce();
    return std::move(response_);
}

}  // namespace pgbakd::http
