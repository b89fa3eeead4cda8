// A directory on an SSH server. An upload is a file in its own folder, appended to piece by piece and then renamed, so
// that its key is there whole or not at all; directories are made with mode 0700, files with 0600. libcurl knows no
// fsync: that the bytes have reached the server's disk nobody can say.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/pool.hpp"
#include "http/sftp.hpp"
#include "target/retry.hpp"
#include "target/target.hpp"

namespace pgbakd::target {

struct SftpTargetOptions {
    std::string name;  // the target's, as the configuration has it
    http::SftpOptions server;
    std::string path;                    // absolute, or below the home directory; empty or "~": that itself
    std::uint64_t piece_size = 8 << 20;  // bytes, above 0; an upload holds two of them
    RetryPolicy retry;                   // of the pieces of an upload; everything else is with_retry()'s
};

// Uploads follow the retry policy themselves: hand them out as they are. Everything blocks, so the pool is the target's
// own, or shared with nothing that must not wait for a server: as many operations go on at once as it has threads. It
// must outlive the target, as the clock must. Error: invalid_argument for a server without host, user or known_hosts.
[[nodiscard]] std::shared_ptr<Target> make_sftp_target(SftpTargetOptions options, async::Pool& pool,
                                                       const base::Clock& clock);

}  // namespace pgbakd::target
