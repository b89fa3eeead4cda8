// What libcurl reports, as the one error type.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace pgbakd::http {

struct Ending {
    CURLcode code = CURLE_OK;  // not CURLE_OK
    std::string origin;        // "https://host:port"
    std::string detail;        // libcurl's own words; used for TLS only, where they name the reason
    int system_error = 0;      // errno of the connection, or 0
    bool connected = false;    // a connection had been made for this request, or was kept from another
    std::uint64_t received = 0;
    std::string ca_file;
};

// Passing for whatever the network or a restarting server may do, lasting for what somebody has to correct.
// Codes: https://curl.se/libcurl/c/libcurl-errors.html
[[nodiscard]] base::Error failure_from(const Ending& ending);

}  // namespace pgbakd::http
