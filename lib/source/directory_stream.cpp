#include "source/directory_stream.hpp"

#include <utility>

#include "async/child.hpp"
#include "async/directory_watch.hpp"
#include "async/event.hpp"
#include "os/file.hpp"
#include "source/filled_directory.hpp"
#include "source/program_stream.hpp"
#include "source/remarks.hpp"

namespace pgbakd::source {
namespace {

class DirectoryStream final : public Stream {
  public:
    DirectoryStream(asio::any_io_executor executor, async::Pool& pool, const os::Command& command,
                    std::filesystem::path directory, std::string what, bool verbose)
        : directory_(pool, std::move(directory)),
          what_(std::move(what)),
          remarks_(verbose),
          ended_(executor),
          watch_(watch(executor, directory_.path())),
          child_(std::move(executor), command, [this](const std::string& line) { remarks_.take(line); }) {}

    asio::awaitable<void> begun(async::StopToken stop) override {
        // The first file is the table of contents, which pg_dump writes when it holds the locks.
        const auto contents = directory_.path() / "toc.dat";
        std::error_code error;
        while (!directory_.is_open() && !std::filesystem::exists(contents, error)) {
            if (watch_)
                co_await watch_->changed(stop);
            else
                co_await ended_.wait(stop);
        }
    }

    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override {
        stop.check();
        if (!directory_.is_open()) co_await wait_for_dump(stop);
        co_return co_await directory_.read(into, stop);
    }

    asio::awaitable<void> finish(async::StopToken stop) override {
        stop.check();
        co_await directory_.remove();
    }

    [[nodiscard]] std::vector<std::string> remarks() const override { return remarks_.lines(); }

    asio::awaitable<void> abort() override {
        if (!directory_.is_open()) co_await child_.abort();
        co_await directory_.abandon();
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
            const auto& path = directory_.path();
            throw base::Error(os::with_space_left(error.during("writing " + path.native()), path));
        }
        const std::string first = "toc.dat";
        const std::string maker = "pg_dump";
        co_await directory_.open(directory_.path(), first, maker);
        ended_.notify();
    }

    FilledDirectory directory_;
    std::string what_;
    Remarks remarks_;
    async::Event ended_;
    std::unique_ptr<async::DirectoryWatch> watch_;
    async::Child child_;
};

}  // namespace

std::unique_ptr<Stream> open_directory_stream(asio::any_io_executor executor, async::Pool& pool,
                                              const os::Command& command, std::filesystem::path directory,
                                              std::string what, bool verbose) {
    return std::make_unique<DirectoryStream>(std::move(executor), pool, command, std::move(directory), std::move(what),
                                             verbose);
}

}  // namespace pgbakd::source
