#include "target/s3_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "codec/sha256.hpp"
#include "target/key.hpp"
#include "target/listing.hpp"
#include "target/s3_range.hpp"
#include "target/s3_upload.hpp"

namespace pgbakd::target {
namespace {

constexpr std::size_t most_deleted = 1000;  // in one call, of DeleteObjects
// Short objects that go in the place of a part: what they take of memory is less, and most of their time is waiting.
constexpr std::size_t short_for_a_part = 4;

class S3Target final : public Target {
  public:
    explicit S3Target(std::shared_ptr<S3Store> store) : store_(std::move(store)) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override;
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override;
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override;
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override;
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail detail, async::StopToken stop) override;
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override;
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override;
    asio::awaitable<PartsTried> try_parts(std::string key, async::StopToken stop) override;

  private:
    asio::awaitable<bool> take_up(S3Upload& upload, PartPlan plan, std::uint64_t size, std::string key,
                                  std::string upload_id, async::StopToken stop);
    asio::awaitable<std::vector<Refusal>> remove_some(std::span<const std::string> keys, async::StopToken stop);
    asio::awaitable<std::vector<Refusal>> remove_together(std::span<const std::string> keys, async::StopToken stop);
    asio::awaitable<std::optional<Refusal>> remove_one(std::string key, async::StopToken stop);
    asio::awaitable<bool> is_missing(std::string key, async::StopToken stop);
    asio::awaitable<std::uint64_t> sweep_one(std::string key, ListedUpload upload, base::Timestamp older_than,
                                             async::StopToken stop);
    [[nodiscard]] std::string own_prefix() const {
        return store_->options.prefix.empty() ? "" : store_->options.prefix + "/";
    }
    // A key of the bucket as ours; empty if it is not one.
    [[nodiscard]] std::string own_key(const std::string& full) const;

    std::shared_ptr<S3Store> store_;
    bool removes_singly_ = false;  // the service takes one key per call only
};

std::string S3Target::own_key(const std::string& full) const {
    const auto prefix = own_prefix();
    if (!full.starts_with(prefix)) return {};
    auto key = full.substr(prefix.size());
    return check_key(key) ? key : std::string();
}

asio::awaitable<Facts> S3Target::facts(async::StopToken /*stop*/) {
    const auto& options = store_->options;
    const auto& endpoint = options.endpoint;
    co_return Facts{options.name,
                    "s3",
                    fmt::format("{}://{}/{}{}", endpoint.scheme, endpoint.host, endpoint.bucket,
                                options.prefix.empty() ? "" : "/" + options.prefix),
                    options.profile->signed_hash == SignedHash::compared ? Assurance::checksum : Assurance::size,
                    options.profile->no_replace == NoReplace::if_none_match ? Exclusive::atomic : Exclusive::checked,
                    true,
                    short_for_a_part * static_cast<std::size_t>(options.concurrent_parts)};
}

// Whether what arrived of an earlier upload is still there, and the rest of `size` bytes can follow it.
asio::awaitable<bool> S3Target::take_up(S3Upload& upload, PartPlan plan, std::uint64_t size, std::string key,
                                        std::string upload_id, async::StopToken stop) {
    auto held = HeldUpload::hold(store_, upload_id);
    if (!held) co_return false;  // a sweep is about to remove it
    std::vector<ListedPart> parts;
    try {
        parts = co_await store_->parts(key, upload_id, stop);
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::not_found) throw;
        co_return false;
    }
    parts.resize(usable_parts(*store_->options.profile, parts));
    if (!plan.can_follow(parts, size)) {
        try {
            co_await store_->abort(key, upload_id, stop);
        } catch (const base::Error&) {
            stop.check();  // else left to sweep()
        }
        co_return false;
    }
    upload.resume(std::move(upload_id), std::move(held), parts);
    co_return true;
}

