#include "target/sftp_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "codec/sha256.hpp"
#include "target/key.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t most_tail = 1 << 20;
constexpr std::chrono::seconds abort_patience{60};
constexpr std::string_view checkpoint_version = "1";

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_hexadecimal(std::string_view text, std::size_t digits) {
    return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Appends what of the piece the file does not have yet. Nobody can write at an offset by libcurl, only append; so what
// an attempt that failed has left there is compared, and a file that is not ours to the last byte is given up.
void append(SftpStore& store, const std::string& name, std::uint64_t offset, std::span<const std::byte> piece,
            bool is_first_try, http::Interrupt& interrupt) {
    const auto key = SftpStore::upload_key(name);
    // The first piece makes the file anew each time.
    if (!is_first_try && offset > 0) {
        const auto status = store.look(key, interrupt);
        const auto size = status ? status->size : 0;
        std::vector<std::byte> there(size < offset ? 0 : std::min<std::uint64_t>(size - offset, piece.size()));
        const bool is_ours = size >= offset && size - offset <= piece.size() &&
                             store.read(key, offset, there, interrupt) == there.size() &&
                             std::ranges::equal(there, piece.first(there.size()));
        if (!is_ours)
            throw Error(ErrorCode::corrupt,
                        fmt::format("{}/{} has {} bytes, not all of which were sent by us, where it had {}",
                                    store.place(), key, size, offset),
                        "it is sent anew from the beginning", base::Persistence::passing);
        offset += there.size();
        piece = piece.subspan(there.size());
        if (piece.empty()) return;
    }
    store.write(key, offset, piece, interrupt);
}

}  // namespace

std::string print_checkpoint(const SftpCheckpoint& checkpoint) {
    return fmt::format("{} {} {} {} {}", checkpoint_version, checkpoint.name, checkpoint.length, checkpoint.tail,
                       checkpoint.tail_sha256);
}

std::optional<SftpCheckpoint> parse_checkpoint(std::string_view text) {
    const auto words = base::split(text, ' ');
    if (words.size() != 5 || words[0] != checkpoint_version || !is_hexadecimal(words[1], upload_name().size()) ||
        !is_hexadecimal(words[4], 64))
        return std::nullopt;
    const auto length = number_of(words[2]);
    const auto tail = number_of(words[3]);
    if (!length || !tail || *tail > *length || *tail > most_tail || *tail == 0) return std::nullopt;
    return SftpCheckpoint{
        .name = std::string(words[1]), .length = *length, .tail = *tail, .tail_sha256 = std::string(words[4])};
}

SftpUpload::SftpUpload(const asio::any_io_executor& executor, std::shared_ptr<SftpShared> shared, std::string key,
                       Existing existing, async::StopToken stop)
    : shared_(std::move(shared)),
      key_(std::move(key)),
      existing_(existing),
      last_stop_(std::move(stop)),
      changed_(executor),
      tasks_(executor) {
    arrived_.name = upload_name();
    live_ = std::make_unique<LiveUpload>(arrived_.name);
}

asio::awaitable<bool> SftpUpload::resume(SftpCheckpoint checkpoint, async::StopToken stop) {
    const auto most = shared_->store.options().piece_size;
    auto live = std::make_unique<LiveUpload>(checkpoint.name);  // a sweep has no business with it while we look
    const auto is_there = [checkpoint, most](SftpStore& store, http::Interrupt& interrupt) {
        const auto key = SftpStore::upload_key(checkpoint.name);
        const auto status = store.look(key, interrupt);
        // One piece may have arrived of which we were not told; what is sent next is compared with it.
        if (!status || status->size < checkpoint.length || status->size - checkpoint.length > most) return false;
        std::vector<std::byte> tail(checkpoint.tail);
        return store.read(key, checkpoint.length - checkpoint.tail, tail, interrupt) == tail.size() &&
               codec::sha256_hex(tail) == checkpoint.tail_sha256;
    };
    const bool found = co_await on_sftp_pool(shared_, is_there, stop);
    if (found) {
        begins_at_ = closed_ = checkpoint.length;
        arrived_ = std::move(checkpoint);
        live_ = std::move(live);
        first_try_ = false;
    } else {
        const auto discard = [name = checkpoint.name](SftpStore& store, http::Interrupt& interrupt) {
            store.discard(name, interrupt);
        };
        co_await on_sftp_pool(shared_, discard, stop);
    }
    co_return found;
}

