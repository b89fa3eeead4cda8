// The real sshd of tests/support/sftp.py, as a target is configured to use it.
#pragma once

#include <string>

#include "target/sftp_target.hpp"

namespace contract {

// One of the facts that sftp.py tells; empty if there is none of that name.
[[nodiscard]] std::string sftp_fact(const std::string& name);
// Whether this machine can have it; if not, prints the line by which ctest knows a skipped test.
[[nodiscard]] bool sftp_is_there();
// A file beside its keys: "key_rsa", "known_hosts_changed".
[[nodiscard]] std::string sftp_file(const std::string& name);
// With the key that it lets in and the keys that it has, below `path`.
[[nodiscard]] pgbakd::target::SftpTargetOptions sftp_options(std::string path);

}  // namespace contract
