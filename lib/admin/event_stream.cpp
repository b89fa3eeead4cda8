#include "admin/event_stream.hpp"

#include <utility>

#include "base/error.hpp"

namespace pgbakd::admin {

std::vector<ServerEvent> EventParser::feed(std::string_view bytes) {
    std::vector<ServerEvent> events;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        rest_ += bytes.substr(0, end);
        if (rest_.size() + data_.size() > limit)
            throw base::Error(base::ErrorCode::corrupt, "the daemon sent an event of more than 16 MiB");
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        if (rest_.ends_with('\r')) rest_.pop_back();
        const auto line = std::exchange(rest_, {});
        take_line(line, events);
    }
    return events;
}

void EventParser::take_line(std::string_view line, std::vector<ServerEvent>& events) {
    if (line.empty()) {
        if (has_data_) events.push_back({name_.empty() ? "message" : name_, data_});
        name_.clear();
        data_.clear();
        has_data_ = false;
        return;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    // An empty field is a comment, sent to show that the connection lives.
    if (field == "event") name_ = value;
    if (field != "data") return;
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
}

}  // namespace pgbakd::admin
