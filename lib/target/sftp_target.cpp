#include "target/sftp_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "target/key.hpp"
#include "target/sftp_upload.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;
using http::Interrupt;

constexpr std::size_t read_bytes = 4 << 20;  // asked for at once: each time costs a few ways to the server and back
constexpr std::size_t sink_bytes = 1 << 20;  // handed on at once
constexpr std::size_t most_entries = 1000;

class SftpTarget final : public Target {
  public:
    SftpTarget(SftpTargetOptions options, async::Pool& pool, const base::Clock& clock)
        : shared_(std::make_shared<SftpShared>(std::move(options), pool, clock)) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override {
        stop.check();
        // OpenSSH refuses a name that exists while it renames; another server may look first, and which one it is
        // libcurl does not tell.
        co_return Facts{.name = shared_->store.options().name,
                        .type = "sftp",
                        .place = shared_->store.place(),
                        .assurance = Assurance::size,
                        .exclusive = Exclusive::checked,
                        .resumable = true};
    }
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        stop.check();
        check_key(key).value();
        if (options.existing == Existing::refuse) {
            const auto refuse = [key](SftpStore& store, Interrupt& interrupt) {
                store.refuse_existing(key, interrupt);
            };
            co_await on_sftp_pool(shared_, refuse, stop);
        }
        const auto executor = co_await asio::this_coro::executor;
        auto upload = std::make_unique<SftpUpload>(executor, shared_, key, options.existing, stop);
        auto checkpoint = parse_checkpoint(options.checkpoint);
        if (checkpoint) co_await upload->resume(std::move(*checkpoint), stop);
        co_return upload;
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        check_key(key).value();
        const auto entry = co_await stat(key, Detail::plain, stop);
        if (!entry)
            throw Error(ErrorCode::not_found, fmt::format("{} does not exist in {}", key, shared_->store.place()));
        const auto rest = entry->size - std::min(entry->size, range.offset);
        const auto wanted = std::min(rest, range.length.value_or(rest));
        const auto buffer = std::make_shared<std::vector<std::byte>>(std::min<std::uint64_t>(wanted, read_bytes));
        for (std::uint64_t done = 0; done < wanted;) {
            const auto size = std::min<std::uint64_t>(wanted - done, buffer->size());
            const auto read = [key, buffer, size, offset = range.offset + done](SftpStore& store,
                                                                                Interrupt& interrupt) {
                return store.read(key, offset, std::span(*buffer).first(size), interrupt);
            };
            const auto count = co_await on_sftp_pool(shared_, read, stop);
            if (count != size)
                throw Error(
                    ErrorCode::unreachable,
                    fmt::format("{} of {} bytes of {} came from {}", done + count, wanted, key, shared_->store.place()),
                    "was it removed or replaced meanwhile?", base::Persistence::passing);
            for (std::size_t at = 0; at < size; at += sink_bytes) {
                stop.check();
                co_await sink.write(std::span(*buffer).subspan(at, std::min<std::size_t>(sink_bytes, size - at)), stop);
            }
            done += size;
        }
        co_return wanted;
    }
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override {
        stop.check();
        check_prefix(prefix).value();
        const auto list = [prefix, cursor, limit = std::clamp<std::size_t>(limit, 1, most_entries)](
                              SftpStore& store, Interrupt& interrupt) {
            return store.list(prefix, cursor, limit, interrupt);
        };
        co_return co_await on_sftp_pool(shared_, list, stop);
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail /*detail*/, async::StopToken stop) override {
        stop.check();
        check_key(key).value();
        const auto look = [key](SftpStore& store, Interrupt& interrupt) { return store.stat(key, interrupt); };
        co_return co_await on_sftp_pool(shared_, look, stop);
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        stop.check();
        for (const auto& key : keys) check_key(key).value();
        const auto remove = [keys](SftpStore& store, Interrupt& interrupt) { return store.remove(keys, interrupt); };
        co_return co_await on_sftp_pool(shared_, remove, stop);
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        const auto sweep = [older_than](SftpStore& store, Interrupt& interrupt) {
            return store.sweep(older_than, interrupt);
        };
        co_return co_await on_sftp_pool(shared_, sweep, stop);
    }
    asio::awaitable<std::optional<Room>> room(async::StopToken stop) override {
        const auto ask = [](SftpStore& store, Interrupt& interrupt) { return store.space(interrupt); };
        const auto space = co_await on_sftp_pool(shared_, ask, stop);
        std::optional<Room> room;
        if (space) room = Room{.total = space->total, .available = space->available};
        co_return room;
    }

  private:
    std::shared_ptr<SftpShared> shared_;
};

}  // namespace

std::shared_ptr<Target> make_sftp_target(SftpTargetOptions options, async::Pool& pool, const base::Clock& clock) {
    const auto& server = options.server;
    if (server.host.empty() || server.user.empty() || server.known_hosts.empty())
        throw Error(ErrorCode::invalid_argument,
                    "target " + options.name + " needs a host, a user and a known_hosts file");
    return std::make_shared<SftpTarget>(std::move(options), pool, clock);
}

}  // namespace pgbakd::target
