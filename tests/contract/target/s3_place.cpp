#include "s3_place.hpp"

#include "async/task_group.hpp"
#include "async/timer.hpp"
#include "codec/sha256.hpp"
#include "target/key.hpp"

namespace contract {
namespace {

using namespace pgbakd;

// What somebody else does in the bucket, on a reactor of its own.
class Somebody {
  public:
    explicit Somebody(const S3Server& server)
        : client(io.get_executor(), server.endpoint(), server.value("region"),
                 target::fixed_credentials(server.credentials("tester")), clock, {}) {}

    template <class T>
    T run(asio::awaitable<T> task) {
        std::exception_ptr failure;
        std::optional<T> result;
        asio::co_spawn(io, std::move(task), [&](const std::exception_ptr& thrown, T value) {
            failure = thrown;
            if (!thrown) result.emplace(std::move(value));
        });
        io.restart();
        io.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    http::Response call(const target::S3Call& call) { return run(client.call(call, {})); }

    asio::io_context io;
    base::SystemClock clock;
    target::S3Client client;
};

target::S3Call call_with(std::string method, std::string key, const std::string& content) {
    target::S3Call call;
    call.method = std::move(method);
    call.key = std::move(key);
    call.action = "preparing " + call.key;
    if (!content.empty()) {
        call.payload_hash = codec::sha256_hex(std::as_bytes(std::span(content)));
        call.body = std::make_shared<http::MemoryBody>(content);
    }
    return call;
}

asio::awaitable<void> put_some(target::S3Client& client, std::string prefix, const std::vector<std::string>& keys,
                               std::size_t& next) {
    while (next < keys.size()) {
        auto call = call_with("PUT", prefix + "/" + keys[next++], "x");
        co_await client.call(std::move(call), {});
    }
}

// Some at a time: each takes a server a while, most of which it waits.
asio::awaitable<bool> put_all(target::S3Client& client, std::string prefix, const std::vector<std::string>& keys) {
    async::TaskGroup group(co_await asio::this_coro::executor);
    std::size_t next = 0;
    for (int i = 0; i < 8; ++i) group.spawn(put_some(client, prefix, keys, next));
    co_await group.join();
    co_return true;
}

}  // namespace

S3Place::S3Place(S3Kind kind) : server_(&S3Server::of(kind)), prefix_("case-" + target::upload_name()) {
    if (!server_->missing().empty()) return;
    options = server_->options(prefix_);
    credentials_ = std::make_shared<ChangingCredentials>(server_->credentials("tester"));
}

std::shared_ptr<target::Target> S3Place::open(const asio::any_io_executor& executor, async::Pool& pool) {
    static const base::SystemClock clock;
    return target::make_s3_target(executor, options, credentials_, pool, clock);
}

std::size_t S3Place::leftovers() const {
    Somebody somebody(*server_);
    auto call = call_with("GET", "", "");
    call.query = {{"uploads", ""}, {"prefix", prefix_ + "/"}};
    return target::parse_uploads(somebody.call(call).body).value().uploads.size();
}

void S3Place::leave_upload(const std::string& name, std::size_t size, std::chrono::hours /*age*/) const {
    Somebody somebody(*server_);
    auto begin = call_with("POST", prefix_ + "/" + name, "");
    begin.query = {{"uploads", ""}};
    const auto id = target::parse_upload_started(somebody.call(begin).body).value();
    auto part = call_with("PUT", prefix_ + "/" + name, std::string(size, 'x'));
    part.query = {{"partNumber", "1"}, {"uploadId", id}};
    somebody.call(part);
}

base::Timestamp S3Place::moment(std::chrono::hours /*age*/) {
    // Servers tell whole seconds, rounded in either direction.
    asio::io_context io;
    asio::steady_timer timer(io, std::chrono::milliseconds(1100));
    timer.wait();
    const auto found = base::SystemClock().now();
    timer.expires_after(std::chrono::milliseconds(1100));
    timer.wait();
    return found;
}

void S3Place::put_with_md5(const std::string& name, const std::string& content, const std::string& content_md5) const {
    Somebody somebody(*server_);
    auto call = call_with("PUT", prefix_ + "/" + name, content);
    call.headers = {{"content-md5", content_md5}};
    somebody.call(call);
}

void S3Place::fill(const std::vector<std::string>& keys) const {
    Somebody somebody(*server_);
    somebody.run(put_all(somebody.client, prefix_, keys));
}

void S3Place::forbid_writing() {
    credentials_->now = server_->credentials("reader");
}

}  // namespace contract