void SftpUpload::check() const {
    if (failure_) std::rethrow_exception(failure_);
}

std::string SftpUpload::checkpoint() const {
    return arrived_.length == 0 ? std::string() : print_checkpoint(arrived_);
}

asio::awaitable<void> SftpUpload::write(async::Chunk chunk, async::StopToken stop) {
    last_stop_ = stop;
    const auto most = shared_->store.options().piece_size;
    std::span<const std::byte> rest(*chunk);
    while (!rest.empty()) {
        stop.check();
        check();
        if (!piece_) piece_ = std::make_shared<std::vector<std::byte>>();
        piece_->reserve(most);  // of address space: pages come as they are written
        const auto count = std::min<std::uint64_t>(rest.size(), most - piece_->size());
        piece_->insert(piece_->end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
        rest = rest.subspan(count);
        if (piece_->size() == most) co_await flush(stop);
    }
}

// Until nothing is being sent.
asio::awaitable<void> SftpUpload::idle(async::StopToken stop) {
    while (busy_) co_await changed_.wait(stop);
    check();
}

asio::awaitable<void> SftpUpload::flush(async::StopToken stop) {
    co_await idle(stop);
    const auto offset = closed_;
    closed_ += piece_->size();
    busy_ = true;
    tasks_.spawn(send(std::exchange(piece_, nullptr), offset));
}

asio::awaitable<void> SftpUpload::send(Piece piece, std::uint64_t offset) {
    const auto tail = std::min<std::uint64_t>(piece->size(), most_tail);
    const std::function<asio::awaitable<std::string>()> attempt = [this, piece, offset, tail] {
        const auto work = [piece, offset, tail, name = arrived_.name, is_first_try = first_try_](
                              SftpStore& store, http::Interrupt& interrupt) {
            append(store, name, offset, *piece, is_first_try, interrupt);
            return codec::sha256_hex(std::span(*piece).last(tail));
        };
        first_try_ = false;
        return on_sftp_pool(shared_, work, stop_.token());
    };
    try {
        auto hash = co_await retried(shared_->store.options().retry, attempt, stop_.token());
        arrived_.length = offset + piece->size();
        arrived_.tail = tail;
        arrived_.tail_sha256 = std::move(hash);
        first_try_ = true;
    } catch (...) {
        failure_ = std::current_exception();
    }
    busy_ = false;
    changed_.notify();
}

asio::awaitable<Receipt> SftpUpload::finish(async::StopToken stop) {
    last_stop_ = stop;
    stop.check();
    check();
    if (!piece_ && closed_ == 0) piece_ = std::make_shared<std::vector<std::byte>>();
    if (piece_) co_await flush(stop);
    co_await idle(stop);
    // Shared, since a server that hangs may be left behind.
    const auto place = [name = arrived_.name, key = key_, size = closed_, existing = existing_, placed = placed_](
                           SftpStore& store, http::Interrupt& interrupt) {
        return store.place_upload(name, key, size, existing, *placed, interrupt);
    };
    auto entry = co_await on_sftp_pool(shared_, place, stop);
    co_return Receipt{.entry = std::move(entry), .assurance = Assurance::size};
}

asio::awaitable<void> SftpUpload::end_sending() {
    stop_.stop({ErrorCode::cancelled, "the upload has ended"});
    co_await tasks_.join();  // no task of it throws
    piece_.reset();
}

asio::awaitable<void> SftpUpload::suspend() {
    co_await end_sending();
    live_.reset();
}

asio::awaitable<void> SftpUpload::abort() {
    co_await end_sending();
    const auto executor = co_await asio::this_coro::executor;
    const TidyingDeadline deadline(executor, last_stop_, abort_patience, "removing an upload");
    try {
        const auto discard = [name = arrived_.name](SftpStore& store, http::Interrupt& interrupt) {
            store.discard(name, interrupt);
        };
        co_await on_sftp_pool(shared_, discard, deadline.token());
    } catch (const Error&) {
        // sweep() finds it.
    }
}

}  // namespace pgbakd::target
