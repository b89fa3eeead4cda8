#include "offsite/send_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "async/lane.hpp"
#include "async/task_group.hpp"
#include "codec/sha256.hpp"
#include "target/placing.hpp"
#include "target/whole.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::uint64_t chunk_size = std::uint64_t{1} << 20U;
// Hashed where it is: to hand it to another thread and back takes as long.
constexpr std::size_t little = std::size_t{64} << 10U;

// Of the whole file, read for its own sake.
asio::awaitable<std::string> hash_of(std::shared_ptr<Growing> file, async::Pool& pool, async::StopToken stop) {
    const auto reading = co_await file->open(pool);
    const auto hash = std::make_shared<codec::Sha256>();
    for (std::uint64_t offset = 0;;) {
        stop.check();
        const auto available = co_await file->wait_beyond(offset, stop);
        if (available <= offset) break;
        const auto count = static_cast<std::size_t>(std::min(available - offset, chunk_size));
        const auto chunk = co_await reading->read(offset, count);
        const auto update = [hash, chunk] { hash->update(*chunk); };
        co_await async::run_blocking(pool, update);
        offset += chunk->size();
    }
    co_return hash->hex_digest();
}

// One attempt; lives as long as it takes.
class Sending {
  public:
    Sending(const asio::any_io_executor& executor, Means means, std::shared_ptr<Growing> file, std::string key,
            SendOptions options, const async::StopToken& stop)
        : means_(std::move(means)),
          file_(std::move(file)),
          key_(std::move(key)),
          options_(std::move(options)),
          lane_(
              executor, means_.pool, [this](std::span<const std::byte> bytes) { hash_.update(bytes); }, [] {}),
          beside_stop_(stop),
          beside_(executor) {}