asio::awaitable<std::unique_ptr<Upload>> S3Target::put(std::string key, PutOptions options, async::StopToken stop) {
    check_key(key).value();
    const auto& profile = *store_->options.profile;
    const auto plan = PartPlan::make(profile, options.size, store_->options.part_size, options.guess).value();
    const auto checkpoint = options.checkpoint;
    const auto size = options.size.value_or(0);
    auto upload = std::make_unique<S3Upload>(store_, key, std::move(options), plan, stop);
    if (!checkpoint.empty()) co_await take_up(*upload, plan, size, key, checkpoint, stop);
    co_return upload;
}

asio::awaitable<std::uint64_t> S3Target::get(std::string key, Range range, Sink& sink, async::StopToken stop) {
    check_key(key).value();
    auto call = store_->call("GET", key, "getting", "s3:GetObject");
    const bool nothing = range.length && *range.length == 0;
    if (nothing) {
        const auto entry = co_await store_->head(key, Detail::plain, stop);
        if (!entry) throw base::Error(base::ErrorCode::not_found, call.action + ": there is no such object");
        co_return 0;
    }
    const bool ranged = range.offset > 0 || range.length;
    if (ranged) call.headers.emplace_back("range", range_text(range));
    const auto body = std::make_shared<RangeSink>(sink, ranged);
    call.sink = body;
    try {
        co_await store_->client.call(call, stop);
    } catch (const base::Error& error) {
        // 416: the object does not reach so far.
        if (error.code() != base::ErrorCode::invalid_argument || !ranged) throw;
    }
    co_return body->count;
}

asio::awaitable<Page> S3Target::list(std::string prefix, std::string cursor, std::size_t limit, async::StopToken stop) {
    check_prefix(prefix).value();
    S3Call call = store_->call("GET", prefix, "listing", "s3:ListBucket");
    call.query = {{"list-type", "2"},
                  {"prefix", own_prefix() + prefix},
                  {"max-keys", std::to_string(limit)},
                  {"encoding-type", "url"}};
    if (!cursor.empty()) call.query.emplace_back("continuation-token", cursor);
    call.key.clear();
    const auto response = co_await store_->client.call(call, stop);
    const auto objects = parse_objects(response.body).value();
    Page page;
    for (const auto& object : objects.objects) {
        auto key = own_key(object.key);
        if (!key.empty()) page.entries.push_back({std::move(key), object.size, object.modified, {}});
    }
    page.next = objects.next;
    co_return page;
}

asio::awaitable<std::optional<Entry>> S3Target::stat(std::string key, Detail detail, async::StopToken stop) {
    check_key(key).value();
    co_return co_await store_->head(std::move(key), detail, stop);
}

// Error: permission_denied or unsupported where the call itself is refused.
asio::awaitable<std::vector<Refusal>> S3Target::remove_together(std::span<const std::string> keys,
                                                                async::StopToken stop) {
    std::vector<std::string> full;
    for (const auto& key : keys) full.push_back(store_->full_key(key));
    const auto text = delete_body(full);
    auto call = store_->call("POST", keys.front(), "removing", "s3:DeleteObject");
    call.key.clear();
    call.query = {{"delete", ""}};
    call.headers = {{"content-type", "application/xml"},
                    {"content-md5", codec::content_md5(std::as_bytes(std::span(text)))}};
    call.payload_hash = codec::sha256_hex(std::as_bytes(std::span(text)));
    call.body = std::make_shared<http::MemoryBody>(text);
    const auto response = co_await store_->client.call(call, stop);
    const auto left = parse_deleted(response.body).value();
    std::vector<Refusal> refused;
    for (const auto& entry : left) {
        auto one = call;
        one.action = "removing " + entry.key;
        auto error = store_->client.failure(one, entry.error);
        if (error.is_passing()) throw base::Error(error);
        if (error.code() != base::ErrorCode::not_found) refused.push_back({own_key(entry.key), std::move(error)});
    }
    co_return refused;
}

