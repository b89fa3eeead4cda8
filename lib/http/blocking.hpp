// Transfers that block a thread of the pool, each on a multi handle of its own: by SFTP and by SMTP.
#pragma once

#include <curl/curl.h>

#include <functional>

#include "http/interrupt.hpp"

namespace pgbakd::http {

struct Callbacks {
    curl_opensocket_callback open;
    curl_closesocket_callback close;
    curl_debug_callback debug;
    curl_xferinfo_callback progress;
};

// Sets them with `self`, and `detail` (CURL_ERROR_SIZE bytes) for libcurl's words about a failure. No proxy of the
// environment is used, and a stop waits for no look-up of a name.
void set_callbacks(CURL* easy, const Callbacks& callbacks, void* self, char* detail);

// Until it has ended, or `must_end`, which is asked each second and whenever something moved, says so: then
// CURLE_ABORTED_BY_CALLBACK. Throws `internal` if it cannot begin.
CURLcode drive(CURLM* multi, CURL* easy, Interrupt& interrupt, const std::function<bool()>& must_end);

}  // namespace pgbakd::http
