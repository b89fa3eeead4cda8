// The one way bytes move through this folder: pushed, in order, into a sink that may refuse them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/result.hpp"

namespace pgbakd::codec {

using Bytes = std::span<const std::byte>;

class Sink {
  public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;
    // Takes all of `bytes` or fails; after a failure only destruction is allowed. Nothing refers to `bytes` afterwards.
    [[nodiscard]] virtual base::Status write(Bytes bytes) = 0;
    // No more bytes come: the one place where an incomplete stream is found. Called at most once.
    [[nodiscard]] virtual base::Status finish() = 0;
};

}  // namespace pgbakd::codec
