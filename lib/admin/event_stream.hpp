// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as the daemon sends them:
// bytes in, events out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::admin {

struct ServerEvent {
    std::string name;  // "message" if the server gave none
    std::string data;  // lines joined by "\n"
    bool operator==(const ServerEvent&) const = default;
};

class EventParser {
  public:
    // An event may not be larger.
    static constexpr std::size_t limit = std::size_t{16} << 20U;

    // The events that these bytes complete. Throws corrupt when one grows beyond the limit.
    [[nodiscard]] std::vector<ServerEvent> feed(std::string_view bytes);

  private:
    void take_line(std::string_view line, std::vector<ServerEvent>& events);
    std::string rest_;  // an unfinished line
    std::string name_;
    std::string data_;
    bool has_data_ = false;
};

}  // namespace pgbakd::admin
