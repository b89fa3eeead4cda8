// The services of tests/support/alert_services.py, started for this process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/script.hpp"
#include "support/temporary_directory.hpp"

namespace contract {

class Services {
  public:
    // One for all cases of the program.
    static Services& get();

    [[nodiscard]] std::string port(const std::string& name) const { return script_.port(name); }
    [[nodiscard]] std::filesystem::path authority() const { return directory_ / "authority.pem"; }
    // From the next connection on; over HTTP, from the next request.
    void behave(const std::string& how) const;
    // What was taken since it was last asked, in order.
    [[nodiscard]] std::vector<std::string> taken();

  private:
    Services();
    support::TemporaryDirectory directory_;
    support::Script script_;
};

}  // namespace contract
