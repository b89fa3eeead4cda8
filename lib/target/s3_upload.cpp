#include "target/s3_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/timer.hpp"
#include "codec/sha256.hpp"

namespace pgbakd::target {
namespace {

// Putting parts together takes AWS minutes for a large object.
constexpr auto completion_patience = std::chrono::minutes(10);
constexpr auto abort_patience = std::chrono::seconds(30);

std::string base64_of_hex(std::string_view digits) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::byte>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
    return codec::base64(bytes);
}

std::string etag_of(const http::Response& response) {
    std::string etag(response.header("etag").value_or(""));
    std::erase(etag, '"');
    return etag;
}

}  // namespace

S3Upload::S3Upload(std::shared_ptr<S3Store> store, std::string key, PutOptions options, PartPlan plan)
    : store_(std::move(store)),
      key_(std::move(key)),
      options_(std::move(options)),
      plan_(plan),
      changed_(store_->executor),
      tasks_(store_->executor) {}

void S3Upload::resume(std::string upload_id, const std::vector<ListedPart>& parts) {
    upload_id_ = std::move(upload_id);
    for (const auto& part : parts) {
        parts_.push_back({part.number, part.etag, part.checksum_sha256});
        sent_ += part.size;
    }
    begins_at_ = sent_;
}

void S3Upload::check() const {
    if (failure_) std::rethrow_exception(failure_);
}

void S3Upload::add_storage(S3Call& call) const {
    const auto& options = store_->options;
    if (!options.storage_class.empty()) call.headers.emplace_back("x-amz-storage-class", options.storage_class);
    if (!options.encryption.empty() && options.profile->encryption == Encryption::by_header)
        call.headers.emplace_back("x-amz-server-side-encryption", options.encryption);
}

void S3Upload::add_conditions(S3Call& call) const {
    const auto& profile = *store_->options.profile;
    if (options_.existing == Existing::replace) return;
    if (profile.no_replace == NoReplace::if_none_match) call.headers.emplace_back("if-none-match", "*");
    if (profile.no_replace == NoReplace::forbid_overwrite)
        call.headers.emplace_back(profile.forbid_overwrite_header, "true");
}

void S3Upload::open_part() {
    part_size_ = plan_.next(parts_.size(), sent_).value();
    part_ = std::make_shared<std::vector<std::byte>>();
    part_->reserve(part_size_);  // of address space: pages come as they are written
}

asio::awaitable<void> S3Upload::write(async::Chunk chunk, async::StopToken stop) {
    std::span<const std::byte> rest(*chunk);
    while (!rest.empty()) {
        stop.check();
        check();
        if (!part_) open_part();
        const auto count = std::min<std::uint64_t>(rest.size(), part_size_ - part_->size());
        part_->insert(part_->end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
        rest = rest.subspan(count);
        // A part that is full waits for one more byte: a stream of just that length is one put.
        if (part_->size() == part_size_ && (!rest.empty() || !parts_.empty())) co_await close_part(stop);
    }
}

asio::awaitable<void> S3Upload::close_part(async::StopToken stop) {
    if (upload_id_.empty()) co_await begin(stop);
    const auto size = part_->size();
    const auto number = parts_.size() + 1;
    parts_.push_back({number, {}, {}});
    sent_ += size;
    ++in_flight_;
    tasks_.spawn(send_part(number, std::exchange(part_, nullptr)));
    // One more is being filled while these are sent.
    const auto fits = parts_in_flight(size, store_->options.concurrent_parts + 1);
    co_await wait_for_room(fits - 1, stop);
}

// Until at most `most` parts are in flight.
asio::awaitable<void> S3Upload::wait_for_room(std::uint64_t most, async::StopToken stop) {
    while (in_flight_ > most) {
        check();
        co_await changed_.wait(stop);
    }
    check();
}

asio::awaitable<void> S3Upload::begin(async::StopToken stop) {
    auto call = store_->call("POST", key_, "beginning", "s3:PutObject");
    call.query = {{"uploads", ""}};
    add_storage(call);
    if (store_->options.profile->checksum == ChecksumHeader::sha256)
        call.headers.emplace_back("x-amz-checksum-algorithm", "SHA256");
    const std::function<asio::awaitable<http::Response>()> attempt = [this, call, stop] {
        return store_->client.call(call, stop);
    };
    const auto response = co_await retried(store_->options.retry, attempt, stop);
    upload_id_ = parse_upload_started(response.body).value();
}

asio::awaitable<http::Response> S3Upload::send_body(S3Call call, Buffer body, std::string hash, async::StopToken stop) {
    call.payload_hash = std::move(hash);
    call.body = std::make_shared<http::MemoryBody>(std::vector<async::Chunk>{std::move(body)});
    if (store_->options.profile->checksum == ChecksumHeader::sha256)
        call.headers.emplace_back("x-amz-checksum-sha256", base64_of_hex(call.payload_hash));
    const std::function<asio::awaitable<http::Response>()> attempt = [this, call, stop] {
        (void)call.body->rewind();
        return store_->client.call(call, stop);
    };
    co_return co_await retried(store_->options.retry, attempt, stop);
}

asio::awaitable<void> S3Upload::send_part(std::uint64_t number, Buffer part) {
    const auto stop = stop_.token();
    try {
        const auto hashing = [part] { return codec::sha256_hex(*part); };
        const auto hash = co_await async::run_blocking(store_->pool, hashing);
        auto call = store_->call("PUT", key_, fmt::format("sending part {} of", number), "s3:PutObject");
        call.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload_id_}};
        const auto response = co_await send_body(std::move(call), std::move(part), hash, stop);
        auto& sent = parts_[number - 1];
        sent.etag = etag_of(response);
        if (store_->options.profile->checksum == ChecksumHeader::sha256) sent.checksum_sha256 = base64_of_hex(hash);
    } catch (...) {
        if (!failure_) failure_ = std::current_exception();
        stop_.stop({base::ErrorCode::cancelled, "another part failed"});
    }
    --in_flight_;
    changed_.notify();
}

