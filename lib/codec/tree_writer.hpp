// A tar stream (pax) that keeps all of a file tree: owners, times to the nanosecond, ACLs, extended attributes, links,
// holes. By libarchive.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codec/sink.hpp"
#include "codec/tar_output.hpp"

namespace pgbakd::codec {

// Bytes of a file that are not a hole.
struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool operator==(const Extent&) const = default;
};

// POSIX.1e draft 17, and Linux' acl(5).
struct AclEntry {
    enum class Tag { owner, user, owning_group, group, mask, other };
    Tag tag = Tag::owner;
    unsigned permissions = 0;  // 4 read, 2 write, 1 execute or search
    std::uint32_t id = 0;      // of a user or group
    std::string name;          // theirs; may be empty
    bool operator==(const AclEntry&) const = default;
};

// Names, paths and targets of links are bytes as they are, without NUL; what is no UTF-8 is marked as such in the tar.
struct TreeMember {
    enum class Type { file, directory, symbolic_link, hard_link, fifo, character_device, block_device };
    std::string path;  // relative
    Type type = Type::file;
    std::uint64_t size = 0;  // of a file
    unsigned mode = 0;       // with setuid, setgid and the sticky bit
    std::uint32_t owner = 0;
    std::uint32_t group = 0;
    std::string owner_name;  // may be empty, as the next
    std::string group_name;
    std::int64_t modified_seconds = 0;
    std::uint32_t modified_nanoseconds = 0;
    std::string target;  // of a symbolic link; of a hard link the path of the member that holds the file
    std::uint32_t device_major = 0;
    std::uint32_t device_minor = 0;
    bool sparse = false;
    std::vector<Extent> data;  // of a sparse file: ascending, within its size, none empty
    std::vector<std::pair<std::string, std::string>> attributes;
    std::vector<AclEntry> access;
    std::vector<AclEntry> by_default;  // of a directory
};

// Sparse files are stored in GNU tar's format 1.0, which libarchive reads too. What `out` says in a failure is handed
// on as it is. After a failure only destruction is allowed. `out` must outlive the writer until finish() is done.
class TreeWriter {
  public:
    explicit TreeWriter(Sink& out) : output_(out, TarOutput::Dialect::full) {}
    // A file's bytes are handed over by write() afterwards, those of a sparse file without its holes.
    [[nodiscard]] base::Status begin(const TreeMember& member);
    // Bytes of the file still to come: a tar cannot take back what a header said.
    [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }
    // Fails with `conflict` for more than missing().
    [[nodiscard]] base::Status write(Bytes bytes);
    // Fails with `conflict` when bytes are missing.
    [[nodiscard]] base::Status end();
    // The two zero blocks that end a tar, and no padding to a tape record after them; finishes `out`.
    [[nodiscard]] base::Status finish() { return output_.finish(); }

  private:
    [[nodiscard]] base::Status skip_to(std::uint64_t offset);

    TarOutput output_;
    std::string path_;
    std::vector<Extent> extents_;  // of the current file
    std::size_t extent_ = 0;
    std::uint64_t position_ = 0;  // in it
    std::uint64_t missing_ = 0;
};

}  // namespace pgbakd::codec
