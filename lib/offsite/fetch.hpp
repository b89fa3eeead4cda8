// Sets read from a target: checked to their end where they lie, or brought here.
#pragma once

#include <filesystem>
#include <functional>

#include "async/pool.hpp"
#include "model/backup_set.hpp"
#include "repository/repository.hpp"
#include "target/target.hpp"

namespace pgbakd::offsite {

// Told how many bytes have come so far, over all files of a set; may be empty.
using BytesCome = std::function<void(std::uint64_t)>;

// Told which set was passed over, since its manifest is none, and why; may be empty.
using LeftOut = std::function<void(const model::SetId&, const base::Error&)>;

// The newest complete set of a job there that was not found corrupt and whose manifest can be read. Error: not_found;
// the target's, where it cannot be asked now.
asio::awaitable<model::BackupSet> newest_remote(target::Target& target, std::string job, LeftOut left_out,
                                                async::StopToken stop);

// Reads every artifact: size, SHA-256 against the manifest, decoded to the end; no more of it than the manifest says.
// And what stands beside those that are good. What the target cannot give is a verdict, not an error; those of the keys
// are errors (repository::Decrypt, which is called on the pool).
asio::awaitable<repository::Verdict> verify_remote(target::Target& target, async::Pool& pool, model::BackupSet set,
                                                   repository::Decrypt decrypt, BytesCome come, async::StopToken stop);

// Brings a set into the new directory `into`, whole and with the right checksums, or not at all. Errors: conflict if
// `into` exists; corrupt; not_found for an artifact that is missing there; no_space.
asio::awaitable<void> download(target::Target& target, async::Pool& pool, model::BackupSet set,
                               std::filesystem::path into, BytesCome come, async::StopToken stop);

}  // namespace pgbakd::offsite
