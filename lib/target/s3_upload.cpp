#include "target/s3_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "codec/sha256.hpp"
#include "target/tidying.hpp"

namespace pgbakd::target {
namespace {

// Putting parts together takes AWS minutes for a large object.
constexpr auto completion_patience = std::chrono::minutes(10);
constexpr auto abort_patience = std::chrono::seconds(30);
constexpr std::uint64_t parts_until_faster = 16;

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

// What the service says it took, where it says so.
void check_taken(const http::Response& response, const std::string& checksum, const std::string& key) {
    const auto told = response.header("x-amz-checksum-sha256");
    if (!told || *told == checksum) return;
    throw base::Error(
        base::ErrorCode::corrupt,
        fmt::format("{}: the service has another SHA-256 ({}) of it than was sent ({})", key, *told, checksum), {},
        base::Persistence::passing);
}

}  // namespace

// Counts a request while it is under way.
class S3Upload::Sending {
  public:
    explicit Sending(S3Upload& upload) : upload_(upload) { ++upload_.sending_; }
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;
    ~Sending() {
        --upload_.sending_;
        upload_.changed_.notify();
    }

  private:
    S3Upload& upload_;
};

S3Upload::S3Upload(std::shared_ptr<S3Store> store, std::string key, PutOptions options, PartPlan plan,
                   async::StopToken stop)
    : store_(std::move(store)),
      key_(std::move(key)),
      options_(std::move(options)),
      plan_(plan),
      at_once_(store_->options.concurrent_parts),
      last_stop_(std::move(stop)),
      changed_(store_->executor),
      tasks_(store_->executor) {}

void S3Upload::resume(std::string upload_id, std::unique_ptr<HeldUpload> held, const std::vector<ListedPart>& parts) {
    upload_id_ = std::move(upload_id);
    held_ = std::move(held);
    plan_ = plan_.behind(parts);
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
    const auto size = plan_.next(parts_.size(), sent_).value();
    part_ = std::make_shared<S3Part>(size, store_->options.spool_directory);
}

asio::awaitable<void> S3Upload::write(async::Chunk chunk, async::StopToken stop) {
    last_stop_ = stop;
    for (std::size_t taken = 0; taken < chunk->size();) {
        stop.check();
        check();
        if (!part_) open_part();
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk->size() - taken, part_->room()));
        co_await part_->append(chunk, taken, count, store_->pool);
        taken += count;
        // A part that is full waits for one more byte: a stream of just that length is one put.
        if (part_->room() == 0 && (taken < chunk->size() || !parts_.empty())) co_await close_part(stop);
    }
}

asio::awaitable<void> S3Upload::close_part(async::StopToken stop) {
    if (upload_id_.empty()) co_await begin(stop);
    const auto size = part_->size();
    co_await wait_for_room(parts_in_flight(size, at_once_) - 1, stop);
    const auto number = parts_.size() + 1;
    parts_.push_back({number, {}, {}});
    sent_ += size;
    ++in_flight_;
    tasks_.spawn(send_part(number, std::exchange(part_, nullptr)));
}

// Until at most `most` parts are in flight.
asio::awaitable<void> S3Upload::wait_for_room(std::uint64_t most, async::StopToken stop) {
    while (in_flight_ > most) {
        check();
        co_await changed_.wait(stop);
    }
    check();
}

// For services that cannot be told to refuse: what comes between this look and the put is not seen.
asio::awaitable<void> S3Upload::look_first(async::StopToken stop) {
    if (options_.existing == Existing::replace || store_->options.profile->no_replace != NoReplace::none) co_return;
    const auto there = co_await head(stop);
    if (there)
        throw base::Error(base::ErrorCode::conflict,
                          fmt::format("putting {}: it exists already", store_->full_key(key_)));
}

asio::awaitable<std::optional<Entry>> S3Upload::head(async::StopToken stop) {
    const auto store = store_;
    const auto key = key_;
    const std::function<asio::awaitable<std::optional<Entry>>()> look = [store, key, stop] {
        return store->head(key, Detail::plain, stop);
    };
    co_return co_await retried(store_->options.retry, look, stop);
}

asio::awaitable<void> S3Upload::begin(async::StopToken stop) {
    co_await look_first(stop);  // before any of it is sent
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
    held_ = HeldUpload::hold(store_, upload_id_);
}

asio::awaitable<http::Response> S3Upload::send_body(S3Call call, Part part, std::string hash, async::StopToken stop) {
    call.payload_hash = std::move(hash);
    call.body = part->body(store_->pool);
    call.content_md5 = [part, &pool = store_->pool] { return part->content_md5(pool); };
    if (store_->options.profile->checksum == ChecksumHeader::sha256)
        call.headers.emplace_back("x-amz-checksum-sha256", base64_of_hex(call.payload_hash));
    const std::function<asio::awaitable<http::Response>()> attempt = [this, call, stop] {
        (void)call.body->rewind();
        return send_once(call, stop);
    };
    auto response = co_await retried(store_->options.retry, attempt, stop);
    if (at_once_ < store_->options.concurrent_parts && ++since_throttled_ % parts_until_faster == 0) ++at_once_;
    co_return response;
}

