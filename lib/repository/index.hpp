// A copy of what the manifests of a job say, in one file beside them, so that listing ten thousand sets need not read
// and parse as many files. Only ever a copy: an entry counts while its manifest is the very file it was made from, to
// the inode and the nanosecond of its last change. Deleting the file costs nothing but time.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/backup_set.hpp"
#include "os/file.hpp"

namespace pgbakd::repository {

class Index {
  public:
    // Reads it. Whatever is wrong with it (none there, damaged, of another version, not ours to read) makes it empty.
    explicit Index(std::filesystem::path file);

    // What the manifest of that name says, if the index was made from this state of it.
    [[nodiscard]] std::optional<model::BackupSet> find(const std::string& set, const os::FileStatus& manifest);
    // A manifest that was read and was in this state before it was. Only its summary is kept.
    void add(const std::string& set, const os::FileStatus& manifest, const model::BackupSet& content);

    // Writes what was found and added since it was read, and forgets the rest; does nothing where that is not worth it
    // or the directory is another user's. Never fails: the next listing is slow then, and right all the same.
    void save() noexcept;

  private:
    struct Entry {
        std::string_view stamp;    // in text_
        std::string_view summary;  // in text_: JSON
        bool used = false;
    };
    void parse();
    void write() const;

    std::filesystem::path file_;
    bool ours_ = false;  // the directory: what root or a guest would leave there, the daemon could not replace
    std::string text_;
    std::map<std::string_view, Entry> entries_;
    std::map<std::string, std::string> lines_;  // new ones
    std::size_t used_ = 0;
    std::size_t seen_ = 0;
};

// A manifest without what only a restore needs: databases with their fingerprints, restore_order, stock_restore.
void keep_summary(model::BackupSet& set);

}  // namespace pgbakd::repository