asio::awaitable<void> S3Upload::put_whole(async::StopToken stop) {
    if (!part_) part_ = std::make_shared<std::vector<std::byte>>();
    const auto body = part_;
    const auto hashing = [body] { return codec::sha256_hex(*body); };
    const auto hash = co_await async::run_blocking(store_->pool, hashing);
    auto call = store_->call("PUT", key_, "putting", "s3:PutObject");
    add_storage(call);
    add_conditions(call);
    co_await send_body(std::move(call), body, hash, stop);
    sent_ = body->size();
}

// Whether the object is there as it should be: an answer that was lost looks like a failure.
asio::awaitable<bool> S3Upload::is_complete(async::StopToken stop) {
    const auto entry = co_await store_->head(key_, Detail::plain, stop);
    co_return entry && entry->size == sent_;
}

asio::awaitable<bool> S3Upload::try_complete(async::StopToken stop) {
    const auto text = complete_body(parts_);
    auto call = store_->call("POST", key_, "completing", "s3:PutObject");
    call.query = {{"uploadId", upload_id_}};
    call.headers = {{"content-type", "application/xml"}};
    add_conditions(call);
    call.payload_hash = codec::sha256_hex(std::as_bytes(std::span(text)));
    call.body = std::make_shared<http::MemoryBody>(text);
    call.stall_timeout = completion_patience;
    const auto response = co_await store_->client.call(call, stop);
    const auto completed = parse_completed(response.body).value();
    if (completed.error) throw store_->client.failure(call, *completed.error);
    co_return true;
}

asio::awaitable<void> S3Upload::complete(async::StopToken stop) {
    const std::function<asio::awaitable<bool>()> attempt = [this, stop] { return try_complete(stop); };
    std::exception_ptr failure;
    try {
        co_await retried(store_->options.retry, attempt, stop);
    } catch (const base::Error& error) {
        failure = std::current_exception();
        // Of a second try, after the first was done and its answer lost.
        if (error.code() != base::ErrorCode::not_found) throw;
    }
    if (!failure) co_return;
    const bool there = co_await is_complete(stop);
    if (!there) std::rethrow_exception(failure);
}

asio::awaitable<Receipt> S3Upload::finish(async::StopToken stop) {
    check();
    if (upload_id_.empty()) {
        co_await put_whole(stop);
    } else {
        if (!part_ && parts_.empty()) open_part();  // a multipart upload has one part at least
        if (part_ && (!part_->empty() || parts_.empty())) co_await close_part(stop);
        co_await wait_for_room(0, stop);
        co_await complete(stop);
    }
    upload_id_.clear();
    const auto store = store_;
    const auto key = key_;
    const std::function<asio::awaitable<std::optional<Entry>>()> look = [store, key, stop] {
        return store->head(key, Detail::plain, stop);
    };
    const auto entry = co_await retried(store_->options.retry, look, stop);
    if (!entry || entry->size != sent_)
        throw base::Error(base::ErrorCode::corrupt,
                          fmt::format("{}: {} bytes were sent and {} are there", key_, sent_, entry ? entry->size : 0));
    co_await tasks_.join();
    // The service compared the hash of each part with what arrived, or it would have refused the signature.
    co_return Receipt{*entry, Assurance::checksum};
}

asio::awaitable<void> S3Upload::suspend() {
    stop_.stop({base::ErrorCode::cancelled, "the upload is left for later"});
    co_await tasks_.join();
    part_.reset();
}

asio::awaitable<void> S3Upload::abort() {
    co_await suspend();
    if (upload_id_.empty()) co_return;
    const async::Deadline deadline(store_->executor, {}, abort_patience, "aborting an upload");
    try {
        co_await store_->abort(key_, upload_id_, deadline.token());
    } catch (const base::Error& error) {
        (void)error;  // left to sweep()
    }
    upload_id_.clear();
}

}  // namespace pgbakd::target
