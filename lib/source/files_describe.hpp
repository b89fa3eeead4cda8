// What a tar says of a file besides its bytes. Blocks.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "codec/tree_writer.hpp"
#include "os/entry.hpp"
#include "source/files_report.hpp"

namespace pgbakd::source {

// Names of users and groups, asked for once each.
class FilesOwners {
  public:
    [[nodiscard]] const std::string& user(std::uint32_t id);
    [[nodiscard]] const std::string& group(std::uint32_t id);

  private:
    std::map<std::uint32_t, std::string> users_, groups_;
};

// The path of a file in the tar: without the slash in front, as tar does.
[[nodiscard]] std::string member_path(const std::string& path);

// Everything but the sizes and holes of a file and the target of a hard link. Attributes and ACLs that cannot be read
// go to the report, and the rest is stored. Throws what concerns the file as a whole.
[[nodiscard]] codec::TreeMember describe(const std::string& path, const os::Entry& entry, FilesOwners& owners,
                                         FilesReport& report);

}  // namespace pgbakd::source
