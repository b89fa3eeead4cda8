#include "target/s3_client.hpp"

#include <utility>

#include "target/retry.hpp"

namespace pgbakd::target {
namespace {

// An answer to HEAD has no body, and so does not say why it is a refusal: a wrong key, a wrong region and a missing
// permission look the same.
bool is_silent(const S3Call& call, const http::Response& response) {
    return call.method == "HEAD" && (response.status == 400 || response.status == 403) && response.body.empty();
}

}  // namespace

S3Client::S3Client(const asio::any_io_executor& executor, S3Endpoint endpoint, std::string region,
                   std::shared_ptr<CredentialSource> credentials, const base::Clock& clock, http::Options options)
    : endpoint_(std::move(endpoint)),
      region_(std::move(region)),
      credentials_(std::move(credentials)),
      clock_(clock),
      http_(executor, std::move(options)) {}

http::Request S3Client::signed_request(const S3Call& call, const Credentials& credentials) const {
    const auto address = s3_address(endpoint_, call.key, call.query);
    SigningInput input{call.method, address.path, call.query, call.headers, call.payload_hash};
    input.headers.emplace_back("host", address.host);
    if (input.payload_hash.empty() && call.body)
        throw base::Error(base::ErrorCode::internal, "a body without its hash");
    if (input.payload_hash.empty()) input.payload_hash = empty_payload_hash;
    auto signature = sign(input, credentials, {region_, "s3"}, clock_.now());
    http::Request request;
    request.method = call.method;
    request.url = address.url;
    for (const auto& [name, value] : call.headers) request.headers.push_back({name, value});
    for (auto& [name, value] : signature.headers) request.headers.push_back({name, std::move(value)});
    for (auto& [name, value] : signature.secret_headers) request.secret_headers.push_back({name, std::move(value)});
    request.body = call.body;
    request.sink = call.sink;
    request.stall_timeout = call.stall_timeout;
    return request;
}

asio::awaitable<http::Response> S3Client::send(const S3Call& call, async::StopToken stop) {
    const auto credentials = co_await credentials_->get(stop);
    auto request = signed_request(call, credentials);
    co_return co_await http_.perform(std::move(request), stop);
}

FailedCall S3Client::describe(const S3Call& call, const http::Response& response) const {
    FailedCall failed;
    failed.action = call.action;
    failed.permission = call.permission;
    failed.status = response.status;
    failed.error = parse_error(response.body);
    failed.bucket_region = response.header("x-amz-bucket-region").value_or("");
    failed.location = response.header("location").value_or("");
    failed.date = response.header("date").value_or("");
    failed.retry_after = response.header("retry-after").value_or("");
    failed.now = clock_.now();
    return failed;
}

bool S3Client::follow(const S3Failure& failure, const S3Home& before) {
    // Of several that were under way, another has followed already.
    if (before != S3Home{region_, endpoint_.host}) return true;
    auto home = redirected(endpoint_, region_, failure.region, failure.endpoint);
    if (!home) return false;
    region_ = std::move(home->region);
    endpoint_.host = std::move(home->host);
    return true;
}

asio::awaitable<http::Response> S3Client::ask_why(S3Call call, http::Response response, async::StopToken stop) {
    call.method = "GET";
    call.headers.emplace_back("range", "bytes=0-0");
    http::Response reason;
    std::exception_ptr thrown;
    try {
        reason = co_await send(call, stop);
    } catch (const base::Error&) {
        thrown = std::current_exception();
    }
    stop.check();
    co_return thrown || reason.status < 400 || reason.status == 416 ? std::move(response) : std::move(reason);
}

asio::awaitable<http::Response> S3Client::call(S3Call call, async::StopToken stop) {
    bool followed = false;
    bool renewed = false;
    bool has_md5 = false;
    for (;;) {
        if (wants_md5_ && call.content_md5 && !std::exchange(has_md5, true)) {
            auto digest = co_await call.content_md5();
            call.headers.emplace_back("content-md5", std::move(digest));
        }
        const S3Home home{region_, endpoint_.host};
        std::exception_ptr thrown;
        http::Response response;
        try {
            response = co_await send(call, stop);
        } catch (const base::Error&) {
            thrown = std::current_exception();
        }
        stop.check();
        if (thrown) throw base::to_error(thrown).during(call.action);
        if (response.is_success()) co_return response;
        if (is_silent(call, response)) response = co_await ask_why(call, std::move(response), stop);
        const auto failure = s3_failure(describe(call, response));
        const bool repeatable = !call.body || call.body->rewind();
        if (repeatable && failure.remedy == Remedy::redirect && !std::exchange(followed, true) && follow(failure, home))
            continue;
        if (repeatable && failure.remedy == Remedy::new_session && !std::exchange(renewed, true) &&
            credentials_->discard())
            continue;
        if (repeatable && failure.remedy == Remedy::content_md5 && call.content_md5 && !has_md5) {
            wants_md5_ = true;
            continue;
        }
        if (failure.pause) throw Throttled(failure.error, *failure.pause);
        throw base::Error(failure.error);
    }
}

base::Error S3Client::failure(const S3Call& call, const S3Error& error) const {
    FailedCall failed;
    failed.action = call.action;
    failed.permission = call.permission;
    failed.status = 200;
    failed.error = error;
    failed.now = clock_.now();
    return s3_failure(failed).error;
}

}  // namespace pgbakd::target
