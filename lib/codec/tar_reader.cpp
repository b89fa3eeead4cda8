#include "codec/tar_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.hpp"

namespace pgbakd::codec {

namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::uint64_t largest_extension = 1024UL * 1024;
constexpr std::uint64_t largest_size = 1ULL << 62U;

// The places of a ustar header's fields.
struct Field {
    std::size_t offset;
    std::size_t size;
};
constexpr Field name_field{0, 100}, size_field{124, 12}, checksum_field{148, 8}, magic_field{257, 6},
    prefix_field{345, 155};
constexpr std::size_t type_offset = 156;

std::string_view text_of(std::string_view block, Field field) {
    const auto text = block.substr(field.offset, field.size);
    return text.substr(0, text.find('\0'));
}

// Octal digits between spaces and zero bytes, or (GNU) a big-endian number when the first byte's top bit is set.
std::optional<std::uint64_t> number_of(std::string_view block, Field field) {
    auto text = block.substr(field.offset, field.size);
    std::uint64_t value = 0;
    if ((static_cast<unsigned char>(text.front()) & 0x80U) != 0) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]) & (i == 0 ? 0x7fU : 0xffU);
            if (value > (largest_size >> 8U)) return std::nullopt;
            value = (value << 8U) | byte;
        }
        return value;
    }
    while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    for (const char digit : text) {
        if (digit < '0' || digit > '7') return std::nullopt;
        value = value * 8 + static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

// The sum of the header's bytes with its own field taken as spaces; old programs summed signed bytes.
bool checksum_is_right(std::string_view block) {
    const auto stated = number_of(block, checksum_field);
    if (!stated) return false;
    std::int64_t as_unsigned = 0;
    std::int64_t as_signed = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
        const bool inside = i >= checksum_field.offset && i < checksum_field.offset + checksum_field.size;
        const char byte = inside ? ' ' : block[i];
        as_unsigned += static_cast<unsigned char>(byte);
        as_signed += static_cast<signed char>(byte);
    }
    const auto sum = static_cast<std::int64_t>(*stated);
    return sum == as_unsigned || sum == as_signed;
}

}  // namespace

Status TarReader::write(Bytes bytes) {
    while (!bytes.empty()) {
        std::size_t taken = 0;
        Status status;
        switch (part_) {
            case Part::header:
            case Part::end:
                taken = std::min(bytes.size(), block_size - filled_);
                std::memcpy(block_.data() + filled_, bytes.data(), taken);
                filled_ += taken;
                offset_ += taken;
                if (filled_ == block_size) status = take_header();
                break;
            case Part::content:
                taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
                remaining_ -= taken;
                offset_ += taken;
                status = handler_.on_bytes(bytes.first(taken));
                if (status && remaining_ == 0) status = end_content();
                break;
            case Part::extension:
                taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
                extension_text_.append(reinterpret_cast<const char*>(bytes.data()), taken);
                remaining_ -= taken;
                offset_ += taken;
                if (remaining_ == 0) status = end_extension();
                break;
            case Part::padding:
                taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_));
                remaining_ -= taken;
                offset_ += taken;
                if (remaining_ == 0) part_ = Part::header;
                break;
        }
        if (!status) return status;
        bytes = bytes.subspan(taken);
    }
    return {};
}

Status TarReader::finish() {
    switch (part_) {
        case Part::content:
        case Part::padding:
            return Error(ErrorCode::corrupt, fmt::format("the tar is cut off at byte {}, inside {}", offset_,
                                                         base::printable(entry_.path)));
        case Part::extension:
            return Error(ErrorCode::corrupt,
                         fmt::format("the tar is cut off at byte {}, inside an extended header", offset_));
        case Part::header:
            return Error(ErrorCode::corrupt,
                         offset_ == 0 ? std::string("the tar is empty")
                                      : fmt::format("the tar is cut off at byte {}, before its end mark", offset_));
        case Part::end: break;
    }
    if (filled_ != 0)
        return Error(ErrorCode::corrupt, fmt::format("the tar is cut off at byte {}, inside its end mark", offset_));
    return {};
}

