#include "target/directory_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/leaving.hpp"
#include "target/directory_files.hpp"
#include "target/key.hpp"
#include "target/placing.hpp"
#include "target/tidying.hpp"

namespace pgbakd::target {
namespace {

constexpr std::size_t read_bytes = 1 << 20;
constexpr std::size_t most_entries = 1000;
// For what is under way when a stop comes: it ends in that time unless it hangs.
constexpr std::chrono::seconds after_stop{1};

std::optional<MountRule> mount_rule(const DirectoryOptions& options) {
    if (!options.require_mount) return std::nullopt;
    return MountRule{options.path, options.mount_point, options.repository};
}

// What jobs on the pool use is shared with them: they may outlive the coroutine that waits for them.
struct Shared {
    Shared(DirectoryOptions options_, async::Pool& pool_)
        : options(std::move(options_)), files(options.path, mount_rule(options)), pool(pool_) {}
    DirectoryOptions options;
    DirectoryFiles files;
    async::Pool& pool;
};

async::Patience patience_for(const Shared& shared, std::string_view doing, async::StopToken stop) {
    return {.what = fmt::format("{} {}", doing, shared.options.path.native()),
            .stall = shared.options.stall_timeout,
            .after_stop = after_stop,
            .stop = std::move(stop)};
}

base::Error with_hint(const base::Error& error, const Shared& shared) {
    return {error.code(), error.message(), fmt::format("is the server behind {} up?", shared.options.path.native()),
            base::Persistence::passing};
}

// Runs work on the pool. What hangs is left behind, and nothing is begun before that has ended: whatever it does then,
// it does before all that comes.
template <class Work>
auto on_pool(std::shared_ptr<Shared> shared, Work work, std::string_view doing, async::StopToken stop)
    -> asio::awaitable<std::invoke_result_t<Work&, async::Waiting&>> {
    stop.check();
    if (shared->pool.left() > 0) {
        const base::Error error(base::ErrorCode::unreachable,
                                fmt::format("{} does not answer: what was begun there before still waits for it",
                                            shared->options.path.native()));
        throw with_hint(error, *shared);
    }
    auto patience = patience_for(*shared, doing, stop);
    std::exception_ptr failure;
    try {
        co_return co_await async::run_leaving(shared->pool, work, std::move(patience));
    } catch (const base::Error& error) {
        failure = std::current_exception();
        if (error.code() != base::ErrorCode::timed_out || stop.stopped()) throw;
    }
    throw with_hint(base::to_error(failure), *shared);
}

// Closing a file on a mount whose server is away hangs, too: it is the pool's.
template <class File>
std::shared_ptr<File> closed_on(async::Pool& pool, std::unique_ptr<File> file) {
    return {file.release(), [&pool](File* last) {
                pool.run([last] { delete last; });  // NOLINT(cppcoreguidelines-owning-memory)
            }};
}

class DirectoryUpload final : public Upload, public Placing {
  public:
    DirectoryUpload(std::shared_ptr<Shared> shared, std::string key, Existing existing,
                    std::unique_ptr<DirectoryFiles::Unfinished> upload)
        : shared_(std::move(shared)),
          key_(std::move(key)),
          existing_(existing),
          upload_(closed_on(shared_->pool, std::move(upload))) {}

    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        stop.check();
        const auto size = chunk->size();
        const auto append = [shared = shared_, upload = upload_, chunk = std::move(chunk),
                             offset = written_](async::Waiting&) {
            const Removal removal(shared, upload);
            shared->files.append(*upload, *chunk, offset);
        };
        co_await on_pool(shared_, append, "writing to", stop);
        written_ += size;
        stop.check();
    }
    asio::awaitable<Receipt> finish(async::StopToken stop) override {
        stop.check();
        const auto finish = [shared = shared_, upload = upload_, key = key_, size = written_,
                             existing = existing_](async::Waiting& waiting) {
            const Removal removal(shared, upload);
            return shared->files.finish(*upload, key, size, existing, waiting);
        };
        auto entry = co_await on_pool(shared_, finish, "finishing an upload to", stop);
        co_return Receipt{.entry = std::move(entry), .assurance = Assurance::size};
    }
    [[nodiscard]] bool has_placed() const noexcept override { return upload_->is_placed; }
    asio::awaitable<void> abort() override {
        upload_->given_up = true;
        // After a finish() that renamed it there is nothing of that name any more.
        const auto discard = [shared = shared_, upload = upload_](async::Waiting&) { shared->files.discard(*upload); };
        auto patience = patience_for(*shared_, "removing an upload from", {});
        patience.stall = std::min<std::chrono::milliseconds>(patience.stall, patience_after_stop);
        try {
            co_await async::run_leaving(shared_->pool, discard, std::move(patience));
        } catch (const base::Error&) {
            // What hangs removes it once it goes on, or sweep() does.
        }
    }

