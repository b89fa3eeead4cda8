#include "target/rclone_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "target/key.hpp"
#include "target/live_upload.hpp"
#include "target/probe.hpp"
#include "target/rclone_remote.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_entries = 1000;

// Makes sure that a stream that ends early is not taken for a whole one.
class CheckedSink final : public Sink {
  public:
    explicit CheckedSink(Sink& inner) : inner_(inner) {}
    asio::awaitable<void> write(std::span<const std::byte> bytes, async::StopToken stop) override {
        count_ += bytes.size();
        return inner_.write(bytes, std::move(stop));
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  private:
    Sink& inner_;
    std::uint64_t count_ = 0;
};

class RcloneTarget final : public Target {
  public:
    RcloneTarget(RcloneOptions options, async::Pool& pool, const base::Clock& clock)
        : name_(options.name), clock_(clock), remote_(std::make_shared<RcloneRemote>(std::move(options), pool)) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override {
        const auto features = co_await remote_->features(std::move(stop));
        co_return Facts{.name = name_,
                        .type = "rclone",
                        .place = remote_->place(""),
                        .assurance = features.checksums ? Assurance::checksum : Assurance::size,
                        .exclusive = Exclusive::checked,
                        .resumable = false};
    }
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        stop.check();
        check_key(key).value();
        return begin_rclone_upload(remote_, std::move(key), std::move(options), std::move(stop));
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        check_key(key).value();
        // cat would print all of a directory, and nothing of what is not there.
        const auto entry = co_await remote_->stat(key, Detail::plain, stop);
        if (!entry) throw Error(ErrorCode::not_found, fmt::format("{} does not exist", remote_->place(key)));
        const auto rest = entry->size - std::min(entry->size, range.offset);
        const auto wanted = std::min(rest, range.length.value_or(rest));
        if (wanted == 0) co_return 0;
        CheckedSink checked(sink);
        range.length = wanted;
        co_await remote_->cat(key, range, checked, std::move(stop));
        if (checked.count() != wanted)
            throw Error(ErrorCode::unreachable,
                        fmt::format("{} of {} bytes of {} came", checked.count(), wanted, remote_->place(key)), {},
                        base::Persistence::passing);
        co_return wanted;
    }
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override {
        check_prefix(prefix).value();
        // rclone lists all or nothing. What the next page is asked for is kept, one listing's worth.
        if (cursor.empty() || kept_prefix_ != prefix || kept_cursor_ != cursor) {
            auto entries = co_await remote_->list(prefix, stop);
            std::erase_if(entries,
                          [&cursor](const Entry& entry) { return entry.key <= cursor || !check_key(entry.key); });
            // From the back, where they can be taken off.
            std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key > b.key; });
            kept_ = std::move(entries);
            kept_prefix_ = prefix;
        }
        Page page;
        for (limit = std::clamp<std::size_t>(limit, 1, most_entries); limit > 0 && !kept_.empty(); --limit) {
            page.entries.push_back(std::move(kept_.back()));
            kept_.pop_back();
        }
        if (!kept_.empty()) page.next = page.entries.back().key;
        kept_cursor_ = page.next;
        if (kept_.empty()) kept_.shrink_to_fit();
        co_return page;
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail detail, async::StopToken stop) override {
        check_key(key).value();
        return remote_->stat(std::move(key), detail, std::move(stop));
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        for (const auto& key : keys) check_key(key).value();
        std::vector<Refusal> refused;
        std::set<std::string> directories;
        for (const auto& key : keys) {
            try {
                co_await remote_->remove(key, stop);
                const auto end = key.rfind('/');
                if (end != std::string::npos) directories.insert(key.substr(0, end));
            } catch (const Error& error) {
                stop.check();
                // What stands in the way else is no property of the object: the next attempt may find it gone.
                if (error.code() != ErrorCode::permission_denied) throw;
                refused.push_back({key, error});
            }
        }
        const auto features = co_await remote_->features(stop);
        if (!features.directories) co_return refused;
        for (const auto& directory : directories) co_await remote_->remove_empty(directory, stop);
        co_return refused;
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        Swept swept;
        std::optional<base::Timestamp> limit;
        const auto entries = co_await remote_->list(std::string(uploads_folder) + "/", stop);
        for (const auto& entry : entries) {
            const bool live = LiveUpload::is_live(entry.key.substr(entry.key.rfind('/') + 1));
            if (live || entry.modified >= older_than) continue;
            if (!limit) {
                const auto there = co_await time_there(stop);
                limit = sweep_limit(older_than, clock_.now(), there);
            }
            if (entry.modified >= *limit) continue;
            co_await remote_->remove(entry.key, stop);
            ++swept.uploads;
            swept.bytes += entry.size;
        }
        co_return swept;
    }

    asio::awaitable<std::optional<Room>> room(async::StopToken stop) override { return remote_->room(std::move(stop)); }

  private:
    // What a client stores rclone dates by the client's clock where it can; a directory is dated by who has made it,
    // which is the place.
    asio::awaitable<base::Timestamp> time_there(async::StopToken stop) {
        const auto features = co_await remote_->features(stop);
        if (features.directories) {
            const auto name = upload_name();
            co_return co_await remote_->time_of_new_directory(name, stop);
        }
        co_return co_await place_time(*this, stop);
    }

    std::string name_;
    const base::Clock& clock_;
    std::shared_ptr<RcloneRemote> remote_;
    std::vector<Entry> kept_;  // what comes after kept_cursor_ under kept_prefix_, the last key first
    std::string kept_prefix_, kept_cursor_;
};

}  // namespace

std::shared_ptr<Target> make_rclone_target(RcloneOptions options, async::Pool& pool, const base::Clock& clock) {
    return std::make_shared<RcloneTarget>(std::move(options), pool, clock);
}

}  // namespace pgbakd::target