Status TarReader::take_header() {
    filled_ = 0;
    const std::string_view block(block_.data(), block_.size());
    if (std::all_of(block.begin(), block.end(), [](char byte) { return byte == '\0'; })) {
        if (next_path_ || next_size_) return damaged("an extended header without its entry");
        if (++zero_blocks_ == 2) part_ = Part::end;
        return {};
    }
    if (part_ == Part::end) return damaged("data after the end mark");
    if (zero_blocks_ != 0) return damaged("a single zero block between entries");
    if (!checksum_is_right(block)) return damaged("a header with a wrong checksum");
    auto size = number_of(block, size_field);
    if (!size || *size > largest_size) return damaged("a header with an impossible size");
    const char type = block[type_offset];
    switch (type) {
        case 'x': return begin_extension(Extension::pax, *size);
        case 'g': return begin_extension(Extension::pax_global, *size);
        case 'L': return begin_extension(Extension::gnu_path, *size);
        case 'K': return begin_extension(Extension::gnu_link, *size);
        default: return begin_entry(type, *size);
    }
}

Status TarReader::begin_entry(char type, std::uint64_t size) {
    const std::string_view block(block_.data(), block_.size());
    std::string path(text_of(block, name_field));
    // POSIX's magic ends with a zero byte; GNU's ("ustar  ") has other things where the prefix would be.
    if (block.substr(magic_field.offset, magic_field.size) == std::string_view("ustar\0", 6))
        if (const auto prefix = text_of(block, prefix_field); !prefix.empty()) path = std::string(prefix) + "/" + path;
    entry_.path = next_path_.value_or(std::move(path));
    size = next_size_.value_or(size);
    next_path_.reset();
    next_size_.reset();
    switch (type) {
        case '5': entry_.type = TarType::directory; break;
        case '1':
        case '2':
        case '3':
        case '4':
        case '6': entry_.type = TarType::other; break;
        default: entry_.type = TarType::file; break;
    }
    // Links, devices and directories carry no bytes whatever their size field says.
    entry_.size = entry_.type == TarType::file ? size : 0;
    if (auto status = handler_.on_begin(entry_); !status) return status;
    remaining_ = entry_.size;
    part_ = Part::content;
    return remaining_ == 0 ? end_content() : Status{};
}

Status TarReader::begin_extension(Extension kind, std::uint64_t size) {
    if (size == 0 || size > largest_extension) return damaged("an extended header of an impossible size");
    extension_ = kind;
    extension_text_.clear();
    entry_.size = size;
    remaining_ = size;
    part_ = Part::extension;
    return {};
}

Status TarReader::end_content() {
    begin_padding(entry_.size);
    return handler_.on_end();
}

Status TarReader::end_extension() {
    begin_padding(entry_.size);
    switch (extension_) {
        case Extension::pax: return apply_pax();
        case Extension::pax_global:  // says nothing about a single entry's path or size
        case Extension::gnu_link: return {};
        case Extension::gnu_path: next_path_ = extension_text_.substr(0, extension_text_.find('\0')); return {};
    }
    return {};
}

// Records "<length> <key>=<value>\n", the length counting the whole record.
Status TarReader::apply_pax() {
    std::string_view rest = extension_text_;
    while (!rest.empty()) {
        std::size_t length = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
        const auto digits = static_cast<std::size_t>(end - rest.data());
        if (error != std::errc{} || length <= digits + 1 || length > rest.size() || rest[digits] != ' ' ||
            rest[length - 1] != '\n')
            return damaged("an extended header that is no list of records");
        const auto record = rest.substr(digits + 1, length - digits - 2);
        rest.remove_prefix(length);
        const auto equals = record.find('=');
        if (equals == std::string_view::npos) return damaged("an extended header that is no list of records");
        const auto key = record.substr(0, equals);
        const auto value = record.substr(equals + 1);
        // The header of a sparse file has a name for those who do not know sparse files.
        if (key == "path" || key == "GNU.sparse.name") next_path_ = std::string(value);
        if (key == "size") {
            std::uint64_t size = 0;
            const auto [stop, problem] = std::from_chars(value.data(), value.data() + value.size(), size);
            if (problem != std::errc{} || stop != value.data() + value.size() || size > largest_size)
                return damaged("an extended header with an impossible size");
            next_size_ = size;
        }
    }
    return {};
}

void TarReader::begin_padding(std::uint64_t size) {
    remaining_ = (block_size - size % block_size) % block_size;
    part_ = remaining_ == 0 ? Part::header : Part::padding;
}

Error TarReader::damaged(const std::string& fact) const {
    return {ErrorCode::corrupt, fmt::format("the tar is damaged before byte {}: {}", offset_, fact)};
}

}  // namespace pgbakd::codec
