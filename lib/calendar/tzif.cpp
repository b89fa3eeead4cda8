#include "calendar/tzif.hpp"

#include <fmt/format.h>

#include <string_view>

#include "calendar/zone.hpp"

namespace pgbakd::calendar {
namespace {

base::Error corrupt(std::string what) {
    return {base::ErrorCode::corrupt, std::move(what), "reinstall the package tzdata"};
}

// Reads big-endian numbers from the front; the caller has checked that they are there.
class Bytes {
  public:
    explicit Bytes(std::span<const std::byte> rest) : rest_(rest) {}
    [[nodiscard]] std::size_t size() const { return rest_.size(); }
    std::span<const std::byte> take(std::size_t count) {
        const auto result = rest_.first(count);
        rest_ = rest_.subspan(count);
        return result;
    }
    std::uint64_t number(std::size_t width) {
        std::uint64_t value = 0;
        for (const auto byte : take(width)) value = value << 8U | std::to_integer<std::uint64_t>(byte);
        return value;
    }
    std::int32_t int32() { return static_cast<std::int32_t>(static_cast<std::uint32_t>(number(4))); }
    std::int64_t int64() { return static_cast<std::int64_t>(number(8)); }
    std::string_view text(std::size_t count) {
        const auto bytes = take(count);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

  private:
    std::span<const std::byte> rest_;
};

struct Header {
    char version = 0;
    std::uint64_t ut_marks = 0, standard_marks = 0, leap_seconds = 0, transitions = 0, types = 0, characters = 0;

    // Length of the data block that follows, with times of `width` bytes. Counts are below 2^32: no overflow.
    [[nodiscard]] std::uint64_t block_size(std::uint64_t width) const {
        return transitions * (width + 1) + types * 6 + characters + leap_seconds * (width + 4) + standard_marks +
               ut_marks;
    }
};

constexpr std::size_t header_size = 44;

base::Result<Header> read_header(Bytes& bytes) {
    if (bytes.size() < header_size) return corrupt("the time zone file ends within its header");
    if (bytes.text(4) != "TZif") return corrupt("not a time zone file (TZif)");
    Header header;
    header.version = bytes.text(1).front();
    bytes.take(15);
    for (auto* count : {&header.ut_marks, &header.standard_marks, &header.leap_seconds, &header.transitions,
                        &header.types, &header.characters})
        *count = bytes.number(4);
    return header;
}

base::Status read_types(Bytes& bytes, const Header& header, std::string_view names, Tzif& result) {
    for (std::uint64_t i = 0; i < header.types; ++i) {
        const std::chrono::seconds offset{bytes.int32()};
        const auto is_daylight = bytes.number(1);
        const auto name = bytes.number(1);
        if (offset <= -Zone::offset_bound || offset >= Zone::offset_bound || is_daylight > 1 || name >= names.size())
            return corrupt("the time zone file has a local time type out of range");
        const auto end = names.find('\0', name);
        if (end == std::string_view::npos) return corrupt("the time zone file has an abbreviation without an end");
        // An abbreviation is a few characters; the bound keeps memory linear in the file's size.
        result.types.push_back({offset, std::string(names.substr(name, std::min<std::size_t>(end - name, 64)))});
    }
    return {};
}

base::Status read_footer(Bytes& bytes, Tzif& result) {
    const auto rest = bytes.text(bytes.size());
    if (rest.empty() || rest.front() != '\n') return corrupt("the time zone file has no footer");
    const auto end = rest.find('\n', 1);
    if (end == std::string_view::npos) return corrupt("the footer of the time zone file has no end");
    const auto rule = rest.substr(1, end - 1);
    if (rule.empty()) return {};
    result.footer = parse_posix_rule(rule);
    if (!result.footer) return corrupt("the footer of the time zone file is not a POSIX rule");
    for (const auto offset : {result.footer->standard_offset, result.footer->daylight_offset})
        if (offset <= -Zone::offset_bound || offset >= Zone::offset_bound)
            return corrupt("the footer of the time zone file has an offset out of range");
    return {};
}

base::Result<Tzif> read_block(Bytes& bytes, const Header& header) {
    Tzif result;
    // Times, their types, the types and their names follow one another; the names are needed first.
    Bytes times(bytes.take(header.transitions * 8));
    Bytes indices(bytes.take(header.transitions));
    Bytes types(bytes.take(header.types * 6));
    const auto names = bytes.text(header.characters);
    bytes.take(header.standard_marks + header.ut_marks);
    if (auto status = read_types(types, header, names, result); !status) return status.error();

    result.transitions.reserve(header.transitions);
    for (std::uint64_t i = 0; i < header.transitions; ++i) {
        const base::Instant at{std::chrono::seconds{times.int64()}};
        const auto type = indices.number(1);
        if (type >= result.types.size()) return corrupt("the time zone file has a transition to an unknown type");
        if (at <= Zone::earliest || at >= Zone::latest) return corrupt("the time zone file has a time out of range");
        if (!result.transitions.empty() && at <= result.transitions.back().at)
            return corrupt("the transitions of the time zone file are not in order");
        result.transitions.push_back({at, type});
    }
    if (auto status = read_footer(bytes, result); !status) return status.error();
    return result;
}

}  // namespace

base::Result<Tzif> read_tzif(std::span<const std::byte> file) {
    Bytes bytes(file);
    const auto first = read_header(bytes);
    if (!first) return first.error();
    if (first->version < '2' || first->version > '9')
        return base::Error(base::ErrorCode::unsupported,
                           "the time zone file has version 1, which says nothing about the years after 2037",
                           "install the package tzdata");
    if (first->block_size(4) > bytes.size()) return corrupt("the time zone file ends within its first block");
    bytes.take(first->block_size(4));

    const auto second = read_header(bytes);
    if (!second) return second.error();
    if (second->block_size(8) > bytes.size()) return corrupt("the time zone file ends within its second block");
    if (second->leap_seconds != 0)
        return base::Error(base::ErrorCode::unsupported, "the time zone file counts leap seconds",
                           "use the zone of the same name outside \"right/\"");
    if (second->types == 0 || second->types > 256 || second->characters == 0)
        return corrupt("the time zone file has no local time type");
    for (const auto marks : {second->standard_marks, second->ut_marks})
        if (marks != 0 && marks != second->types)
            return corrupt("the time zone file has another number of marks than of types");
    return read_block(bytes, *second);
}

}  // namespace pgbakd::calendar
