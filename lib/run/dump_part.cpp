#include "run/dump_part.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/task_group.hpp"
#include "run/artifact_writer.hpp"
#include "run/parallel_archive.hpp"
#include "run/parallel_compressor.hpp"

namespace pgbakd::run {
namespace {

// Bytes that are not compressed here move in chunks of this size: large enough that handing them over costs nothing,
// small enough that sixteen of them are no memory.
constexpr std::size_t chunk_size = std::size_t{256} << 10U;
constexpr std::size_t chunks = 16;

// Fills one buffer from the stream; it is empty only at the end.
asio::awaitable<std::shared_ptr<std::vector<std::byte>>> fill(source::Stream& stream, async::BufferPool& buffers,
                                                              async::StopToken stop) {
    auto buffer = co_await buffers.take(stop);
    buffer->resize(buffers.size());
    std::size_t filled = 0;
    while (filled < buffer->size()) {
        const auto rest = std::span(*buffer).subspan(filled);
        const auto count = co_await stream.read(rest, stop);
        if (count == 0) break;
        filled += count;
    }
    buffer->resize(filled);
    co_return buffer;
}

bool is_compressed_here(const codec::Compression& compression) {
    return compression.method != codec::Method::none;
}

std::unique_ptr<codec::Check> check_of(source::OpenPart& open, const source::Part& part) {
    if (is_compressed_here(part.inner)) return codec::make_archive_frame_check();
    if (auto own = open.content_check()) return codec::make_check(std::move(own), part.outer.method);
    return codec::make_check(part.content, part.outer.method);
}

// What one attempt at a part holds together; its coroutines refer to it, and it outlives them.
class Attempt {
  public:
    Attempt(Services& services, std::unique_ptr<source::OpenPart> open, const source::Part& part,
            const std::optional<Cipher>& cipher, const std::filesystem::path& path, std::shared_ptr<Progress> progress,
            Storing storing, Changed changed, Follow follow, const async::StopToken& stop)
        : open_(std::move(open)),
          progress_(std::move(progress)),
          path_(path),
          changed_(changed),
          follow_(std::move(follow)),
          stop_(stop),
          count_stop_(stop),
          width_(compression_width(services)),
          compressor_(make_compressor(services, part, width_)),
          buffers_(services.executor, compressor_ ? width_ + 2 : chunks,
                   compressor_ ? codec::piece_size(part.outer) : chunk_size),
          writer_(
              services.executor, services.pool, storing == Storing::file ? std::optional(path) : std::nullopt,
              check_of(*open_, part), [this] { lane_failed(); },
              [this](std::uint64_t bytes) {
                  if (feed_) feed_->on_disk(bytes);
              }),
          cipher_(cipher),
          executor_(services.executor),
          encrypted_(services.executor, chunks, chunk_size),
          encrypting_(services.executor),
          looked_(services.executor),
          counting_(services.executor) {}

    asio::awaitable<WrittenArtifact> stream() {
        co_await writer_.open();
        if (follow_) feed_ = follow_(path_);
        looking_ = open_->witness() != nullptr;
        if (looking_) counting_.spawn(count(), [this](const std::exception_ptr& failure) { count_failure_ = failure; });
        // Not before: a program that cannot be started is unwound as any other failure.
        if (cipher_) {
            encryptor_ = encrypting_stage(executor_, *cipher_);
            const auto stop_all = [this](const std::exception_ptr& failure) { stop_.stop(base::to_error(failure)); };
            encrypting_.spawn(encryptor_->feed(stop_.token()), stop_all);
            encrypting_.spawn(take_encrypted(), stop_all);
        }
        co_await pump();
        // Before what was read is found to be incomplete: why the program ended is the better cause.
        co_await open_->stream().finish(stop_.token());
        if (compressor_) co_await flush();
        if (encryptor_) {
            encryptor_->close();
            co_await encrypting_.join();
            co_await encryptor_->finish(stop_.token());
        }
        while (looking_) co_await looked_.wait(stop_.token());
        stop_.token().check();
        auto written = co_await writer_.finish(stop_.token());
        if (const auto verified = compressor_ ? compressor_->verified_bytes() : std::nullopt)
            written.check.raw_bytes = *verified;
        co_await look_again();
        if (feed_) feed_->complete(written.bytes, written.sha256);
        co_return written;
    }

    // Nothing that the counting throws is lost: it is in count_failure_.
    asio::awaitable<void> finish_counting() {
        std::exception_ptr ignored;
        try {
            co_await counting_.join();
        } catch (...) {
            ignored = std::current_exception();
        }
    }

    // After stream() failed: everything ends, nothing is thrown.
    asio::awaitable<void> unwind() {
        const base::Error over(base::ErrorCode::cancelled, "the dump has ended");
        if (feed_) feed_->abandon();
        stop_.stop(over);
        count_stop_.stop(over);
        co_await open_->stream().abort();
        if (encryptor_) {
            co_await encryptor_->abort();
            co_await encrypting_.settle();
        }
        if (compressor_) co_await compressor_->quiesce();
        co_await writer_.quiesce();
        co_await finish_counting();
    }

