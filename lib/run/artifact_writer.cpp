#include "run/artifact_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgbakd::run {
namespace {

// How much is written before the kernel is told to begin writing it to the disk: the fsync at the end then has little
// left to do, and the page cache is not filled with pages of a backup.
constexpr std::uint64_t writeback_step = std::uint64_t{8} << 20U;
constexpr std::size_t most_backlog = std::size_t{2} << 20U;  // bytes in a lane
constexpr std::size_t read_step = std::size_t{1} << 20U;

// The hash of the file as the disk holds it: what the cache keeps of it is dropped first.
std::string read_back(const std::filesystem::path& path, std::uint64_t bytes) {
    const auto file = os::open_for_reading(path);
    os::drop_from_cache(file, 0, bytes);
    codec::Sha256 hash;
    std::vector<std::byte> buffer(read_step);
    std::uint64_t total = 0;
    for (;;) {
        const auto count = os::read_some(file, buffer, path);
        if (count == 0) break;
        hash.update(std::span(buffer).first(count));
        os::drop_from_cache(file, total, count);
        total += count;
    }
    return hash.hex_digest();
}

}  // namespace

struct ArtifactWriter::State {
    std::optional<std::filesystem::path> path;
    os::Descriptor file;
    std::uint64_t written = 0;
    std::uint64_t written_back = 0;
    codec::Sha256 hash;
    std::unique_ptr<codec::Check> check;

    void write(codec::Bytes bytes) {
        if (path) os::write_all(file, bytes, *path);
        written += bytes.size();
        if (!path) return;
        if (written - written_back < writeback_step) return;
        os::start_writeback(file, written_back, written - written_back);
        // What was handed over a step ago is on the disk by now, or soon.
        if (written_back >= writeback_step) os::drop_from_cache(file, written_back - writeback_step, writeback_step);
        written_back = written;
    }
};

ArtifactWriter::ArtifactWriter(const asio::any_io_executor& executor, async::Pool& pool,
                               std::optional<std::filesystem::path> path, std::unique_ptr<codec::Check> check,
                               const std::function<void()>& on_failure,
                               const std::function<void(std::uint64_t)>& on_written)
    : pool_(pool),
      state_(std::make_unique<State>(State{std::move(path), {}, 0, 0, {}, std::move(check)})),
      progress_(executor),
      file_(
          executor, pool, [state = state_.get()](codec::Bytes bytes) { state->write(bytes); }, failed(on_failure),
          [this, on_written] {
              progress_.notify();
              if (on_written) on_written(state_->written);
          }),
      hash_(
          executor, pool, [state = state_.get()](codec::Bytes bytes) { state->hash.update(bytes); }, failed(on_failure),
          [this] { progress_.notify(); }),
      check_(
          executor, pool, [state = state_.get()](codec::Bytes bytes) { state->check->write(bytes).value(); },
          failed(on_failure), [this] { progress_.notify(); }) {}

std::function<void()> ArtifactWriter::failed(const std::function<void()>& on_failure) {
    return [this, on_failure] {
        progress_.notify();
        on_failure();
    };
}

ArtifactWriter::~ArtifactWriter() = default;

asio::awaitable<void> ArtifactWriter::open() {
    auto* state = state_.get();
    if (!state->path) co_return;
    const auto create_file = [state] { state->file = os::create_file(*state->path); };
    co_await async::run_blocking(pool_, create_file);
}

void ArtifactWriter::push_content(async::Chunk chunk) {
    check_.push(std::move(chunk));
}

void ArtifactWriter::push_file(async::Chunk chunk) {
    file_.push(chunk);
    hash_.push(std::move(chunk));
}

asio::awaitable<void> ArtifactWriter::wait_room(async::StopToken stop) {
    while (std::max({file_.backlog(), hash_.backlog(), check_.backlog()}) > most_backlog) co_await progress_.wait(stop);
}

asio::awaitable<WrittenArtifact> ArtifactWriter::finish(async::StopToken stop) {
    co_await rethrow_failure();
    stop.check();
    auto* state = state_.get();
    const auto reset = [state] {
        state->check->finish().value();
        if (state->path) os::sync_file(state->file, *state->path);
        state->file.reset();
    };
    co_await async::run_blocking(pool_, reset);
    stop.check();
    auto digest = state->hash.hex_digest();
    if (!state->path) co_return WrittenArtifact{state->written, std::move(digest), state->check->result()};
    const auto reread = [path = *state->path, bytes = state->written] { return read_back(path, bytes); };
    const auto found = co_await async::run_blocking(pool_, reread);
    if (found != digest)
        throw base::Error(base::ErrorCode::corrupt,
                          fmt::format("{} reads back differently than it was written", state->path->string()),
                          "check the disk (kernel messages, smartctl) and the memory of this host");
    co_return WrittenArtifact{state->written, std::move(digest), state->check->result()};
}

asio::awaitable<void> ArtifactWriter::rethrow_failure() {
    // A full disk is the cause of whatever else went wrong: the file first.
    co_await file_.drain();
    co_await hash_.drain();
    co_await check_.drain();
}

asio::awaitable<void> ArtifactWriter::quiesce() {
    co_await file_.quiesce();
    co_await hash_.quiesce();
    co_await check_.quiesce();
}

}  // namespace pgbakd::run
