// An object on its way into a bucket: one put if it is short, else a multipart upload with parts in parallel.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/event.hpp"
#include "async/task_group.hpp"
#include "target/placing.hpp"
#include "target/s3_bodies.hpp"
#include "target/s3_part.hpp"
#include "target/s3_parts.hpp"
#include "target/s3_target.hpp"

namespace pgbakd::target {

// What the target and its uploads share.
struct S3Store {
    S3Store(const asio::any_io_executor& executor_, S3Options options_, std::shared_ptr<CredentialSource> credentials,
            async::Pool& pool_, const base::Clock& clock)
        : executor(executor_),
          options(std::move(options_)),
          pool(pool_),
          client(executor_, options.endpoint, options.region, std::move(credentials), clock, options.http) {}
    // A call for a key of ours.
    [[nodiscard]] S3Call call(std::string method, const std::string& key, std::string verb,
                              std::string permission) const;
    [[nodiscard]] std::string full_key(const std::string& key) const;
    // Nothing if there is no such object. Error: not_found, if there is no such bucket.
    asio::awaitable<std::optional<Entry>> head(std::string key, Detail detail, async::StopToken stop);
    // The parts of an upload, in order. Error: not_found.
    asio::awaitable<std::vector<ListedPart>> parts(std::string key, std::string upload_id, async::StopToken stop);
    asio::awaitable<void> abort(std::string key, std::string upload_id, async::StopToken stop);
    asio::awaitable<void> see_bucket(std::string key, async::StopToken stop);

    asio::any_io_executor executor;
    S3Options options;
    async::Pool& pool;
    S3Client client;
    bool bucket_seen = false;
    std::set<std::string> held_uploads;
};

// A multipart upload that something of this process works on. While it is held nothing else may: a service (Ceph) to
// which an upload is aborted while it is completed may list the object and have lost its bytes.
class HeldUpload {
  public:
    // Empty if somebody has it.
    static std::unique_ptr<HeldUpload> hold(const std::shared_ptr<S3Store>& store, const std::string& upload_id) {
        if (!store->held_uploads.insert(upload_id).second) return nullptr;
        return std::make_unique<HeldUpload>(store, upload_id);
    }
    HeldUpload(std::shared_ptr<S3Store> store, std::string upload_id)
        : store_(std::move(store)), upload_id_(std::move(upload_id)) {}
    HeldUpload(const HeldUpload&) = delete;
    HeldUpload& operator=(const HeldUpload&) = delete;
    ~HeldUpload() { store_->held_uploads.erase(upload_id_); }

  private:
    std::shared_ptr<S3Store> store_;
    std::string upload_id_;
};

class S3Upload final : public Upload, public Placing {
  public:
    S3Upload(std::shared_ptr<S3Store> store, std::string key, PutOptions options, PartPlan plan, async::StopToken stop);
    // Goes on with an upload of which these parts, from the first without a gap, have arrived.
    void resume(std::string upload_id, std::unique_ptr<HeldUpload> held, const std::vector<ListedPart>& parts);

    [[nodiscard]] std::uint64_t begins_at() const noexcept override { return begins_at_; }
    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override;
    asio::awaitable<Receipt> finish(async::StopToken stop) override;
    [[nodiscard]] bool has_placed() const noexcept override { return placed_; }
    [[nodiscard]] std::string checkpoint() const override { return upload_id_; }
    asio::awaitable<void> suspend() override;
    asio::awaitable<void> abort() override;

  private:
    using Part = std::shared_ptr<S3Part>;
    class Sending;
    void open_part();
    asio::awaitable<void> close_part(async::StopToken stop);
    asio::awaitable<void> look_first(async::StopToken stop);
    asio::awaitable<std::optional<Entry>> head(async::StopToken stop);
    asio::awaitable<void> begin(async::StopToken stop);
    asio::awaitable<void> send_part(std::uint64_t number, Part part);
    asio::awaitable<http::Response> send_body(S3Call call, Part part, std::string hash, async::StopToken stop);
    asio::awaitable<http::Response> send_once(S3Call call, async::StopToken stop);
    asio::awaitable<void> put_whole(async::StopToken stop);
    asio::awaitable<void> complete(async::StopToken stop);
    asio::awaitable<bool> try_complete(async::StopToken stop);
    asio::awaitable<Entry> see_sent(async::StopToken stop);
    asio::awaitable<bool> is_complete(async::StopToken stop);
    asio::awaitable<void> wait_for_room(std::uint64_t most, async::StopToken stop);
    void add_conditions(S3Call& call) const;
    void add_storage(S3Call& call) const;
    void check() const;

    std::shared_ptr<S3Store> store_;
    std::string key_;
    PutOptions options_;
    PartPlan plan_;
    std::uint64_t at_once_;              // requests with a body at one time, at most
    std::uint64_t sending_ = 0;          // of them, those under way
    std::uint64_t since_throttled_ = 0;  // of them, those that went through
    std::string upload_id_;              // empty: not begun
    std::unique_ptr<HeldUpload> held_;
    std::uint64_t begins_at_ = 0;
    std::uint64_t sent_ = 0;  // in parts that were closed
    bool placed_ = false;     // the service said that it has the object
    Part part_;               // the one being filled
    std::vector<SentPart> parts_;
    std::uint64_t in_flight_ = 0;
    std::exception_ptr failure_;
    async::StopToken last_stop_;  // of the last call
    async::StopSource stop_;      // of the parts
    async::Event changed_;
    async::TaskGroup tasks_;
};

}  // namespace pgbakd::target
