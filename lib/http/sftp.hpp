// Files on an SSH server, by libcurl's SFTP. It blocks, unlike the rest of this folder: libcurl waits for the end of a
// file, talks to an agent, and computes with keys without regard for whoever drives it. So a session belongs on a
// thread of a pool.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "http/interrupt.hpp"

namespace pgbakd::http {

struct SftpOptions {
    std::string host;
    std::uint16_t port = 22;
    std::string user;
    std::filesystem::path key_file;  // empty: the keys of the agent that SSH_AUTH_SOCK names
    base::Secret passphrase;         // of the key file
    std::filesystem::path known_hosts;
    // Name look-up, connection, key exchange and authentication together; above zero.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(20);
    // How long no byte of a file may move, and how long anything else may take; above zero.
    std::chrono::milliseconds stall_timeout = std::chrono::seconds(60);
};

// "sftp://user@host", with the port unless it is 22: how messages name a server.
[[nodiscard]] std::string origin_of(const SftpOptions& options);

struct SftpStatus {
    std::uint64_t size = 0;  // bytes
    std::chrono::sys_seconds modified{};
};

struct SftpSpace {
    std::uint64_t total = 0;      // bytes, without what is reserved for root
    std::uint64_t available = 0;  // bytes, to this user
    bool read_only = false;       // the file system is
};

class SftpHandle;

// One connection, made when it is needed and again when it was lost. One thread at a time. Paths are absolute, or
// relative to where the server puts the user (the home directory); new files get mode 0600, new directories 0700.
//
// Errors are base::Error. Passing: unreachable, timed_out, and server_error, which is all that version 3 of the
// protocol has for a full disk, a quota, a read-only file system, a name that exists, and whatever else has no code of
// its own. Lasting: not_found, conflict and permission_denied of the path; authentication_failed for a refused key or a
// host key that is not known or has changed; invalid_configuration for a key file or a known_hosts file that cannot be
// used. cancelled: the interrupt.
class SftpSession {
  public:
    explicit SftpSession(SftpOptions options);
    SftpSession(const SftpSession&) = delete;
    SftpSession& operator=(const SftpSession&) = delete;
    ~SftpSession();  // closes the connection: a second at most

    // Of a file, and of a directory too; links are followed. Nothing if there is none of that name.
    [[nodiscard]] std::optional<SftpStatus> look(const std::string& path, Interrupt& interrupt);
    [[nodiscard]] bool is_directory(const std::string& path, Interrupt& interrupt);
    // What is in a directory: names alone, or lines as `ls -l` has them. Error: not_found.
    enum class Lines { names, long_names };
    [[nodiscard]] std::vector<std::string> list(const std::string& path, Lines lines, Interrupt& interrupt);
    // As many bytes from `offset` on as there are and fit. The offset is not behind the end.
    [[nodiscard]] std::size_t read(const std::string& path, std::uint64_t offset, std::span<std::byte> into,
                                   Interrupt& interrupt);
    // At offset 0 the file is made, with the directories above it, or emptied; else the bytes are appended, and
    // `offset` has to be its size. They have been taken by the server when this returns; it does not flush them.
    void write(const std::string& path, std::uint64_t offset, std::span<const std::byte> bytes, Interrupt& interrupt);
    // OpenSSH refuses a name that exists, at once with the renaming where its file system has hard links.
    void rename(const std::string& from, const std::string& to, Interrupt& interrupt);
    void remove_file(const std::string& path, Interrupt& interrupt);
    // Removes the directories in this order, up to the first that is not empty or cannot be removed.
    void remove_directories(const std::vector<std::string>& paths, Interrupt& interrupt);
    // Makes those of them that are not there; whether they are now shows in what is done next.
    void make_directories(const std::vector<std::string>& paths, Interrupt& interrupt);
    // Of the file system that holds `path`; nothing if the server cannot tell.
    [[nodiscard]] std::optional<SftpSpace> space(const std::string& path, Interrupt& interrupt);

  private:
    std::unique_ptr<SftpHandle> handle_;
};

}  // namespace pgbakd::http
