#include "target/rclone_listing.hpp"

#include <boost/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "model/json.hpp"

namespace pgbakd::target {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t item_bytes = 1 << 20;

Error unreadable(std::string_view what) {
    return {ErrorCode::corrupt, std::string(what) + " printed what is not understood here",
            "rclone 1.60 or newer is needed"};
}

bool flag(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

// Of the item's "Hashes", those that are of use to others: names as they are (md5, sha1, sha256, …).
std::vector<Checksum> checksums_of(const json::object& item) {
    std::vector<Checksum> checksums;
    const auto* hashes = item.if_contains("Hashes");
    if (hashes == nullptr || !hashes->is_object()) return checksums;
    for (const auto& [name, value] : hashes->get_object())
        if (value.is_string() && !value.get_string().empty())
            checksums.push_back({base::to_lower(name), base::to_lower(value.get_string())});
    return checksums;
}

base::Timestamp time_of(const json::object& item) {
    const auto* modified = item.if_contains("ModTime");
    if (modified == nullptr || !modified->is_string()) return {};
    const auto time = model::parse_time(modified->get_string());
    return time ? *time : base::Timestamp{};
}

}  // namespace

base::Timestamp parse_rclone_time(std::string_view text) {
    const auto parsed = model::parse_json(text, item_bytes);
    return parsed && parsed->is_object() ? time_of(parsed->get_object()) : base::Timestamp{};
}

base::Result<std::optional<Entry>> parse_rclone_item(std::string_view text, const std::string& prefix) {
    const auto parsed = model::parse_json(text, item_bytes);
    if (!parsed || !parsed->is_object()) return unreadable("rclone lsjson");
    const auto& item = parsed->get_object();
    if (flag(item, "IsDir")) return std::optional<Entry>();
    const auto* path = item.if_contains("Path");
    const auto* size = item.if_contains("Size");
    if (path == nullptr || !path->is_string() || size == nullptr || !size->is_int64())
        return unreadable("rclone lsjson");
    Entry entry{.key = prefix + std::string(path->get_string()),
                .size = static_cast<std::uint64_t>(std::max<std::int64_t>(0, size->get_int64())),
                .modified = {},
                .checksums = checksums_of(item)};
    entry.modified = time_of(item);
    return std::optional(std::move(entry));
}

RcloneListing::RcloneListing(std::string prefix, std::function<void(Entry)> take)
    : prefix_(std::move(prefix)), take_(std::move(take)) {}

asio::awaitable<void> RcloneListing::write(std::span<const std::byte> bytes, async::StopToken stop) {
    stop.check();
    line_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::size_t begin = 0;
    for (auto end = line_.find('\n'); end != std::string::npos; end = line_.find('\n', begin)) {
        take_line(std::string_view(line_).substr(begin, end - begin));
        begin = end + 1;
    }
    line_.erase(0, begin);
    if (line_.size() > item_bytes) throw unreadable("rclone lsjson");
    co_return;
}

void RcloneListing::take_line(std::string_view line) {
    line = base::trim(line);
    if (line.empty() || line == "[" || line == "]") return;
    if (line.ends_with(',')) line.remove_suffix(1);
    auto entry = parse_rclone_item(line, prefix_).value();
    if (entry) take_(std::move(*entry));
}

base::Result<RcloneFeatures> parse_rclone_features(std::string_view text) {
    const auto parsed = model::parse_json(text, item_bytes);
    if (!parsed || !parsed->is_object()) return unreadable("rclone backend features");
    const auto& all = parsed->get_object();
    const auto* features = all.if_contains("Features");
    if (features == nullptr || !features->is_object()) return unreadable("rclone backend features");
    const auto* hashes = all.if_contains("Hashes");
    return RcloneFeatures{
        .moves = flag(features->get_object(), "Move") || flag(features->get_object(), "Copy"),
        .directories = flag(features->get_object(), "CanHaveEmptyDirectories"),
        .checksums = hashes != nullptr && hashes->is_array() && !hashes->get_array().empty(),
        .about = flag(features->get_object(), "About"),
    };
}

base::Result<std::optional<Room>> parse_rclone_about(std::string_view text) {
    const auto parsed = model::parse_json(text, item_bytes);
    if (!parsed || !parsed->is_object()) return unreadable("rclone about");
    const auto bytes = [&all = parsed->get_object()](std::string_view name) -> std::optional<std::uint64_t> {
        const auto* value = all.if_contains(name);
        if (value == nullptr || !value->is_number()) return std::nullopt;
        boost::system::error_code failure;
        const auto number = value->to_number<std::uint64_t>(failure);
        return failure ? std::nullopt : std::optional(number);
    };
    const auto free = bytes("free");
    if (!free) return std::optional<Room>();
    return std::optional(Room{.total = bytes("total").value_or(0), .available = *free});
}

}  // namespace pgbakd::target
