// What libcurl reports of a mail that was not sent, as the one error type.
#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pgbakd::http {

struct SmtpEnding {
    CURLcode code = CURLE_OK;  // not CURLE_OK
    std::string origin;        // "smtps://host:465"
    std::string detail;        // libcurl's own words; used for TLS only
    // Where the conversation ended: "" (before the greeting), "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", or
    // "." (the whole message).
    std::string stage;
    int reply = 0;           // the server's last answer at that stage; 0: none
    std::string reply_text;  // "550 5.7.1 no", one line
    int system_error = 0;
    bool connected = false;
    bool stalled = false;  // a deadline passed
    bool with_user = false;
    std::string ca_file;
};

// Answers: RFC 5321, 4.2; RFC 4954, 6; RFC 3207, 4. libcurl's codes: lib/smtp.c of 7.88 to 8.14.
[[nodiscard]] base::Error failure_from(const SmtpEnding& ending);

}  // namespace pgbakd::http