    // The cause a lane has to tell, which comes before what its failure did to the others.
    asio::awaitable<void> rethrow_cause() {
        if (doubt_ && changed_ == Changed::fails) throw base::Error(*doubt_);
        if (lane_failed_) co_await writer_.rethrow_failure();
    }

    [[nodiscard]] source::OpenPart& open() const { return *open_; }
    [[nodiscard]] const std::optional<base::Error>& doubt() const noexcept { return doubt_; }
    // What the counting has to tell: the tables it left out, or why it failed.
    [[nodiscard]] const postgres::Counts& counts() const noexcept { return counts_; }
    [[nodiscard]] const std::exception_ptr& count_failure() const noexcept { return count_failure_; }

  private:
    static std::size_t compression_width(const Services& services) {
        const auto threads = services.limits.compression_threads;
        return threads > 0 ? static_cast<std::size_t>(threads) : services.cores;
    }

    // Null: what is read is what is kept.
    static std::unique_ptr<Compressor> make_compressor(const Services& services, const source::Part& part,
                                                       std::size_t width) {
        if (is_compressed_here(part.inner))
            return std::make_unique<ParallelArchive>(services.executor, services.pool, part.inner, width);
        if (is_compressed_here(part.outer))
            return std::make_unique<ParallelCompressor>(services.executor, services.pool, part.outer, width);
        return nullptr;
    }

    void lane_failed() {
        lane_failed_ = true;
        stop_.stop({base::ErrorCode::io_failed, "the artifact could not be written"});
    }

    // Whether all rows are in the dump is not certain.
    void in_doubt(base::Error doubt) {
        if (!doubt_) doubt_ = std::move(doubt);
        if (changed_ == Changed::fails) stop_.stop(*doubt_);
    }
    void not_told(const std::exception_ptr& failure) {
        in_doubt({base::ErrorCode::conflict,
                  "whether tables were changed while they were dumped could not be told: " +
                      base::to_error(failure).message(),
                  base::to_error(failure).hint(), base::Persistence::passing});
    }

