// A tar stream (pax where needed, else ustar) written into a sink, by libarchive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "codec/sink.hpp"

namespace pgbakd::codec {

// What `out` says in a failure is handed on as it is. After a failure only destruction is allowed. `out` must outlive
// the writer until finish() is done.
class TarWriter {
  public:
    explicit TarWriter(Sink& out);
    ~TarWriter();
    // Starts a regular file (mode 0600, owner and group 0 without names, whole seconds) of exactly `size` bytes, handed
    // over by write() afterwards.
    [[nodiscard]] base::Status begin_file(const std::string& path, std::uint64_t size, base::Timestamp modified);
    // Fails with `conflict` when more bytes come than were announced: the file grew.
    [[nodiscard]] base::Status write(Bytes bytes);
    // Fails with `conflict` when fewer bytes came than were announced: the file shrank.
    [[nodiscard]] base::Status end_file();
    // The two zero blocks that end a tar, and no padding to a tape record after them; finishes `out`.
    [[nodiscard]] base::Status finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace pgbakd::codec
