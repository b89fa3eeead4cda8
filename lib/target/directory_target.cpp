#include "target/directory_target.hpp"

#include <algorithm>
#include <utility>

#include "target/directory_files.hpp"
#include "target/key.hpp"

namespace pgbakd::target {
namespace {

constexpr std::size_t read_bytes = 1 << 20;
constexpr std::size_t most_entries = 1000;

// What jobs on the pool use is shared with them: they may outlive the coroutine that waits for them.
class DirectoryUpload final : public Upload {
  public:
    DirectoryUpload(std::shared_ptr<DirectoryFiles> files, async::Pool& pool, std::string key, Existing existing,
                    DirectoryFiles::Unfinished upload)
        : files_(std::move(files)),
          pool_(pool),
          key_(std::move(key)),
          existing_(existing),
          upload_(std::make_shared<const DirectoryFiles::Unfinished>(std::move(upload))) {}

    asio::awaitable<void> write(async::Chunk chunk, async::StopToken stop) override {
        stop.check();
        const auto size = chunk->size();
        const auto append = [files = files_, upload = upload_, chunk = std::move(chunk), offset = written_] {
            files->append(*upload, *chunk, offset);
        };
        co_await async::run_blocking(pool_, append);
        written_ += size;
        stop.check();
    }
    asio::awaitable<Receipt> finish(async::StopToken stop) override {
        stop.check();
        const auto finish = [files = files_, upload = upload_, key = key_, size = written_, existing = existing_] {
            return files->finish(*upload, key, size, existing);
        };
        auto entry = co_await async::run_blocking(pool_, finish);
        co_return Receipt{.entry = std::move(entry), .assurance = Assurance::size};
    }
    asio::awaitable<void> abort() override {
        // After a finish() that renamed it there is nothing of that name any more.
        const auto discard = [files = files_, upload = upload_] { files->discard(upload->path); };
        co_await async::run_blocking(pool_, discard);
    }

  private:
    std::shared_ptr<DirectoryFiles> files_;
    async::Pool& pool_;
    std::string key_;
    Existing existing_;
    std::shared_ptr<const DirectoryFiles::Unfinished> upload_;
    std::uint64_t written_ = 0;
};

class DirectoryTarget final : public Target {
  public:
    DirectoryTarget(DirectoryOptions options, async::Pool& pool)
        : name_(std::move(options.name)),
          pool_(pool),
          files_(std::make_shared<DirectoryFiles>(std::move(options.path), options.require_mount)) {}

    asio::awaitable<Facts> facts(async::StopToken stop) override {
        stop.check();
        co_return Facts{.name = name_,
                        .type = "directory",
                        .place = files_->root().native(),
                        .assurance = Assurance::size,
                        .exclusive = Exclusive::atomic,
                        .resumable = false};
    }
    asio::awaitable<std::unique_ptr<Upload>> put(std::string key, PutOptions options, async::StopToken stop) override {
        stop.check();
        check_key(key).value();
        const auto begin = [files = files_, key, existing = options.existing] { return files->begin(key, existing); };
        auto upload = co_await async::run_blocking(pool_, begin);
        if (stop.stopped()) {
            const auto discard = [files = files_, path = upload.path] { files->discard(path); };
            co_await async::run_blocking(pool_, discard);
            stop.check();
        }
        co_return std::make_unique<DirectoryUpload>(files_, pool_, std::move(key), options.existing, std::move(upload));
    }
    asio::awaitable<std::uint64_t> get(std::string key, Range range, Sink& sink, async::StopToken stop) override {
        stop.check();
        check_key(key).value();
        const auto open = [files = files_, key] { return std::make_shared<const os::Descriptor>(files->open(key)); };
        const auto file = co_await async::run_blocking(pool_, open);
        const auto buffer = std::make_shared<std::vector<std::byte>>(read_bytes);
        std::uint64_t done = 0;
        for (;;) {
            stop.check();
            const auto left = range.length ? *range.length - done : read_bytes;
            const auto into = std::span(*buffer).first(std::min<std::uint64_t>(left, read_bytes));
            if (into.empty()) break;
            const auto read = [files = files_, file, key, buffer, into, offset = range.offset + done] {
                return files->read_at(*file, key, offset, into);
            };
            const auto count = co_await async::run_blocking(pool_, read);
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
        const auto walk = [files = files_, prefix, cursor, limit = std::clamp<std::size_t>(limit, 1, most_entries)] {
            return files->list(prefix, cursor, limit);
        };
        auto page = co_await async::run_blocking(pool_, walk);
        stop.check();
        co_return page;
    }
    asio::awaitable<std::optional<Entry>> stat(std::string key, Detail, async::StopToken stop) override {
        stop.check();
        check_key(key).value();
        const auto look = [files = files_, key] { return files->stat(key); };
        co_return co_await async::run_blocking(pool_, look);
    }
    asio::awaitable<std::vector<Refusal>> remove(std::vector<std::string> keys, async::StopToken stop) override {
        stop.check();
        for (const auto& key : keys) check_key(key).value();
        const auto remove = [files = files_, keys = std::move(keys)] { return files->remove(keys); };
        co_return co_await async::run_blocking(pool_, remove);
    }
    asio::awaitable<Swept> sweep(base::Timestamp older_than, async::StopToken stop) override {
        stop.check();
        const auto sweep = [files = files_, older_than] { return files->sweep(older_than); };
        co_return co_await async::run_blocking(pool_, sweep);
    }

  private:
    std::string name_;
    async::Pool& pool_;
    std::shared_ptr<DirectoryFiles> files_;
};

}  // namespace

std::shared_ptr<Target> make_directory_target(DirectoryOptions options, async::Pool& pool) {
    if (!options.path.is_absolute())
        throw base::Error(base::ErrorCode::invalid_argument,
                          "the path of target " + options.name + " is not absolute: " + options.path.native());
    options.path = options.path.lexically_normal();
    if (!options.path.has_filename() && options.path.has_relative_path()) options.path = options.path.parent_path();
    return std::make_shared<DirectoryTarget>(std::move(options), pool);
}

}  // namespace pgbakd::target
