// Submission of mail (RFC 5321, RFC 6409) by libcurl, over TLS only. It blocks, unlike HTTP in this folder: libcurl
// waits for the answer to a whole message, and for that to its QUIT, without regard for whoever drives it. So it
// belongs on a thread of a pool.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "http/interrupt.hpp"

namespace pgbakd::http {

struct SmtpOptions {
    // "smtps://host[:465]": TLS from the first byte (RFC 8314); or "smtp://host[:587]", where the server has to offer
    // STARTTLS: nothing is said before it but EHLO.
    std::string url;
    std::string user;  // empty: no authentication
    base::Secret password;
    std::string ca_file;  // PEM file of the authorities to trust; empty: the system's
    // Name look-up, connection, TLS, authentication; above zero.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(20);
    // From the first to the last: how long it may take in all; above zero.
    std::chrono::milliseconds deadline = std::chrono::seconds(60);
};

struct Mail {
    std::string from;             // an address: "local@domain"
    std::vector<std::string> to;  // addresses, at least one
    // The message (RFC 5322) with lines that end in CR LF. A line that is only a dot may stand in it.
    std::string text;
};

// Recipients that have not got a mail which others have, each with the server's answer: "550 no such user".
struct Recipient {
    std::string address, answer;
};
struct Missed {
    std::vector<Recipient> refused;   // for good
    std::vector<Recipient> deferred;  // for now (4xx, such as greylisting): to be sent to later
};

// "smtps://host:465" of the options: how messages name a server.
[[nodiscard]] std::string origin_of(const SmtpOptions& options);

// Those recipients that the server did not take the mail for: the others have it, and there is at least one.
//
// Throws base::Error, without the server's words on authentication. Passing: unreachable, timed_out, and server_error
// for an answer of 4xx. Lasting: server_error for one of 5xx, authentication_failed for a refused password or a
// certificate that is not trusted, unsupported without STARTTLS or a known way to authenticate, invalid_argument for
// what cannot be sent. conflict: the server has refused the message itself, maybe for its size alone. cancelled: the
// interrupt.
[[nodiscard]] Missed send_mail(const SmtpOptions& options, const Mail& mail, Interrupt& interrupt);

}  // namespace pgbakd::http
