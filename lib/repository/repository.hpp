// The repository: the local directory that holds the sets of all jobs. Every function blocks and throws base::Error.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/backup_set.hpp"
#include "os/lock.hpp"

namespace pgbakd::codec {
class Check;
}

namespace pgbakd::repository {

// What a check after the run found of a set that is not good any more.
struct Corruption {
    base::Timestamp found_at{};  // 1970 where the mark does not tell
    std::string message;
};

// A set as it lies on the disk.
struct StoredSet {
    model::BackupSet manifest;
    std::filesystem::path directory;
    bool pinned = false;  // a file "pinned" in the set's directory
    // A file "corrupt" there, whatever it holds. The finding lies with the set, so that it is known where the catalog
    // was lost.
    std::optional<Corruption> corrupt;
    std::string problem;  // not empty: the manifest cannot be read, or an artifact is missing or of another size
    // The problem is that it could not be looked at (no permission, an I/O error, a manifest of a newer format or none
    // that can be parsed): what it holds, and whether it is a milestone, is not known. Nobody deletes such a set.
    bool unreadable = false;
    // Of an unreadable one: the manifest was read, and it is damaged. Else nothing was learnt of the set.
    bool manifest_damaged = false;
};

class Repository {
  public:
    explicit Repository(std::filesystem::path directory);
    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

    // Creates the directory (0700) if it is not there, and checks that it is ours to write and nobody's else.
    void prepare() const;

    // Sets of one job or of all, newest first. A directory counts as a set if its name is one and it holds a manifest;
    // `.partial` directories and anything else are left out. A set whose manifest cannot be read is listed with its
    // problem and never counted as good: incomplete, without artifacts, begun when its name says (taken as UTC). Where
    // a manifest names another set than its directory does, the directory is right. No symbolic link is followed.
    // Manifests come without what only a restore needs (databases, restore_order, stock_restore: see find()), so that
    // memory stays small. For jobs of hundreds of sets an index of them is kept beside the job (index.hpp).
    [[nodiscard]] std::vector<StoredSet> sets(const std::optional<std::string>& job = std::nullopt) const;
    // The names of the same sets, by job and name; no manifest is read.
    [[nodiscard]] std::vector<model::SetId> ids(const std::optional<std::string>& job = std::nullopt) const;
    // The newest complete set of a job, without a problem and not found corrupt, that `accept` (if any) takes; nothing
    // if there is none. One that began after `now` is taken only where there is no other: a clock was wrong then. Reads
    // manifests only until it is found, however many sets there are.
    [[nodiscard]] std::optional<StoredSet> newest(const std::string& job, base::Timestamp now,
                                                  const std::function<bool(const StoredSet&)>& accept = {}) const;
    // A set by id, with all of its manifest. Errors: not_found (with the nearest names as hint; for "job/latest" too,
    // which newest() resolves).
    [[nodiscard]] StoredSet find(const model::SetId& id) const;
    // The error for a job without any set that newest() takes.
    [[nodiscard]] base::Error no_newest(const std::string& job) const { return not_there({job, "latest"}); }

    // Locks a job against other runs of it, in any process. Nothing if it is locked; lock_holder tells by whom.
    [[nodiscard]] std::optional<os::FileLock> lock_job(const std::string& job, const std::string& holder) const;
    [[nodiscard]] std::string lock_holder(const std::string& job) const;
    // Locks the repository against a second daemon.
    [[nodiscard]] std::optional<os::FileLock> lock_daemon(const std::string& holder) const;
    [[nodiscard]] std::string daemon_lock_holder() const;

    // Which repository this is: an id that was given it once, at its top; and in a job's directory, which may be a file
    // system of its own. Nothing if none can be read there.
    [[nodiscard]] std::optional<std::string> identity() const;
    [[nodiscard]] std::optional<std::string> identity(const std::string& job) const;
    // Whether there is anything in the place of the job's directory.
    [[nodiscard]] bool has_directory(const std::string& job) const;
    // Gives it that id, letters and digits, and each job's directory that holds a set.
    void set_identity(const std::string& id) const;

