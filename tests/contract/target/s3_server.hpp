// The real S3 servers of tests/support (rgw.py, swift.py): shared by all test processes of one ctest, or started for
// this process alone.
#pragma once

#include <map>
#include <string>

#include "target/s3_target.hpp"

namespace contract {

enum class S3Kind { rgw, swift };

class S3Server {
  public:
    // Started when it is first asked for; it ends with ctest, or with this process.
    static const S3Server& of(S3Kind kind);

    // Why this machine cannot have it; empty if it does.
    [[nodiscard]] std::string missing() const { return value("skipped"); }
    [[nodiscard]] std::string value(const std::string& name) const;
    [[nodiscard]] pgbakd::target::Credentials credentials(const std::string& user) const;
    // Of the bucket that all cases share, each below a prefix of its own.
    [[nodiscard]] pgbakd::target::S3Endpoint endpoint() const;
    // As a target is configured to use it, as the tester; `prefix` as the case chooses.
    [[nodiscard]] pgbakd::target::S3Options options(std::string prefix) const;

  private:
    explicit S3Server(std::map<std::string, std::string> facts) : facts_(std::move(facts)) {}
    std::map<std::string, std::string> facts_;
};

}  // namespace contract
