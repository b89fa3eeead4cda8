// The two primitives of a pg_dump archive, collected from pieces of any size: a fixed number of bytes, and a string
// (an integer length, then that many bytes; a negative length is "no string").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/sink.hpp"

namespace pgbakd::codec {

class FieldCollector {
  public:
    // `width` bytes and nothing else; at least 1.
    void expect_bytes(std::size_t width);
    // A string whose length is an integer of `integer_width` bytes.
    void expect_text(std::size_t integer_width);

    // Takes from the front of `bytes` what belongs to the field and returns how many bytes that was. Fails when the
    // length of a string is above `limit`; memory grows only with what came.
    [[nodiscard]] base::Result<std::size_t> take(Bytes bytes, std::size_t limit);
    [[nodiscard]] bool complete() const noexcept { return part_ == Part::complete; }
    // Whether nothing was taken yet of what is expected.
    [[nodiscard]] bool untouched() const noexcept { return content_.empty() && part_ != Part::complete; }

    // Of a complete field:
    [[nodiscard]] std::string_view bytes() const noexcept { return content_; }
    [[nodiscard]] bool absent() const noexcept { return absent_; }
    [[nodiscard]] std::string take_text() { return std::exchange(content_, {}); }

  private:
    enum class Part { length, content, complete };
    Part part_ = Part::complete;
    std::size_t wanted_ = 0;
    bool absent_ = false;
    std::string content_;
};

// A sign byte (0 or 1), then the magnitude in little-endian order: ReadInt of pg_backup_archiver.c. Nothing when the
// sign is neither, zero is negative, or the magnitude does not fit 32 bits.
[[nodiscard]] std::optional<std::int64_t> parse_archive_integer(std::string_view bytes) noexcept;

// The reverse: WriteInt.
[[nodiscard]] std::vector<std::byte> archive_integer(std::int64_t value, int integer_size);

// Little-endian, without a sign.
[[nodiscard]] std::uint64_t parse_little_endian(std::string_view bytes) noexcept;

}  // namespace pgbakd::codec
