// Where a file has data, and where holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "os/descriptor.hpp"

namespace pgbakd::os {

struct DataExtent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool operator==(const DataExtent&) const = default;
};

// Extents in ascending order, at most so many: where there are more, the smallest holes between them count as data.
class ExtentList {
  public:
    explicit ExtentList(std::size_t most) : most_(most) {}
    void add(DataExtent extent);  // behind all before
    [[nodiscard]] const std::vector<DataExtent>& list() const noexcept { return extents_; }

  private:
    std::size_t most_;
    std::uint64_t smallest_hole_ = 1;
    std::vector<DataExtent> extents_;
};

// Of the first `size` bytes; all of them where the file system does not tell.
[[nodiscard]] std::vector<DataExtent> data_extents(const Descriptor& file, std::uint64_t size, std::size_t most,
                                                   std::string_view path);

}  // namespace pgbakd::os
