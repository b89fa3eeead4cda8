#include "codec/pax_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <vector>

namespace pgbakd::codec {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t block = 512;

// Fields of a header: offset and length.
constexpr std::size_t size_at = 124;
constexpr std::size_t size_length = 12;
constexpr std::size_t checksum_at = 148;
constexpr std::size_t checksum_length = 8;
constexpr std::size_t type_at = 156;

constexpr std::size_t padded(std::size_t length) {
    return (length + block - 1) / block * block;
}

Error malformed() {
    return {ErrorCode::internal, "libarchive made a tar header of an unknown form"};
}

// "<length> <key>=<value>\n" at the front, where the length counts all of it; empty if there is none.
std::string_view first_record(std::string_view records) {
    std::size_t length = 0;
    const char* end_of_all = records.data() + records.size();
    const auto [end, error] = std::from_chars(records.data(), end_of_all, length);
    if (error != std::errc{} || end == end_of_all || *end != ' ' || length > records.size()) return {};
    return records.substr(0, length);
}

std::string_view key_of(std::string_view record) {
    const auto begin = record.find(' ') + 1;
    return record.substr(begin, record.find('=') - begin);
}

std::string octal(std::size_t digits, std::uint64_t value) {
    return fmt::format("{:0{}o}", value, digits) + '\0';
}

struct Parts {
    std::vector<std::string_view> records;
    std::string_view header;
};

base::Result<Parts> parse(std::string_view blocks) {
    if (blocks.size() < block) return malformed();
    Parts parts;
    parts.header = blocks;
    if (blocks[type_at] != 'x') return parts;
    std::size_t length = 0;
    const char* field = blocks.data() + size_at;
    if (std::from_chars(field, field + size_length, length, 8).ec != std::errc{}) return malformed();
    if (length > blocks.size() - block || block + padded(length) > blocks.size()) return malformed();
    for (auto rest = blocks.substr(block, length); !rest.empty();) {
        const auto record = first_record(rest);
        if (record.empty()) return malformed();
        parts.records.push_back(record);
        rest.remove_prefix(record.size());
    }
    parts.header = blocks.substr(block + padded(length));
    return parts;
}

}  // namespace

base::Result<std::string> without_pax_record(std::string_view blocks, std::string_view key) {
    const auto parts = parse(blocks);
    if (!parts) return parts.error();
    std::string kept;
    for (const auto record : parts->records)
        if (key_of(record) != key) kept += record;
    if (kept.empty()) return std::string(parts->header);

    std::string extension(blocks.substr(0, block));
    extension.replace(size_at, size_length, octal(size_length - 1, kept.size()));
    extension.replace(checksum_at, checksum_length, checksum_length, ' ');
    const auto add = [](std::uint64_t sum, char c) { return sum + static_cast<unsigned char>(c); };
    const auto sum = std::accumulate(extension.begin(), extension.end(), std::uint64_t{0}, add);
    extension.replace(checksum_at, checksum_length - 1, octal(checksum_length - 2, sum));
    kept.resize(padded(kept.size()));
    return extension.append(kept).append(parts->header);
}

bool has_pax_record(std::string_view blocks, std::string_view key) {
    const auto parts = parse(blocks);
    return parts && std::any_of(parts->records.begin(), parts->records.end(),
                                [key](std::string_view record) { return key_of(record) == key; });
}

}  // namespace pgbakd::codec