asio::awaitable<std::optional<Refusal>> S3Target::remove_one(std::string key, async::StopToken stop) {
    auto call = store_->call("DELETE", key, "removing", "s3:DeleteObject");
    std::optional<base::Error> refusal;
    try {
        co_await store_->client.call(call, stop);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::not_found && error.hint().empty()) co_return std::nullopt;
        if (error.code() != base::ErrorCode::permission_denied) throw;
        refusal = error;
    }
    if (!refusal) co_return std::nullopt;
    co_return Refusal{std::move(key), *refusal};
}

// A service looks at the permission before it looks for the object: what is not there is no refusal.
asio::awaitable<bool> S3Target::is_missing(std::string key, async::StopToken stop) {
    bool missing = false;
    try {
        const auto entry = co_await store_->head(std::move(key), Detail::plain, stop);
        missing = !entry;
    } catch (const base::Error& error) {
        // Nobody may look either: then it counts as refused.
        if (error.code() != base::ErrorCode::permission_denied) throw;
    }
    co_return missing;
}

asio::awaitable<std::vector<Refusal>> S3Target::remove_some(std::span<const std::string> keys, async::StopToken stop) {
    std::vector<Refusal> refused;
    bool together = keys.size() > 1 && !removes_singly_;
    if (together) {
        try {
            refused = co_await remove_together(keys, stop);
        } catch (const base::Error& error) {
            // Not every service has DeleteObjects, and Ceph asks for the permission on the bucket where others ask for
            // that on each object.
            if (error.code() != base::ErrorCode::permission_denied && error.code() != base::ErrorCode::unsupported)
                throw;
            together = false;
        }
        removes_singly_ = !together;
    }
    if (!together) {
        for (const auto& key : keys) {
            auto refusal = co_await remove_one(key, stop);
            if (refusal) refused.push_back(std::move(*refusal));
        }
    }
    std::vector<Refusal> there;
    for (auto& refusal : refused) {
        const bool denied = refusal.error.code() == base::ErrorCode::permission_denied;
        const bool missing = denied && co_await is_missing(refusal.key, stop);
        if (!missing) there.push_back(std::move(refusal));
    }
    co_return there;
}

asio::awaitable<std::vector<Refusal>> S3Target::remove(std::vector<std::string> keys, async::StopToken stop) {
    for (const auto& key : keys) check_key(key).value();
    std::vector<Refusal> refused;
    std::span<const std::string> rest(keys);
    while (!rest.empty()) {
        const auto count = std::min(rest.size(), most_deleted);
        auto some = co_await remove_some(rest.first(count), stop);
        refused.insert(refused.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
        rest = rest.subspan(count);
    }
    co_return refused;
}

// The bytes of what was removed, or nothing if parts have come since.
asio::awaitable<std::uint64_t> S3Target::sweep_one(std::string key, ListedUpload upload, base::Timestamp older_than,
                                                   async::StopToken stop) {
    const auto held = HeldUpload::hold(store_, upload.upload_id);
    if (!held) co_return ~0ULL;  // somebody goes on with it now
    std::vector<ListedPart> parts;
    try {
        parts = co_await store_->parts(key, upload.upload_id, stop);
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::not_found) throw;
        co_return ~0ULL;
    }
    std::uint64_t bytes = 0;
    for (const auto& part : parts) {
        if (part.modified >= older_than) co_return ~0ULL;
        bytes += part.size;
    }
    co_await store_->abort(key, upload.upload_id, stop);
    co_return bytes;
}

asio::awaitable<Swept> S3Target::sweep(base::Timestamp older_than, async::StopToken stop) {
    Swept swept;
    UploadsPage page;
    ListingGuard guard("the unfinished uploads");
    do {
        S3Call call = store_->call("GET", "", "listing the uploads", "s3:ListBucketMultipartUploads");
        call.key.clear();
        call.query = {{"uploads", ""}, {"prefix", own_prefix()}};
        if (!page.next_key.empty()) {
            call.query.emplace_back("key-marker", page.next_key);
            call.query.emplace_back("upload-id-marker", page.next_upload_id);
        }
        const auto response = co_await store_->client.call(call, stop);
        page = parse_uploads(response.body).value();
        guard.turn(page.uploads.size(),
                   page.next_key.empty() ? std::string() : page.next_key + '\n' + page.next_upload_id);
        for (const auto& upload : page.uploads) {
            const auto key = own_key(upload.key);
            if (key.empty() || upload.initiated >= older_than) continue;
            const auto bytes = co_await sweep_one(key, upload, older_than, stop);
            if (bytes == ~0ULL) continue;
            ++swept.uploads;
            swept.bytes += bytes;
        }
    } while (!page.next_key.empty());
    co_return swept;
}

