// What libcurl reports of an SFTP transfer, as the one error type.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/sftp.hpp"
#include "http/ssh_key.hpp"

namespace pgbakd::http {

// What was found of a host key that was not accepted.
struct HostKeyVerdict {
    enum class Kind { unknown, changed, revoked };
    Kind kind = Kind::unknown;
    std::string type;
    std::string fingerprint;
    std::vector<std::string> known;  // fingerprints of that host in the file
};

struct SftpEnding {
    CURLcode code = CURLE_OK;        // not CURLE_OK
    std::string action;              // "writing a/b"
    std::string detail;              // libcurl's own words, of which it has a fixed set
    std::vector<std::string> notes;  // and those it has for the log
    int system_error = 0;            // errno of the connection, or 0
    bool authenticated = false;      // or the connection was kept from before
    bool stalled = false;
    bool closed = false;  // not by us, and before we did
    std::optional<HostKeyVerdict> verdict;
    ClientKey key;
    std::string library;  // "libssh2/1.10.0"
};

// Source of the codes and the words: lib/vssh/libssh2.c of libcurl 7.88 to 8.14.
// libssh2 1.11 is the first that has RSA with SHA-2; servers since OpenSSH 8.8 want nothing else.
[[nodiscard]] bool knows_rsa_by_sha1_only(std::string_view library);
[[nodiscard]] base::Error only_rsa_is_known(const SftpOptions& options, std::string_view library);
// Whether the server has answered, with a refusal: if it was alive, which libcurl does not look at. Of a connection
// that was lost it tells the status that came last.
[[nodiscard]] bool is_answer(const SftpEnding& ending);
[[nodiscard]] bool is_refusal(const base::Error& error);  // that would be lasting
[[nodiscard]] base::Error connection_lost(const SftpOptions& options, std::string_view action);
[[nodiscard]] base::Error failure_from(const SftpEnding& ending, const SftpOptions& options);

}  // namespace pgbakd::http
