// Encryption of artifacts by age or gpg: found and tried before anything is read, then a stage of the stream, so that
// nothing unencrypted touches the disk.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/child.hpp"
#include "async/event.hpp"
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
class Encryptor {
  public:
    Encryptor(const asio::any_io_executor& executor, const Cipher& cipher);

    void push(async::Chunk chunk);
    // Until little of what was pushed still waits. Throws when the program takes no more: finish() tells why.
    asio::awaitable<void> wait_room(async::StopToken stop);
    // Hands on what is pushed, until close(); to be run beside all others.
    asio::awaitable<void> feed(async::StopToken stop);
    void close();
    // Encrypted bytes; 0 at the end.
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop);
    // After the end: throws if the program did not end well.
    asio::awaitable<void> finish(async::StopToken stop);
    // Ends it, at any time. Never throws.
    asio::awaitable<void> abort();

  private:
    std::string method_;
    async::Child child_;
    async::Event changed_;
    std::deque<async::Chunk> waiting_;
    std::size_t waiting_bytes_ = 0;
    bool closed_ = false;
    bool failed_ = false;
};

// The set's commands for restoring without pgbakd, as they are where its artifacts are encrypted: `commands` makes
// those for a set that is not.
[[nodiscard]] std::vector<std::string> decrypting_commands(
    const model::BackupSet& set, const std::function<std::vector<std::string>(const model::BackupSet&)>& commands);

}  // namespace pgbakd::run
