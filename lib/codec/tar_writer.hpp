// A tar stream (pax where needed, else ustar) written into a sink, by libarchive.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "codec/sink.hpp"
#include "codec/tar_output.hpp"

namespace pgbakd::codec {

// Regular files without anything of their owner: for what we made ourselves (tree_writer.hpp has all of a file). What
// `out` says in a failure is handed on as it is. After a failure only destruction is allowed. `out` must outlive the
// writer until finish() is done.
class TarWriter {
  public:
    explicit TarWriter(Sink& out) : output_(out, TarOutput::Dialect::plain) {}
    // Starts a regular file (mode 0600, owner and group 0 without names, whole seconds) of exactly `size` bytes, handed
    // over by write() afterwards.
    [[nodiscard]] base::Status begin_file(const std::string& path, std::uint64_t size, base::Timestamp modified);
    // Fails with `conflict` when more bytes come than were announced: the file grew.
    [[nodiscard]] base::Status write(Bytes bytes);
    // Fails with `conflict` when fewer bytes came than were announced: the file shrank.
    [[nodiscard]] base::Status end_file();
    // The two zero blocks that end a tar, and no padding to a tape record after them; finishes `out`.
    [[nodiscard]] base::Status finish() { return output_.finish(); }

  private:
    TarOutput output_;
    std::string path_;
    std::uint64_t missing_ = 0;  // bytes of the current file still to come
};

}  // namespace pgbakd::codec
