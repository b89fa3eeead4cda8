// A daemon that answers as it is told: one scripted answer per connection, in order.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "os/descriptor.hpp"

namespace pgbakd::admin::testing {

struct Scripted {
    std::string answer;
    // After the answer: until the fake daemon ends, the connection stays open and silent.
    bool hold = false;
};

inline Scripted json_answer(int status, const std::string& body) {
    return {"HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body};
}

inline std::string chunk(const std::string& bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
}

inline std::string stream_head() {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
}

class FakeDaemon {
  public:
    FakeDaemon(const std::filesystem::path& path, std::vector<Scripted> script) : script_(std::move(script)) {
        listener_ = os::Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        ::unlink(path.c_str());
        if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_.get(), 8) != 0)
            throw std::runtime_error("cannot listen at " + path.string());
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeDaemon() {
        stopping_ = true;
        thread_.join();
    }
    // The request lines so far.
    [[nodiscard]] std::vector<std::string> requests() {
        const std::lock_guard guard(mutex_);
        return requests_;
    }

  private:
    bool wait(int descriptor) {
        while (!stopping_) {
            pollfd entry{descriptor, POLLIN, 0};
            if (::poll(&entry, 1, 10) > 0) return true;
        }
        return false;
    }
    void serve() {
        std::vector<os::Descriptor> held;
        for (const auto& scripted : script_) {
            if (!wait(listener_.get())) return;
            os::Descriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            std::string request;
            char buffer[4096];
            while (request.find("\r\n\r\n") == std::string::npos) {
                const auto count = ::read(connection.get(), buffer, sizeof buffer);
                if (count <= 0) break;
                request.append(buffer, static_cast<std::size_t>(count));
            }
            {
                const std::lock_guard guard(mutex_);
                requests_.push_back(request.substr(0, request.find("\r\n")));
            }
            // In two pieces, so that nobody counts on one.
            const auto middle = scripted.answer.size() / 2;
            send(connection, scripted.answer.substr(0, middle));
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            send(connection, scripted.answer.substr(middle));
            if (scripted.hold) held.push_back(std::move(connection));
        }
        listener_.reset();
        while (!stopping_ && !held.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    static void send(const os::Descriptor& connection, const std::string& bytes) {
        for (std::size_t sent = 0; sent < bytes.size();) {
            const auto count = ::send(connection.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) return;
            sent += static_cast<std::size_t>(count);
        }
    }

    std::vector<Scripted> script_;
    os::Descriptor listener_;
    std::mutex mutex_;
    std::vector<std::string> requests_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace pgbakd::admin::testing
