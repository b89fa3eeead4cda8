// Goes through files and trees in an order that depends on nothing but names, so that two tars of the same tree are the
// same bytes. Below a path given, no link is followed, whatever is swapped for one and when. Blocks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/entry.hpp"
#include "source/files_options.hpp"
#include "source/files_report.hpp"

namespace pgbakd::source {

// Names in one string: a directory may have millions.
class FilesNames {
  public:
    void add(std::string_view name);
    void sort();
    [[nodiscard]] std::size_t size() const noexcept { return begins_.size(); }
    [[nodiscard]] const char* operator[](std::size_t index) const { return text_.c_str() + begins_[index]; }

  private:
    std::string text_;  // each ends with a NUL
    std::vector<std::size_t> begins_;
};

// Holds the names of the directories on the way from a path given to where it is, and of at most so many of them a
// descriptor: the rest are opened again, as the same directories or not at all.
class FilesWalker {
  public:
    static constexpr std::size_t most_open = 64;

    // `check` is called between steps and throws to end the walk. Both outlive it. Throws invalid_argument for a path
    // that is not absolute.
    FilesWalker(const FilesOptions& options, FilesReport& report, std::function<void()> check);

    struct Found {
        std::string path;
        os::Entry entry;
    };
    // The next file, a directory before what is in it; nothing at the end. What cannot be looked at goes to the report.
    [[nodiscard]] std::optional<Found> next();
    void close() noexcept { levels_.clear(); }

  private:
    struct Given {
        std::string path;
        bool reached = false;
    };
    struct Level {
        os::Descriptor directory;
        struct stat status {};
        dev_t device = 0;  // of the path given that it lies in
        FilesNames names;
        std::size_t next = 0;
        std::size_t path_length = 0;
        std::size_t bases = 0;
        bool holds_given = false;  // a path given lies below
    };
    [[nodiscard]] std::optional<Found> next_given();
    [[nodiscard]] std::optional<Found> visit(const char* name);
    void enter(const Found& found, bool is_given);
    void leave();
    [[nodiscard]] bool reopen(Level& level);
    [[nodiscard]] Given* given(const std::string& path);
    [[nodiscard]] bool any_given_below(const std::string& path) const;

    const FilesOptions& options_;
    FilesReport& report_;
    std::function<void()> check_;
    std::vector<Given> given_;  // sorted: whatever lies in another comes after it
    std::size_t next_given_ = 0;
    std::vector<Level> levels_;
    std::string path_;
    std::vector<std::size_t> bases_;
};

}  // namespace pgbakd::source
