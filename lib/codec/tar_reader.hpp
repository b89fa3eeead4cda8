// Reads a tar stream that is pushed into it: ustar and pax (POSIX.1-2017, pax, "pax Interchange Format"), with GNU
// tar's long names and base-256 sizes, in bounded memory. (libarchive reads by pulling, which a sink cannot do.)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "codec/sink.hpp"

namespace pgbakd::codec {

enum class TarType { file, directory, other };

struct TarEntry {
    std::string path;
    TarType type = TarType::file;
    std::uint64_t size = 0;  // bytes that follow; 0 for anything but files
};

class TarHandler {
  public:
    TarHandler() = default;
    TarHandler(const TarHandler&) = delete;
    TarHandler& operator=(const TarHandler&) = delete;
    virtual ~TarHandler() = default;
    // For each entry: begin, its bytes in any number of calls, end. A failure ends the reading.
    [[nodiscard]] virtual base::Status on_begin(const TarEntry& entry) = 0;
    [[nodiscard]] virtual base::Status on_bytes(Bytes bytes) = 0;
    [[nodiscard]] virtual base::Status on_end() = 0;
};

// Fails with `corrupt` on a wrong header checksum, a number that is none, an extended header above 1 MiB, an end that
// is not two zero blocks followed by nothing but zero blocks. `handler` must outlive the reader.
class TarReader final : public Sink {
  public:
    explicit TarReader(TarHandler& handler) : handler_(handler) {}
    [[nodiscard]] base::Status write(Bytes bytes) override;
    [[nodiscard]] base::Status finish() override;
    // Bytes taken so far.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

  private:
    static constexpr std::size_t block_size = 512;
    using Block = std::array<char, block_size>;
    enum class Part { header, content, extension, padding, end };
    enum class Extension { pax, pax_global, gnu_path, gnu_link };

    base::Status take_header();
    base::Status begin_entry(char type, std::uint64_t size);
    base::Status begin_extension(Extension kind, std::uint64_t size);
    base::Status end_content();
    base::Status end_extension();
    base::Status apply_pax();
    void begin_padding(std::uint64_t size);
    [[nodiscard]] base::Error damaged(const std::string& fact) const;

    TarHandler& handler_;
    Part part_ = Part::header;
    Extension extension_ = Extension::pax;
    Block block_{};
    std::size_t filled_ = 0;       // bytes of block_ that are there
    std::uint64_t remaining_ = 0;  // of the content, the extension or the padding
    std::uint64_t offset_ = 0;
    unsigned zero_blocks_ = 0;
    TarEntry entry_;
    std::string extension_text_;
    // What an extended header said about the entry after it.
    std::optional<std::string> next_path_;
    std::optional<std::uint64_t> next_size_;
};

}  // namespace pgbakd::codec
