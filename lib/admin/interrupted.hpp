// A signal that has ended the tool's work. No failure: nothing goes on after it but destructors, and then the process
// ends as the signal would have ended it.
#pragma once

#include <exception>

namespace pgbakd::admin {

class Interrupted : public std::exception {
  public:
    explicit Interrupted(int signal) noexcept : signal_(signal) {}
    [[nodiscard]] int signal() const noexcept { return signal_; }
    [[nodiscard]] const char* what() const noexcept override { return "ended by a signal"; }

  private:
    int signal_;
};

}  // namespace pgbakd::admin
