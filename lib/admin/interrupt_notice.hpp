// What Ctrl-C says before it ends the tool: that what was started goes on without it. One at a time.
#pragma once

#include <csignal>
#include <string>

namespace pgbakd::admin {

class InterruptNotice {
  public:
    // `text` is written to standard error, then the signal does what it does without us. Where SIGINT is ignored (a
    // shell's background job) it stays so.
    explicit InterruptNotice(std::string text);
    InterruptNotice(const InterruptNotice&) = delete;
    InterruptNotice& operator=(const InterruptNotice&) = delete;
    ~InterruptNotice();

  private:
    std::string text_;
    struct sigaction before_ {};
    bool installed_ = false;
};

}  // namespace pgbakd::admin
