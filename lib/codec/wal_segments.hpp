// Which WAL segments there are, and whether they hold a range of the WAL. For this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/backup_manifest.hpp"

namespace pgbakd::codec {

class WalSegments {
  public:
    struct Segment {
        std::uint32_t timeline = 0;
        std::uint64_t number = 0;
    };
    // `size`: of each of them, the server's wal_segment_size: a power of two from 1 MiB to 1 GiB.
    explicit WalSegments(std::uint64_t size) : size_(size) {}

    // What a file's name says (XLogFileName in PostgreSQL's xlog_internal.h); nothing if it is no segment's.
    [[nodiscard]] std::optional<Segment> parse(std::string_view name) const;
    [[nodiscard]] std::string name_of(const Segment& segment) const;
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    void add(const Segment& segment);
    // The first segment that one of the ranges needs and that is not there; empty if there is none. The segment in
    // which a timeline ends may be there on a later timeline of the ranges alone: it holds the older one up to where
    // they part.
    [[nodiscard]] std::string first_missing(std::span<const WalRange> ranges) const;

  private:
    // Segments without a gap between them: a list of these is short, however much WAL there is.
    struct Run {
        std::uint32_t timeline = 0;
        std::uint64_t first = 0;
        std::uint64_t last = 0;
    };
    [[nodiscard]] const Run* find(const Segment& segment) const;

    std::uint64_t size_;
    std::vector<Run> runs_;
};

}  // namespace pgbakd::codec