// A service that asks for less gets less at once, and more again after a while; what waits for its retry counts as
// little as what has not begun.
asio::awaitable<http::Response> S3Upload::send_once(S3Call call, async::StopToken stop) {
    while (sending_ >= at_once_) co_await changed_.wait(stop);
    const Sending sending(*this);
    try {
        co_return co_await store_->client.call(std::move(call), std::move(stop));
    } catch (const Throttled&) {
        at_once_ = std::max<std::uint64_t>(1, at_once_ / 2);
        since_throttled_ = 0;
        throw;
    }
}

asio::awaitable<void> S3Upload::send_part(std::uint64_t number, Part part) {
    const auto stop = stop_.token();
    try {
        const auto hash = co_await part->hash(store_->pool);
        auto call = store_->call("PUT", key_, fmt::format("sending part {} of", number), "s3:PutObject");
        call.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload_id_}};
        const auto response = co_await send_body(std::move(call), std::move(part), hash, stop);
        auto& sent = parts_[number - 1];
        sent.etag = etag_of(response);
        if (store_->options.profile->checksum == ChecksumHeader::sha256) {
            sent.checksum_sha256 = base64_of_hex(hash);
            check_taken(response, sent.checksum_sha256, key_);
        }
    } catch (...) {
        if (!failure_) failure_ = std::current_exception();
        stop_.stop({base::ErrorCode::cancelled, "another part failed"});
    }
    --in_flight_;
    changed_.notify();
}

asio::awaitable<void> S3Upload::put_whole(async::StopToken stop) {
    co_await look_first(stop);
    if (!part_) part_ = std::make_shared<S3Part>(0, store_->options.spool_directory);
    const auto hash = co_await part_->hash(store_->pool);
    auto call = store_->call("PUT", key_, "putting", "s3:PutObject");
    add_storage(call);
    add_conditions(call);
    const auto response = co_await send_body(std::move(call), part_, hash, stop);
    placed_ = true;
    sent_ = part_->size();
    if (store_->options.profile->checksum != ChecksumHeader::sha256) co_return;
    const auto checksum = base64_of_hex(hash);
    check_taken(response, checksum, key_);
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

asio::awaitable<Entry> S3Upload::see_sent(async::StopToken stop) {
    const auto entry = co_await head(stop);
    if (!entry || entry->size != sent_)
        throw base::Error(base::ErrorCode::corrupt,
                          fmt::format("{}: {} bytes were sent and {} are there", key_, sent_, entry ? entry->size : 0));
    co_return *entry;
}

asio::awaitable<Receipt> S3Upload::finish(async::StopToken stop) {
    last_stop_ = stop;
    check();
    if (upload_id_.empty()) {
        co_await put_whole(stop);
    } else {
        if (!part_ && parts_.empty()) open_part();  // a multipart upload has one part at least
        if (part_ && (part_->size() > 0 || parts_.empty())) co_await close_part(stop);
        co_await wait_for_room(0, stop);
        co_await look_first(stop);
        co_await complete(stop);
    }
    placed_ = true;
    const bool whole = upload_id_.empty();
    upload_id_.clear();
    held_.reset();
    Entry sent{key_, sent_, {}, {}};
    const bool compared = store_->options.profile->signed_hash == SignedHash::compared;
    // Of parts that were put together nobody has compared the whole; what is read back tells its size.
    const bool ask = options_.ask_after || (compared && !whole);
    if (ask) sent = co_await see_sent(stop);
    co_await tasks_.join();
    const auto unasked = ask ? Assurance::size : Assurance::none;
    co_return Receipt{std::move(sent), compared ? Assurance::checksum : unasked};
}

asio::awaitable<void> S3Upload::suspend() {
    stop_.stop({base::ErrorCode::cancelled, "the upload is left for later"});
    co_await tasks_.join();
    part_.reset();
    held_.reset();
}

asio::awaitable<void> S3Upload::abort() {
    const auto held = std::exchange(held_, nullptr);
    co_await suspend();
    if (upload_id_.empty()) co_return;
    const TidyingDeadline deadline(store_->executor, last_stop_, abort_patience, "aborting an upload");
    try {
        co_await store_->abort(key_, upload_id_, deadline.token());
    } catch (const base::Error& error) {
        (void)error;  // left to sweep()
    }
    upload_id_.clear();
}

}  // namespace pgbakd::target
