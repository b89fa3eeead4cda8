#include "source/directory_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "async/child.hpp"
#include "async/directory_watch.hpp"
#include "async/event.hpp"
#include "os/file.hpp"
#include "source/directory_tar.hpp"
#include "source/program_stream.hpp"
#include "source/remarks.hpp"

namespace pgbakd::source {
namespace {

class DirectoryStream final : public Stream {
  public:
    DirectoryStream(asio::any_io_executor executor, async::Pool& pool, const os::Command& command,
                    std::filesystem::path directory, std::string what, bool verbose)
        : pool_(pool),
          directory_(std::move(directory)),
          what_(std::move(what)),
          remarks_(verbose),
          ended_(executor),
          watch_(watch(executor, directory_)),
          child_(std::move(executor), command, [this](const std::string& line) { remarks_.take(line); }) {}

    asio::awaitable<void> begun(async::StopToken stop) override {
        // The first file is the table of contents, which pg_dump writes when it holds the locks.
        const auto contents = directory_ / "toc.dat";
        std::error_code error;
        while (!reader_ && !std::filesystem::exists(contents, error)) {
            if (watch_)
                co_await watch_->changed(stop);
            else
                co_await ended_.wait(stop);
        }
    }

    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override {
        stop.check();
        if (!reader_) co_await wait_for_dump(stop);
        if (offset_ == piece_.size()) {
            const auto next = [reader = reader_] { return reader->next(); };
            piece_ = co_await async::run_blocking(pool_, next);
            offset_ = 0;
            stop.check();
        }
        const auto count = std::min(into.size(), piece_.size() - offset_);
        if (count > 0) std::memcpy(into.data(), piece_.data() + offset_, count);
        offset_ += count;
        co_return count;
    }

    asio::awaitable<void> finish(async::StopToken stop) override {
        stop.check();
        const auto remove_tree = [directory = directory_] { os::remove_tree(directory); };
        co_await async::run_blocking(pool_, remove_tree);
    }

    [[nodiscard]] std::vector<std::string> remarks() const override { return remarks_.lines(); }

    asio::awaitable<void> abort() override {
        if (!reader_) co_await child_.abort();
        reader_.reset();
        std::exception_ptr ignored;  // what stays here never gets into a set: see run/execute.cpp
        try {
            const auto remove_tree = [directory = directory_] { os::remove_tree(directory); };
            co_await async::run_blocking(pool_, remove_tree);
        } catch (...) {
            ignored = std::current_exception();
        }
    }

  private:
    // Null where the system has no watches left, which is no reason for a dump to fail: its end is told too.
    static std::unique_ptr<async::DirectoryWatch> watch(const asio::any_io_executor& executor,
                                                        const std::filesystem::path& directory) {
        try {
            auto watch = std::make_unique<async::DirectoryWatch>(executor);
            watch->add(directory);
            return watch;
        } catch (const base::Error&) {
            return nullptr;
        }
    }

    asio::awaitable<void> wait_for_dump(async::StopToken stop) {
        const auto ending = co_await child_.finish(stop);
        try {
            check_ending(what_, child_, ending);
        } catch (const base::Error& error) {
            if (error.code() != base::ErrorCode::no_space) throw;
            // pg_dump tells no more than "No space left on device": where, and what is left there, is known here.
            throw base::Error(os::with_space_left(error.during("writing " + directory_.native()), directory_));
        }
        const auto open_tar = [directory = directory_] {
            return std::make_shared<DirectoryTar>(directory, "toc.dat", "pg_dump");
        };
        reader_ = co_await async::run_blocking(pool_, open_tar);
        ended_.notify();
    }

    async::Pool& pool_;
    std::filesystem::path directory_;
    std::string what_;
    Remarks remarks_;
    async::Event ended_;
    std::unique_ptr<async::DirectoryWatch> watch_;
    async::Child child_;
    std::shared_ptr<DirectoryTar> reader_;
    std::vector<std::byte> piece_;
    std::size_t offset_ = 0;
};

}  // namespace

std::unique_ptr<Stream> open_directory_stream(asio::any_io_executor executor, async::Pool& pool,
                                              const os::Command& command, std::filesystem::path directory,
                                              std::string what, bool verbose) {
    return std::make_unique<DirectoryStream>(std::move(executor), pool, command, std::move(directory), std::move(what),
                                             verbose);
}

}  // namespace pgbakd::source