  private:
    // At the end of work that was left behind.
    class Removal {
      public:
        Removal(std::shared_ptr<Shared> shared, std::shared_ptr<DirectoryFiles::Unfinished> upload)
            : shared_(std::move(shared)), upload_(std::move(upload)) {}
        Removal(const Removal&) = delete;
        Removal& operator=(const Removal&) = delete;
        ~Removal() {
            if (upload_->given_up) shared_->files.discard(*upload_);
        }

      private:
        std::shared_ptr<Shared> shared_;
        std::shared_ptr<DirectoryFiles::Unfinished> upload_;
    };

    std::shared_ptr<Shared> shared_;
    std::string key_;
    Existing existing_;
    std::shared_ptr<DirectoryFiles::Unfinished> upload_;
    std::uint64_t written_ = 0;
};

class DirectoryTarget final : public Target {
  public:
    DirectoryTarget(DirectoryOptions options, async::Pool& pool, const base::Clock& clock)
        : shared_(std::make_shared<Shared>(std::move(options), pool)), clock_(clock) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override {
        stop.check();
        co_return Facts{.name = shared_->options.name,
                        .type = "directory",
                        .place = shared_->options.path.native(),
                        .assurance = Assurance::size,
                        .exclusive = Exclusive::atomic,
                        .resumable = false};
    }
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        check_key(key).value();
        const auto begin = [shared = shared_, key, existing = options.existing](async::Waiting& waiting) {
            return shared->files.begin(key, existing, waiting);
        };
        auto begun = co_await on_pool(shared_, begin, "beginning an upload to", stop);
        auto upload = std::make_unique<DirectoryUpload>(shared_, std::move(key), options.existing, std::move(begun));
        if (stop.stopped()) {
            co_await upload->abort();
            stop.check();
        }
        co_return upload;
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        check_key(key).value();
        const auto open = [shared = shared_, key](async::Waiting&) {
            return std::make_unique<const os::Descriptor>(shared->files.open(key));
        };
        auto opened = co_await on_pool(shared_, open, "opening an object of", stop);
        const auto file = closed_on(shared_->pool, std::move(opened));
        const auto buffer = std::make_shared<std::vector<std::byte>>(read_bytes);
        std::uint64_t done = 0;
        for (;;) {
            stop.check();
            const auto left = range.length ? *range.length - done : read_bytes;
            const auto into = std::span(*buffer).first(std::min<std::uint64_t>(left, read_bytes));
            if (into.empty()) break;
            const auto read = [shared = shared_, file, key, buffer, into, offset = range.offset + done](
                                  async::Waiting&) { return shared->files.read_at(*file, key, offset, into); };
            const auto count = co_await on_pool(shared_, read, "reading from", stop);
            if (count == 0) break;
            co_await sink.write(into.first(count), stop);
            done += count;
        }
        co_return done;
    }
    asio::awaitable<Page> list(std::string prefix, std::string cursor, std::size_t limit,
                               async::StopToken stop) override {
        stop.check();
        check_prefix(prefix).value();
        const auto walk = [shared = shared_, prefix, cursor, limit = std::clamp<std::size_t>(limit, 1, most_entries)](
                              async::Waiting& waiting) { return shared->files.list(prefix, cursor, limit, waiting); };
        auto page = co_await on_pool(shared_, walk, "listing", stop);
        stop.check();
        co_return page;
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail, async::StopToken stop) override {
        check_key(key).value();
        const auto look = [shared = shared_, key](async::Waiting&) { return shared->files.stat(key); };
        co_return co_await on_pool(shared_, look, "looking at", stop);
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        for (const auto& key : keys) check_key(key).value();
        const auto remove = [shared = shared_, keys = std::move(keys)](async::Waiting& waiting) {
            return shared->files.remove(keys, waiting);
        };
        co_return co_await on_pool(shared_, remove, "removing from", stop);
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        const auto sweep = [shared = shared_, older_than, now = clock_.now()](async::Waiting& waiting) {
            return shared->files.sweep(older_than, now, waiting);
        };
        co_return co_await on_pool(shared_, sweep, "sweeping", stop);
    }
    asio::awaitable<std::optional<Room>> room(async::StopToken stop) override {
        const auto ask = [shared = shared_](async::Waiting&) { return shared->files.room(); };
        const auto room = co_await on_pool(shared_, ask, "asking for the room of", stop);
        co_return room;
    }

  private:
    std::shared_ptr<Shared> shared_;
    const base::Clock& clock_;
};

}  // namespace

std::shared_ptr<Target> make_directory_target(DirectoryOptions options, async::Pool& pool, const base::Clock& clock) {
    if (!options.path.is_absolute())
        throw base::Error(base::ErrorCode::invalid_argument,
                          "the path of target " + options.name + " is not absolute: " + options.path.native());
    options.path = options.path.lexically_normal();
    if (!options.path.has_filename() && options.path.has_relative_path()) options.path = options.path.parent_path();
    return std::make_shared<DirectoryTarget>(std::move(options), pool, clock);
}

}  // namespace pgbakd::target
