// A daemon that answers as it is told: one scripted answer per connection, in order.
#pragma once

#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "os/descriptor.hpp"
#include "support/wait_for.hpp"

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
        stop_ = os::Descriptor(::eventfd(0, EFD_CLOEXEC));
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeDaemon() {
        (void)::eventfd_write(stop_.get(), 1);
        thread_.join();
    }
    // The request lines so far.
    [[nodiscard]] std::vector<std::string> requests() {
        const std::lock_guard guard(mutex_);
        return requests_;
    }

  private:
    // False when the fake daemon is to end first.
    bool wait_for_connection() {
        std::array<pollfd, 2> entries{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        return ::poll(entries.data(), entries.size(), -1) > 0 && entries[1].revents == 0;
    }
    void wait_for_the_end() {
        pollfd entry{stop_.get(), POLLIN, 0};
        (void)::poll(&entry, 1, -1);
    }
    static bool is_read(const os::Descriptor& connection) {
        int unread = 0;
        return ::ioctl(connection.get(), SIOCOUTQ, &unread) != 0 || unread == 0;
    }
    void serve() {
        std::vector<os::Descriptor> held;
        for (const auto& scripted : script_) {
            if (!wait_for_connection()) return;
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
            (void)support::wait_for([&] { return is_read(connection); }, std::chrono::seconds(1));
            send(connection, scripted.answer.substr(middle));
            if (scripted.hold) held.push_back(std::move(connection));
        }
        listener_.reset();
        if (!held.empty()) wait_for_the_end();
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
    os::Descriptor stop_;  // readable when it is to end
    std::thread thread_;
};

}  // namespace pgbakd::admin::testing
