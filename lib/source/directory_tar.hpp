// A tree of plain files as a tar, piece by piece. Each file is removed once it was read, so that the whole never lies
// on the disk twice; of the names only those of the directories on the way to the current file are in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "codec/tar_writer.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::source {

// Blocks: for the pool.
class DirectoryTar {
  public:
    // `first`: the file at the top that comes before all others, which go by their names. `maker`: who left the tree,
    // for errors.
    DirectoryTar(std::filesystem::path directory, std::string first, std::string maker);

    // The next bytes of the tar; empty at its end. Throws `corrupt` for what is neither a file nor a directory.
    std::vector<std::byte> next();

  private:
    class Collector final : public codec::Sink {
      public:
        base::Status write(codec::Bytes bytes) override {
            data.insert(data.end(), bytes.begin(), bytes.end());
            return {};
        }
        base::Status finish() override { return {}; }
        std::vector<std::byte> data;
    };
    struct Level {
        std::filesystem::path directory;
        std::vector<std::string> names;
        std::size_t next = 0;
    };

    void enter(std::filesystem::path directory);
    void advance();
    void begin(std::filesystem::path path);
    void read();

    std::filesystem::path top_;
    std::string first_;
    std::string maker_;
    std::vector<Level> levels_;
    std::filesystem::path path_;  // of the current file
    os::Descriptor file_;
    std::vector<std::byte> buffer_;
    Collector collector_;
    codec::TarWriter writer_;
    bool ended_ = false;
};

}  // namespace pgbakd::source
