// Where the list of a base backup's files is kept until its manifest comes: in memory, and beyond some hundred thousand
// files in a file without a name, so that no cluster is too large.
#pragma once

#include <filesystem>
#include <vector>

#include "codec/backup_ledger.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::source {

class LedgerSpool final : public codec::LedgerStore {
  public:
    static constexpr std::size_t usual_in_memory = std::size_t{16} << 20U;

    // The file lies in `directory`, and is gone with the object, however that goes.
    explicit LedgerSpool(std::filesystem::path directory, std::size_t in_memory = usual_in_memory)
        : directory_(std::move(directory)), in_memory_(in_memory) {}
    void write(codec::Bytes bytes) override;
    std::size_t read(std::span<std::byte> into) override;

  private:
    std::filesystem::path directory_;
    std::size_t in_memory_;
    std::vector<std::byte> memory_;
    os::Descriptor file_;
    std::uint64_t used_ = 0;  // read of it
};

}  // namespace pgbakd::source
