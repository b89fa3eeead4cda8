// Whatever a server answers: a value or an error, never a crash, and what a value holds is bounded by the answer.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "target/s3_answers.hpp"
#include "target/s3_failure.hpp"

using namespace pgbakd::target;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto page = parse_objects(text); page && page->objects.size() > size) std::abort();
    if (const auto id = parse_upload_started(text); id && id->size() > size) std::abort();
    if (const auto page = parse_uploads(text); page && page->uploads.size() > size) std::abort();
    if (const auto page = parse_parts(text); page && page->parts.size() > size) std::abort();
    if (const auto left = parse_deleted(text); left && left->size() > size) std::abort();
    (void)parse_completed(text);
    (void)parse_http_date(text);
    FailedCall call;
    call.action = "x";
    call.error = parse_error(text);
    call.date = text.substr(0, 29);
    for (const int status : {200, 301, 400, 403, 404, 503}) {
        call.status = status;
        // A message is for one line of a log, whatever the server wrote.
        if (s3_failure(call).error.message().find('\n') != std::string::npos) std::abort();
    }
    return 0;
}