    // Makes `.<set>.partial` for a set that begins now; a number is added to the set's name if it is taken ("-2",
    // "-3"). Never one below a number that is in use: of two sets of one second, the later has the higher. The caller
    // holds the job's lock. A directory of the job that is new gets the repository's id. `elsewhere`: names of the
    // job's sets that are, or were, in other places.
    struct Partial {
        model::SetId id;
        std::filesystem::path directory;
    };
    [[nodiscard]] Partial begin(const std::string& job, const std::string& set_name,
                                const std::vector<std::string>& elsewhere = {}) const;
    // Checks that each artifact is there in its size, writes the sidecars and the manifest, fsyncs all files and the
    // directory, renames it, fsyncs the job's directory. Returns the set's directory. Either the set is there, whole,
    // or it is not: after an error the partial directory is still there, to be discarded. `set.id` must be the
    // partial's.
    std::filesystem::path commit(const Partial& partial, const model::BackupSet& set) const;
    void discard(const Partial& partial) const noexcept;
    // Removes `.partial` and `.removing` directories of jobs that nobody holds a lock for. Returns their paths. One
    // that cannot be removed does not keep the others from it; the first such error is thrown at the end.
    std::vector<std::filesystem::path> sweep() const;

    // Removes a set: renamed to `.<set>.removing` first, so that a half-removed set is never listed; swept later if we
    // die in between. Errors: not_found, conflict for a pinned set.
    void remove(const model::SetId& id) const;
    void pin(const model::SetId& id, bool pinned) const;
    // Leaves the finding in the set's directory, durably, or takes it away. Errors: not_found, what writing brings.
    void mark_corrupt(const model::SetId& id, const std::optional<Corruption>& corrupt) const;

  private:
    [[nodiscard]] std::filesystem::path job_directory(const std::string& job) const;
    void make_job_directory(const std::string& job) const;
    [[nodiscard]] std::vector<std::string> jobs() const;
    [[nodiscard]] std::filesystem::path existing(const model::SetId& id) const;
    [[nodiscard]] base::Error not_there(const model::SetId& id) const;

    std::filesystem::path directory_;
};

// What came of reading an artifact or set again. Unread: the system refused (no permission, an I/O error, a file system
// that went away), so that nothing is known of it; only `bad` speaks against the backup.
enum class Finding { good, unread, bad };

struct ArtifactVerdict {
    std::string file;
    Finding finding = Finding::bad;
    std::string message;  // "decoded: 12 tables, 1.2 MiB raw", what is wrong, or why it could not be read
    std::optional<std::uint64_t> raw_bytes;  // that were decoded; none where it did not come to its end
    [[nodiscard]] bool ok() const noexcept { return finding == Finding::good; }
};
struct Verdict {
    model::Verification level = model::Verification::none;  // reached by all artifacts; none unless it is good
    std::vector<ArtifactVerdict> artifacts;
    // What is wrong beside artifacts that are as they were written: a sidecar by which `sha256sum -c` would not check
    // them, a size before compression that is not theirs. The backup is good, and nothing speaks for deleting it.
    std::vector<ArtifactVerdict> beside;
    // The worst of its artifacts.
    [[nodiscard]] Finding finding() const noexcept;
    [[nodiscard]] bool ok() const noexcept { return finding() == Finding::good; }
};
// How what is encrypted is checked: of the check of a content, one of what that is encrypted as ("age", "gpg"). May
// throw what it fails of, also while it is used; authentication_failed and invalid_argument (the keys are not those)
// end the verifying.
using Decrypt =
    std::function<std::unique_ptr<codec::Check>(std::string_view method, std::unique_ptr<codec::Check> content)>;
// Reads every artifact again: size and SHA-256 against the manifest, decoded to the end; then looks at its sidecar.
// `progress` is told the bytes read so far and returns false to stop (then Error cancelled); it may be empty. What
// cannot be read is a verdict, not an error. Without `decrypt` an encrypted artifact cannot be decoded, and reaches
// `read back` only.
using Progress = std::function<bool(std::uint64_t bytes)>;
[[nodiscard]] Verdict verify(const StoredSet& set, const Progress& progress, const Decrypt& decrypt = {});
// A single file outside any set: its kind is told by its name (and its content), its hash by a sidecar if there is one.
// Errors: not_found, invalid_argument (a directory), cancelled.
[[nodiscard]] Verdict verify_file(const std::filesystem::path& file, const Progress& progress,
                                  const Decrypt& decrypt = {});

}  // namespace pgbakd::repository
