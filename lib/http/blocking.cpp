#include "http/blocking.hpp"

#include "base/error.hpp"

namespace pgbakd::http {

void set_callbacks(CURL* easy, const Callbacks& callbacks, void* self, char* detail) {
    const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_OPENSOCKETFUNCTION, callbacks.open);
    set(CURLOPT_OPENSOCKETDATA, self);
    set(CURLOPT_CLOSESOCKETFUNCTION, callbacks.close);
    set(CURLOPT_CLOSESOCKETDATA, self);
    set(CURLOPT_ERRORBUFFER, detail);
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, callbacks.debug);
    set(CURLOPT_DEBUGDATA, self);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, callbacks.progress);
    set(CURLOPT_XFERINFODATA, self);
}

CURLcode drive(CURLM* multi, CURL* easy, Interrupt& interrupt, const std::function<bool()>& must_end) {
    if (const auto code = curl_multi_add_handle(multi, easy); code != CURLM_OK)
        throw base::Error(base::ErrorCode::internal, curl_multi_strerror(code));
    interrupt.watch(multi);
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    for (int running = 1;;) {
        curl_multi_perform(multi, &running);
        int left = 0;
        if (const CURLMsg* message = curl_multi_info_read(multi, &left); message != nullptr) {
            result = message->data.result;
            break;
        }
        if (running == 0 || must_end()) break;
        curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    }
    interrupt.watch(nullptr);
    return result;
}

}  // namespace pgbakd::http