    asio::awaitable<void> count() {
        const auto stop = count_stop_.token();
        std::exception_ptr failure;
        std::string changed;
        try {
            changed = co_await open_->witness()->changed_tables(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure && !stop.stopped()) not_told(failure);
        if (!changed.empty())
            in_doubt(
                {base::ErrorCode::conflict,
                 changed + " was truncated, rewritten or replaced just when it was dumped: its rows may be missing",
                 "move the schedule away from what changes tables", base::Persistence::passing});
        looking_ = false;
        looked_.notify();
        if (failure) std::rethrow_exception(failure);
        if (!stop_.stopped()) counts_ = co_await open_->witness()->count_rows(stop);
    }

    // pg_dump's locks do not hold the names of schemas.
    asio::awaitable<void> look_again() {
        auto* const witness = open_->witness();
        if (witness == nullptr) co_return;
        co_await finish_counting();
        const auto stop = stop_.token();
        stop.check();
        std::exception_ptr failure;
        std::string moved;
        try {
            moved = co_await witness->moved_schemas(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        stop.check();
        if (failure) not_told(failure);
        if (!moved.empty())
            in_doubt({base::ErrorCode::conflict,
                      "schema " + moved + " was renamed or replaced while the dump went on: rows may be missing",
                      "move the schedule away from what changes schemas", base::Persistence::passing});
        stop.check();
    }

    // Bytes as they are kept.
    void emit(async::Chunk chunk) {
        progress_->bytes += chunk->size();
        if (feed_) feed_->push(chunk);
        writer_.push_file(std::move(chunk));
    }

    asio::awaitable<void> take_encrypted() {
        for (;;) {
            auto buffer = co_await encrypted_.take(stop_.token());
            buffer->resize(encrypted_.size());
            const auto count = co_await encryptor_->read(*buffer, stop_.token());
            if (count == 0) co_return;
            buffer->resize(count);
            emit(std::move(buffer));
            if (feed_) co_await feed_->wait_room(stop_.token());
        }
    }

    // Bytes as they are before encryption.
    Compressor::Output out() {
        return [this](async::Chunk chunk) {
            writer_.push_content(chunk);
            if (encryptor_)
                encryptor_->push(std::move(chunk));
            else
                emit(std::move(chunk));
        };
    }

    asio::awaitable<void> flush() {
        const auto hand_on = out();
        co_await compressor_->flush(hand_on, stop_.token());
    }

    asio::awaitable<void> pump() {
        const auto hand_on = out();
        bool empty = true;
        for (;;) {
            auto chunk = co_await fill(open_->stream(), buffers_, stop_.token());
            const auto count = chunk->size();
            progress_->raw_bytes += count;
            // An empty stream still makes a file: its check will say that it is no dump.
            if (count == 0 && !empty) break;
            if (compressor_)
                co_await compressor_->push(std::move(chunk), hand_on, stop_.token());
            else if (count > 0)
                hand_on(std::move(chunk));
            // What is not compressed is bounded by its buffers.
            if (compressor_) co_await writer_.wait_room(stop_.token());
            if (encryptor_)
                co_await encryptor_->wait_room(stop_.token());
            else if (feed_)
                co_await feed_->wait_room(stop_.token());
            // While we do not read on pg_dump cannot end, but for what fits into a pipe, and let go of its locks.
            while (looking_) co_await looked_.wait(stop_.token());
            empty = false;
            if (count == 0) break;
        }
    }

    std::unique_ptr<source::OpenPart> open_;
    std::shared_ptr<Progress> progress_;
    std::filesystem::path path_;
    Changed changed_;
    Follow follow_;
    std::unique_ptr<Feed> feed_;
    async::StopSource stop_;
    async::StopSource count_stop_;
    std::size_t width_;
    std::unique_ptr<Compressor> compressor_;
    async::BufferPool buffers_;
    ArtifactWriter writer_;
    std::optional<Cipher> cipher_;
    asio::any_io_executor executor_;
    std::unique_ptr<cipher::Stage> encryptor_;  // null: nothing is encrypted
    async::BufferPool encrypted_;
    async::TaskGroup encrypting_;
    async::Event looked_;  // at the tables: see count()
    bool looking_ = false;
    std::optional<base::Error> doubt_;
    async::TaskGroup counting_;
    postgres::Counts counts_;
    std::exception_ptr count_failure_;
    bool lane_failed_ = false;
};

model::Artifact describe(const source::Part& part, const std::optional<Cipher>& cipher, const std::string& file,
                         const WrittenArtifact& written, base::Timestamp now) {
    model::Artifact artifact;
    artifact.file = file;
    artifact.kind = part.kind;
    artifact.database = part.database;
    artifact.format = part.format;
    artifact.bytes = written.bytes;
    artifact.raw_bytes = written.check.raw_bytes;
    artifact.sha256 = written.sha256;
    artifact.compression = codec::compression_text(part.compression);
    if (cipher) artifact.encryption = cipher->method;
    artifact.verified = model::Verification::decoded;
    artifact.verified_at = now;
    return artifact;
}

}  // namespace

asio::awaitable<DumpedPart> dump_part(Services& services, source::Source& source, source::Part part,
                                      std::optional<Cipher> cipher, std::filesystem::path directory, std::string file,
                                      std::shared_ptr<Progress> progress, Storing storing, Changed changed,
                                      Follow follow, async::StopToken stop) {
    const auto path = directory / file;
    const auto raw_before = progress->raw_bytes;
    const auto bytes_before = progress->bytes;
    auto open = co_await source.open(part, directory / (file + ".work"), stop);
    auto attempt = std::make_unique<Attempt>(services, std::move(open), part, cipher, path, progress, storing, changed,
                                             std::move(follow), stop);
    std::exception_ptr failure;
    WrittenArtifact written;
    try {
        written = co_await attempt->stream();
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await attempt->unwind();
        try {
            // An outer stop (cancel, deadline) is the cause itself; else what stopped the stream has a better one.
            stop.check();
            co_await attempt->rethrow_cause();
        } catch (...) {
            failure = std::current_exception();
        }
        progress->raw_bytes = raw_before;
        progress->bytes = bytes_before;
        attempt.reset();
        std::exception_ptr left;  // no reason to hide the cause; what stays here never gets into a set
        try {
            const auto remove_tree = [path] { os::remove_tree(path); };
            co_await async::run_blocking(services.pool, remove_tree);
        } catch (...) {
            left = std::current_exception();
        }
        std::rethrow_exception(failure);
    }
    DumpedPart dumped;
    dumped.artifact = describe(part, cipher, file, written, services.clock.now());
    dumped.facts = attempt->open().facts();
    if (dumped.facts) dumped.facts->database = part.database;
    for (const auto& remark : attempt->open().stream().remarks())
        dumped.notes.push_back(fmt::format("{}: {}", part.program, remark));
    dumped.doubt = attempt->doubt();
    if (!dumped.doubt) dumped.doubt = attempt->open().lacks();
    dumped.disturbed = attempt->open().is_disturbed();
    if (const auto& counts = attempt->counts(); !counts.left_out.empty())
        dumped.notes.push_back(
            fmt::format("the rows of {} in \"{}\" were not counted: {}", counts.left_out, part.database,
                        counts.cause.empty() ? "another session had locked or changed them" : counts.cause));
    if (const auto& uncounted = attempt->count_failure())
        dumped.notes.push_back(fmt::format("the rows of \"{}\" could not be counted: {}", part.database,
                                           base::to_error(uncounted).message()));
    stop.check();
    co_return dumped;
}

}  // namespace pgbakd::run
