// libarchive's tar writer behind a sink: what the writers of this folder share. For this folder only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/sink.hpp"

struct archive;
struct archive_entry;

namespace pgbakd::codec {

// What `out` says in a failure is handed on as it is. After a failure only destruction is allowed.
class TarOutput {
  public:
    enum class Dialect {
        plain,  // ustar, with extended headers only for what that cannot say
        full,   // extended headers for all that a file has; names are bytes
    };
    TarOutput(Sink& out, Dialect dialect);
    TarOutput(const TarOutput&) = delete;
    TarOutput& operator=(const TarOutput&) = delete;
    ~TarOutput();

    // An empty entry, to be filled in for write_header() or format_header().
    [[nodiscard]] archive_entry* new_entry();
    [[nodiscard]] base::Status write_header(const std::string& path);
    // The blocks of the header instead of writing them.
    [[nodiscard]] base::Result<std::string> format_header(const std::string& path);
    [[nodiscard]] base::Status write_raw(std::string_view bytes);  // only where a header may stand
    [[nodiscard]] base::Status write(Bytes bytes, const std::string& path);
    [[nodiscard]] base::Status end_member(const std::string& path);
    // The two zero blocks, and the end of `out`.
    [[nodiscard]] base::Status finish();

  private:
    struct FreeArchive {
        void operator()(archive* handle) const noexcept;
    };
    struct FreeEntry {
        void operator()(archive_entry* entry) const noexcept;
    };
    [[nodiscard]] base::Status pass(Bytes bytes);
    [[nodiscard]] base::Status outcome(bool success, std::string_view activity) const;

    Sink* out_;
    bool abandoned_ = false;
    std::string* captured_ = nullptr;
    std::optional<base::Error> failure_;
    std::unique_ptr<archive, FreeArchive> handle_;
    std::unique_ptr<archive_entry, FreeEntry> entry_;
};

}  // namespace pgbakd::codec
