#include "codec/archive_fields.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgbakd::codec {

void FieldCollector::expect_bytes(std::size_t width) {
    part_ = Part::content;
    wanted_ = width;
    absent_ = false;
    content_.clear();
}

void FieldCollector::expect_text(std::size_t integer_width) {
    expect_bytes(integer_width);
    part_ = Part::length;
}

base::Result<std::size_t> FieldCollector::take(Bytes bytes, std::size_t limit) {
    std::size_t taken = 0;
    while (part_ != Part::complete && taken < bytes.size()) {
        const std::size_t size = std::min(bytes.size() - taken, wanted_ - content_.size());
        content_.append(reinterpret_cast<const char*>(bytes.data()) + taken, size);
        taken += size;
        if (content_.size() < wanted_) break;
        if (part_ == Part::content) {
            part_ = Part::complete;
            break;
        }
        const auto length = parse_archive_integer(content_);
        if (!length) return base::Error(base::ErrorCode::corrupt, "a string whose length is no number");
        content_.clear();
        absent_ = *length < 0;
        if (*length <= 0) {
            part_ = Part::complete;
            break;
        }
        wanted_ = static_cast<std::size_t>(*length);
        if (wanted_ > limit) return base::Error(base::ErrorCode::corrupt, fmt::format("a string of {} bytes", wanted_));
        part_ = Part::content;
    }
    return taken;
}

std::optional<std::int64_t> parse_archive_integer(std::string_view bytes) noexcept {
    const auto sign = static_cast<unsigned char>(bytes.front());
    const std::uint64_t magnitude = parse_little_endian(bytes.substr(1));
    // pg_dump never writes a negative zero; a flipped sign would be one.
    if (sign > 1 || (sign == 1 && magnitude == 0) || magnitude > 0xffff'ffffULL) return std::nullopt;
    const auto value = static_cast<std::int64_t>(magnitude);
    return sign == 0 ? value : -value;
}

std::vector<std::byte> archive_integer(std::int64_t value, int integer_size) {
    std::vector<std::byte> bytes{static_cast<std::byte>(value < 0 ? 1 : 0)};
    const auto magnitude = static_cast<std::uint64_t>(value < 0 ? -value : value);
    for (int i = 0; i < integer_size; ++i) bytes.push_back(static_cast<std::byte>((magnitude >> (8 * i)) & 0xffU));
    return bytes;
}

std::uint64_t parse_little_endian(std::string_view bytes) noexcept {
    std::uint64_t value = 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
        value = (value << 8U) | static_cast<unsigned char>(*byte);
    return value;
}

}  // namespace pgbakd::codec
