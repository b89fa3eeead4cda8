// Encryption of artifacts by age or gpg: found and tried before anything is read, then a stage of the stream, so that
// nothing unencrypted touches the disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cipher/stage.hpp"
#include "model/backup_set.hpp"
#include "run/services.hpp"

namespace pgbakd::run {

struct Cipher {
    std::string method;  // "age", "gpg"; the extension of files, too
    os::Command command;
    std::vector<std::string> recipients;  // for the manifest
};

// How the job's artifacts are encrypted; nothing if they are not. Finds the program and encrypts a few bytes, so that a
// recipient that will not do is told now. Errors: client_missing, invalid_configuration, what reading the recipients'
// file brings.
asio::awaitable<std::optional<Cipher>> prepare_cipher(Services& services, std::shared_ptr<const model::JobSpec> job,
                                                      async::StopToken stop);

// What is pushed comes out encrypted. One artifact.
[[nodiscard]] std::unique_ptr<cipher::Stage> encrypting_stage(const asio::any_io_executor& executor,
                                                              const Cipher& cipher);

// The set's commands for restoring without pgbakd, as they are where its artifacts are encrypted: `commands` makes
// those for a set that is not.
[[nodiscard]] std::vector<std::string> decrypting_commands(
    const model::BackupSet& set, const std::function<std::vector<std::string>(const model::BackupSet&)>& commands);

}  // namespace pgbakd::run
