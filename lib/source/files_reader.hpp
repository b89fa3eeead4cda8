// Files and trees as one tar, piece by piece, as GNU tar would make it; what changes meanwhile is reported, never
// waited for. Blocks: runs on a pool, one call at a time.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codec/tree_writer.hpp"
#include "os/descriptor.hpp"
#include "source/files_describe.hpp"
#include "source/files_links.hpp"
#include "source/files_options.hpp"
#include "source/files_report.hpp"
#include "source/files_walker.hpp"

namespace pgbakd::source {

// Where tests step in; each is called with a file's path.
struct FilesHooks {
    std::function<void(const std::string&)> found;      // before it is opened
    std::function<void(const std::string&)> announced;  // its header says how long it is; before the first byte is read
};

class FilesReader {
  public:
    static constexpr std::size_t piece = std::size_t{256} << 10U;  // about as much comes at a time
    static constexpr std::size_t most_redacted = std::size_t{8} << 20U;

    explicit FilesReader(FilesOptions options, FilesHooks hooks = {});
    FilesReader(const FilesReader&) = delete;
    FilesReader& operator=(const FilesReader&) = delete;

    // The next bytes of the tar; empty at its end, which is its end whatever is missing: see report(). Throws
    // `cancelled` after cancel(), and then always.
    [[nodiscard]] std::vector<std::byte> next();
    // From any thread, also while next() is at work: it ends at its next step.
    void cancel() noexcept { cancelled_.store(true); }
    // Closes all that is open; next() is not called any more.
    void close() noexcept;
    // Whole when next() has come to its end.
    [[nodiscard]] const FilesReport& report() const noexcept { return report_; }

  private:
    class Collector final : public codec::Sink {
      public:
        base::Status write(codec::Bytes bytes) override;
        base::Status finish() override { return {}; }
        std::vector<std::byte> data;
    };
    // The file being stored.
    struct Content {
        std::string path;
        os::Descriptor file;
        struct stat before {};
        std::vector<codec::Extent> extents;
        std::size_t extent = 0;
        std::uint64_t position = 0;
        bool lost = false;  // what is missing is filled up with zeros
    };
    void check() const;
    void advance();
    void store(const FilesWalker::Found& found);
    void store_file(const FilesWalker::Found& found, codec::TreeMember member);
    void store_redacted(const FilesWalker::Found& found, codec::TreeMember member, RedactKind kind);
    [[nodiscard]] std::string read_steadily(const FilesWalker::Found& found, const os::Descriptor& file);
    void begin(const codec::TreeMember& member);
    void read_on();
    void end_content();

    FilesOptions options_;
    FilesHooks hooks_;
    std::atomic<bool> cancelled_{false};
    FilesReport report_;
    FilesWalker walker_;
    FilesOwners owners_;
    FilesLinks links_;
    Collector collector_;
    codec::TreeWriter writer_;
    std::optional<Content> content_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(piece);
    bool ended_ = false;
};

}  // namespace pgbakd::source
