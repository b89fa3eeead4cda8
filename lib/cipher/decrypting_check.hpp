// A check of what encrypted bytes are: a program between them and the check of the content. On a thread that may block.
#pragma once

#include <memory>
#include <string>

#include "cipher/stage.hpp"
#include "codec/check.hpp"

namespace pgbakd::cipher {

// write() and finish() fail as the check of the content does, and with `corrupt` where the program says so; every other
// failure of the program is thrown, as it says nothing of the bytes.
class DecryptingCheck final : public codec::Check {
  public:
    DecryptingCheck(const os::Command& command, Explain explain, std::unique_ptr<codec::Check> content);
    base::Status write(codec::Bytes bytes) override;
    base::Status finish() override;
    [[nodiscard]] const codec::CheckResult& result() const noexcept override { return content_->result(); }

  private:
    // Waits until the program takes bytes or has some, and takes those.
    void exchange(codec::Bytes& bytes);
    void take_output();
    void take_errors();
    void wait_for_end();
    base::Status conclude();
    [[nodiscard]] std::string words() const;

    Explain explain_;
    std::unique_ptr<codec::Check> content_;
    os::Child child_;
    base::Status content_status_;
    std::string errors_;
    bool takes_no_more_ = false;
};

}  // namespace pgbakd::cipher
