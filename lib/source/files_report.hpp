// What a source of files has to say at its end: what is not in the tar, and what is in it but may not be as it was.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::source {

class FilesReport {
  public:
    // How good the tar is; GNU tar exits with 0, 1 and 2.
    enum class Verdict {
        whole,
        changed,     // something changed, grew, shrank or vanished while it was read
        incomplete,  // something that was to be stored is not, or not all of it
    };
    static constexpr std::size_t most = 20;  // lines of each kind

    void failed(std::string_view path, std::string_view what) { failures_.take(path, what); }
    void changed(std::string_view path, std::string_view what) { changes_.take(path, what); }
    // As it was asked for, but worth a line.
    void noted(std::string_view path, std::string_view what) { notes_.take(path, what); }
    void stored() { ++members_; }

    [[nodiscard]] Verdict verdict() const noexcept;
    [[nodiscard]] std::uint64_t members() const noexcept { return members_; }
    [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.count; }
    [[nodiscard]] std::uint64_t changes() const noexcept { return changes_.count; }
    // "/srv/x: what", the failures first; of each kind the first of them, and how many more there were.
    [[nodiscard]] std::vector<std::string> lines() const;

  private:
    struct Kind {
        void take(std::string_view path, std::string_view what);
        std::uint64_t count = 0;
        std::vector<std::string> lines;
    };
    Kind failures_, changes_, notes_;
    std::uint64_t members_ = 0;
};

}  // namespace pgbakd::source
