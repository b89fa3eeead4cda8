// What a client program says on its standard error: told although it ends well, since a warning of pg_dump is about
// something that the dump does not hold.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pgbakd::source {

class Remarks {
  public:
    static constexpr std::size_t most = 20;

    // `verbose`: the program tells each of its steps too (--verbose), and only its warnings are remarks.
    explicit Remarks(bool verbose) : verbose_(verbose) {}
    void take(const std::string& line);
    // The first of them, without the program's name, and how many more there were.
    [[nodiscard]] std::vector<std::string> lines() const;

  private:
    bool verbose_;
    bool taken_ = false;  // the last line was: its details follow
    std::vector<std::string> lines_;
    std::size_t more_ = 0;
};

}  // namespace pgbakd::source
