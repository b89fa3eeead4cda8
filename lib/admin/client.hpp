// Speaks to the daemon: HTTP/1.1 over its control socket, one connection a request, every wait bounded.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "admin/event_stream.hpp"
#include "admin/failure.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {

struct Answer {
    int status = 0;
    boost::json::object body;
    [[nodiscard]] bool good() const noexcept { return status >= 200 && status < 300; }
};

// The daemon's own words for a refusal: {"error":{"code","message","hint"}}. Not found is exit code 6, a conflict 75,
// a refused configuration 3, a wrong request 2, anything else 1.
[[nodiscard]] Failure refusal(const Answer& answer);

// `text` as one segment of a path (RFC 3986, section 2.1).
[[nodiscard]] std::string percent_encoded(std::string_view text);

class Client {
  public:
    struct Limits {
        std::chrono::milliseconds connect = std::chrono::seconds(5);
        std::chrono::milliseconds answer = std::chrono::seconds(30);
        // How long a wait without end may be silent before the daemon is asked, on another connection, whether it
        // lives.
        std::chrono::milliseconds silence = std::chrono::seconds(60);
        std::size_t body = std::size_t{64} << 20U;
    };
    explicit Client(std::filesystem::path socket) : Client(std::move(socket), Limits{}) {}
    Client(std::filesystem::path socket, Limits limits) : socket_(std::move(socket)), limits_(limits) {}

    // Any JSON answer, whatever its status. Throws a Failure (unreachable) if there is no daemon, if it does not answer
    // in time, or if what answers is none.
    [[nodiscard]] Answer get(const std::string& target) const { return ask("GET", target, Wait::bounded); }
    [[nodiscard]] Answer post(const std::string& target) const { return ask("POST", target, Wait::bounded); }
    // Waits for the answer as long as the daemon lives.
    [[nodiscard]] Answer remove(const std::string& target) const { return ask("DELETE", target, Wait::endless); }

    // Follows server-sent events until `on_event` says it has seen enough (false) or the stream ends, well or not; then
    // the caller asks how things stand. An answer that is no stream of events is returned as it is.
    using OnEvent = std::function<bool(const ServerEvent&)>;
    [[nodiscard]] std::optional<Answer> follow(const std::string& target, const OnEvent& on_event) const;

  private:
    enum class Wait { bounded, endless };
    [[nodiscard]] Answer ask(const char* method, const std::string& target, Wait wait) const;
    [[nodiscard]] std::function<void()> ask_whether_it_lives() const;

    std::filesystem::path socket_;
    Limits limits_;
};

}  // namespace pgbakd::admin