// What another try would not mend; else it is thrown.
std::optional<base::Error> lasting(const base::Error& error) {
    if (error.is_passing()) throw base::Error(error);
    return error;
}

asio::awaitable<std::optional<base::Error>> what_fails(asio::awaitable<void> work) {
    std::optional<base::Error> failure;
    try {
        co_await std::move(work);
    } catch (const base::Error& error) {
        failure = error;
    }
    co_return failure ? lasting(*failure) : std::nullopt;
}

// As sweep() asks, without a limit of one, which Swift answers wrongly.
asio::awaitable<void> list_uploads(S3Store& store, std::string key, async::StopToken stop) {
    auto call = store.call("GET", key, "listing the uploads of", "s3:ListBucketMultipartUploads");
    call.query = {{"uploads", ""}, {"prefix", call.key}};
    call.key.clear();
    const auto response = co_await store.client.call(call, stop);
    (void)parse_uploads(response.body).value();
}

asio::awaitable<void> list_parts(S3Store& store, std::string key, std::string upload_id, async::StopToken stop) {
    co_await store.parts(std::move(key), std::move(upload_id), std::move(stop));
}

// As an upload begins, for a bucket's policy may ask for its headers.
asio::awaitable<void> begin_upload(S3Store& store, std::string key, std::string& upload_id, async::StopToken stop) {
    const auto& options = store.options;
    auto call = store.call("POST", key, "beginning an upload of", "s3:PutObject");
    call.query = {{"uploads", ""}};
    if (!options.storage_class.empty()) call.headers.emplace_back("x-amz-storage-class", options.storage_class);
    if (!options.encryption.empty() && options.profile->encryption == Encryption::by_header)
        call.headers.emplace_back("x-amz-server-side-encryption", options.encryption);
    const auto response = co_await store.client.call(call, stop);
    upload_id = parse_upload_started(response.body).value();
}

// What was begun is aborted before anything is thrown; where that is not allowed it is left to the bucket's rules.
asio::awaitable<PartsTried> S3Target::try_parts(std::string key, async::StopToken stop) {
    check_key(key).value();
    PartsTried found;
    found.tried = true;
    const auto enter = [&found](std::optional<base::Error> failure) {
        if (failure) found.sending.push_back(std::move(*failure));
    };
    std::string upload_id;
    auto begun = co_await what_fails(begin_upload(*store_, key, upload_id, stop));
    enter(std::move(begun));
    std::exception_ptr passing;
    try {
        found.sweeping = co_await what_fails(list_uploads(*store_, key, stop));
        if (!upload_id.empty()) {
            auto listed = co_await what_fails(list_parts(*store_, key, upload_id, stop));
            enter(std::move(listed));
        }
    } catch (...) {
        passing = std::current_exception();
    }
    if (!upload_id.empty()) {
        auto aborted = co_await what_fails(store_->abort(key, upload_id, stop));
        enter(std::move(aborted));
    }
    if (passing) std::rethrow_exception(passing);
    co_return found;
}

}  // namespace

std::shared_ptr<Target> make_s3_target(const asio::any_io_executor& executor, S3Options options,
                                       std::shared_ptr<CredentialSource> credentials, async::Pool& pool,
                                       const base::Clock& clock) {
    return std::make_shared<S3Target>(
        std::make_shared<S3Store>(executor, std::move(options), std::move(credentials), pool, clock));
}

}  // namespace pgbakd::target
