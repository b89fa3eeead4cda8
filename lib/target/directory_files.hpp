// The blocking half of the directory target: what its operations do on the pool. Safe on any thread. All of it hangs as
// long as the mount's server is away; each answer of the server is a step. The root may be reached by links; below it
// none is followed, for others may write there: one that is in the way is a lasting error.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/leaving.hpp"
#include "os/file.hpp"
#include "os/open_directory.hpp"
#include "target/live_upload.hpp"
#include "target/mount.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

class DirectoryFiles {
  public:
    using Waiting = async::Waiting;

    DirectoryFiles(std::filesystem::path root, std::optional<MountRule> mount);

    [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

    // A new file in the uploads folder, made sure to be on the mount. Error: conflict if `key` exists and is refused.
    struct Unfinished {
        LiveUpload live;
        os::OpenDirectory folder;
        os::Descriptor file;
        std::atomic<bool> given_up = false;   // nobody wants it any more: work that was left behind removes it
        std::atomic<bool> is_placed = false;  // it has its key
        [[nodiscard]] std::filesystem::path path() const { return folder.path() / live.name(); }
    };
    [[nodiscard]] std::unique_ptr<Unfinished> begin(const std::string& key, Existing existing, Waiting& waiting);
    void append(const Unfinished& upload, std::span<const std::byte> bytes, std::uint64_t offset);
    // Flushed, renamed to its key, both directories flushed.
    [[nodiscard]] Entry finish(Unfinished& upload, const std::string& key, std::uint64_t size, Existing existing,
                               Waiting& waiting);
    void discard(const Unfinished& upload) noexcept;

    [[nodiscard]] os::Descriptor open(const std::string& key);
    // At most into.size() bytes at `offset`; 0 at the end.
    [[nodiscard]] std::size_t read_at(const os::Descriptor& file, const std::string& key, std::uint64_t offset,
                                      std::span<std::byte> into) const;
    [[nodiscard]] std::optional<Entry> stat(const std::string& key);
    [[nodiscard]] Page list(const std::string& prefix, const std::string& after, std::size_t limit, Waiting& waiting);
    [[nodiscard]] std::vector<Refusal> remove(const std::vector<std::string>& keys, Waiting& waiting);
    // `now` as this host's clock has it, by which `older_than` is meant.
    [[nodiscard]] Swept sweep(base::Timestamp older_than, base::Timestamp now, Waiting& waiting);
    // Of its file system; where the root is not there yet, of the one it will be on.
    [[nodiscard]] Room room();

  private:
    // Nothing if it is not there yet.
    [[nodiscard]] std::optional<os::OpenDirectory> open_root();
    [[nodiscard]] os::OpenDirectory make_root();
    [[nodiscard]] os::OpenDirectory make_below(const os::OpenDirectory& root, const std::filesystem::path& relative);
    void made(const os::OpenDirectory& parent, const os::OpenDirectory& directory);
    void take_back() noexcept;
    void flush(const Unfinished& upload, std::uint64_t size, Waiting& waiting) const;
    [[nodiscard]] static base::Timestamp place_time(const os::OpenDirectory& folder);
    void place(const os::OpenDirectory& root, const os::OpenDirectory& folder, const std::string& name,
               const std::string& key, Existing existing, std::atomic<bool>& is_placed);
    // Calls `work` and turns what it throws into what that means for a mount.
    template <class Work>
    auto guarded(const Work& work) const;
    [[nodiscard]] base::Error explained(const base::Error& error) const;

    std::filesystem::path root_;
    std::optional<MountGuard> mount_;
    std::mutex mutex_;
    std::vector<std::filesystem::path> made_;  // by root, for root or above it: the upper first
};

}  // namespace pgbakd::target