    asio::awaitable<Assured> run(async::StopToken stop) {
        reading_ = co_await file_->open(means_.pool);
        std::exception_ptr failure;
        target::Receipt receipt;
        try {
            receipt = co_await upload(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        co_await end_hashing();
        if (failure) {
            const auto error = base::to_error(failure);
            co_await let_go(error, stop);
            // The answer may be all that was lost. What is kept nowhere cannot be sent once more, to find that out.
            const bool unanswered = finishing_ && error.is_passing() && !file_->is_kept() && !stop.stopped();
            if (unanswered) co_return co_await accept_if_same(error, stop);
            if (error.code() != base::ErrorCode::conflict) std::rethrow_exception(failure);
            // What is kept nowhere cannot be compared before all of it was read.
            if (!file_->is_kept() && !file_->length()) std::rethrow_exception(failure);
            co_return co_await accept_if_same(error, stop);
        }
        co_return co_await assure(receipt, stop);
    }

  private:
    asio::awaitable<target::Receipt> upload(async::StopToken stop) {
        target::PutOptions put;
        put.existing = options_.existing;
        put.checkpoint = options_.checkpoint;
        put.size = file_->length();
        put.guess = file_->guess;
        put.ask_after = options_.ask_after;
        upload_ = co_await means_.target.put(key_, put, stop);
        if (options_.on_begin) options_.on_begin();
        std::uint64_t offset = upload_->begins_at();
        tell_checkpoint();
        resumed_ = offset > 0;
        if (resumed_) beside_.spawn(hash_beside(beside_stop_.token()));
        for (;;) {
            const auto available = co_await file_->wait_beyond(offset, stop);
            if (available <= offset) break;
            const auto count = static_cast<std::size_t>(std::min(available - offset, chunk_size));
            const auto chunk = co_await reading_->read(offset, count);
            if (!resumed_) begin_hashing(chunk);
            co_await upload_->write(chunk, stop);
            co_await lane_.drain();
            offset += chunk->size();
            tell_checkpoint();
        }
        length_ = co_await file_->wait_complete(stop);
        if (offset != length_)
            throw base::Error(base::ErrorCode::corrupt,
                              fmt::format("the target claims {} bytes of {} from before", offset, length_));
        co_await beside_.join();
        if (!resumed_) digest_ = hash_.hex_digest();
        check_hash();
        finishing_ = true;
        if (options_.on_finish) options_.on_finish();
        std::exception_ptr failure;
        target::Receipt receipt;
        try {
            receipt = co_await upload_->finish(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        const bool placed = !failure || target::has_placed(*upload_);
        if (placed && options_.on_placed) options_.on_placed();
        if (failure) std::rethrow_exception(failure);
        upload_.reset();
        co_return receipt;
    }

    void begin_hashing(const async::Chunk& chunk) {
        if (chunk->size() <= little)
            hash_.update(*chunk);
        else
            lane_.push(chunk);
    }

    // What arrived before is not read here, and may be much: it is hashed while the rest is sent, so that no server
    // waits for it.
    asio::awaitable<void> hash_beside(async::StopToken stop) { digest_ = co_await hash_of(file_, means_.pool, stop); }

    asio::awaitable<void> end_hashing() {
        co_await lane_.quiesce();
        beside_stop_.stop({base::ErrorCode::cancelled, "the upload is over"});
        co_await beside_.settle();  // if it is the upload's failure, that was told
    }

    void check_hash() const {
        const auto& expected = file_->sha256();
        if (expected.empty() || digest_ == expected) return;
        file_->set_spoiled();
        throw base::Error(
            base::ErrorCode::corrupt,
            fmt::format("{} reads otherwise than it was written: its SHA-256 is another one", file_->name()));
    }

    void tell_checkpoint() {
        auto checkpoint = upload_->checkpoint();
        if (checkpoint == told_) return;
        told_ = std::move(checkpoint);
        if (options_.on_checkpoint) options_.on_checkpoint(told_);
    }

    // What arrived is of use to a later attempt, unless there will be none.
    asio::awaitable<void> let_go(const base::Error& error, const async::StopToken& stop) {
        if (!upload_) co_return;
        const bool over = error.code() == base::ErrorCode::conflict || error.code() == base::ErrorCode::corrupt ||
                          !file_->may_be_sent_later(stop.stopped());
        if (over)
            co_await upload_->abort();
        else
            co_await upload_->suspend();
        upload_.reset();
    }

    // The answer to this attempt or an earlier one may have been lost: then what is there is ours.
    asio::awaitable<Assured> accept_if_same(base::Error otherwise, async::StopToken stop) {
        length_ = co_await file_->wait_complete(stop);
        if (file_->is_kept() && !file_->sha256().empty()) {
            digest_ = co_await hash_of(file_, means_.pool, stop);
            check_hash();
        }
        const auto found = co_await means_.target.stat(key_, target::Detail::plain, stop);
        if (found && found->size < length_) co_await tell_half(found->size, stop);
        if (!found || found->size != length_) throw base::Error(otherwise);
        std::exception_ptr failure;
        try {
            co_await read_back(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return Assured::read_back;
        if (base::to_error(failure).code() == base::ErrorCode::corrupt) throw base::Error(otherwise);
        std::rethrow_exception(failure);
    }

    asio::awaitable<void> tell_half(std::uint64_t size, async::StopToken stop) {
        try {
            co_await reading_->compare(means_.target, key_, size, means_.random, stop);
        } catch (const base::Error& error) {
            if (error.code() == base::ErrorCode::corrupt) co_return;
            throw;
        }
        if (options_.on_half) options_.on_half();
    }

    asio::awaitable<Assured> assure(const target::Receipt& receipt, async::StopToken stop) {
        if (receipt.assurance == target::Assurance::checksum) co_return Assured::checksum;
        // What is read tells the size too.
        std::exception_ptr failure;
        try {
            co_await read_back(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (!failure) co_return Assured::read_back;
        if (base::to_error(failure).code() != base::ErrorCode::not_found) std::rethrow_exception(failure);
        throw base::Error(base::ErrorCode::corrupt, fmt::format("the target holds nothing of {} bytes sent", length_));
    }

    asio::awaitable<void> read_back(async::StopToken stop) {
        return reading_->compare(means_.target, key_, length_, means_.random, std::move(stop));
    }

    Means means_;
    std::shared_ptr<Growing> file_;
    std::string key_;
    SendOptions options_;
    std::unique_ptr<Reading> reading_;
    std::unique_ptr<target::Upload> upload_;
    std::string told_;
    std::uint64_t length_ = 0;
    codec::Sha256 hash_;  // of what is read to be sent
    async::Lane lane_;
    bool finishing_ = false;  // its object may have appeared
    bool resumed_ = false;    // then the file is hashed beside
    async::StopSource beside_stop_;
    async::TaskGroup beside_;
    std::string digest_;
};

}  // namespace

std::string_view assured_text(Assured assured) noexcept {
    return assured == Assured::checksum ? "checksum" : "read back";
}

asio::awaitable<Assured> send_file(Means means, std::shared_ptr<Growing> file, std::string key, SendOptions options,
                                   async::StopToken stop) {
    const auto executor = co_await asio::this_coro::executor;
    const auto sending = std::make_unique<Sending>(executor, std::move(means), std::move(file), std::move(key),
                                                   std::move(options), stop);
    co_return co_await sending->run(std::move(stop));
}

asio::awaitable<void> send_text(target::Target& target, std::string key, std::string text, target::PutOptions options,
                                async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_await target::put_text(target, key, text, options, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) co_return;
    if (base::to_error(failure).code() != base::ErrorCode::conflict) std::rethrow_exception(failure);
    bool same = false;
    try {
        same = co_await target::get_text(target, key, text.size(), stop) == text;
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::corrupt) throw;  // a longer one is another one
    }
    if (!same) std::rethrow_exception(failure);
}

}  // namespace pgbakd::offsite
