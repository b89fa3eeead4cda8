#include "source/command_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/child.hpp"
#include "base/text.hpp"
#include "os/find_program.hpp"
#include "source/remarks.hpp"
#include "source/unpack.hpp"

namespace pgbakd::source {
namespace {

// Its arguments are nobody's business: people put secrets there.
std::string name_of(const model::CommandSource& source) {
    return std::filesystem::path(source.argv.front()).filename().string();
}

class CommandStream final : public Stream {
  public:
    CommandStream(asio::any_io_executor executor, const os::Command& command, std::string what,
                  std::vector<int> good_codes)
        : what_(std::move(what)),
          good_codes_(std::move(good_codes)),
          child_(std::move(executor), command, [this](const std::string& line) { remarks_.take(line); }) {}

    asio::awaitable<void> begun(async::StopToken /*stop*/) override { co_return; }
    asio::awaitable<std::size_t> read(std::span<std::byte> into, async::StopToken stop) override {
        const auto count = co_await child_.read(into, std::move(stop));
        wrote_ = wrote_ || count > 0;
        co_return count;
    }
    asio::awaitable<void> finish(async::StopToken stop) override {
        const auto ending = co_await child_.finish(std::move(stop));
        const bool good = ending.signal == 0 &&
                          std::find(good_codes_.begin(), good_codes_.end(), ending.exit_code) != good_codes_.end();
        const auto words = child_.error_text();
        if (!good)
            throw base::Error(base::ErrorCode::program_failed,
                              fmt::format("{} failed: {}{}{}", what_, ending.text(), words.empty() ? "" : ": ", words),
                              {},
                              // A program that was killed from outside may live next time.
                              ending.signal != 0 ? base::Persistence::passing : base::Persistence::lasting);
        if (!wrote_)
            throw base::Error(base::ErrorCode::program_failed,
                              fmt::format("{} ended well and wrote nothing to its standard output{}{}", what_,
                                          words.empty() ? "" : ": ", words),
                              "its arguments must send the backup to standard output, often by \"-\"");
    }
    [[nodiscard]] std::vector<std::string> remarks() const override { return remarks_.lines(); }
    asio::awaitable<void> abort() override { co_await child_.abort(); }

  private:
    std::string what_;
    std::vector<int> good_codes_;
    Remarks remarks_{false};
    bool wrote_ = false;
    async::Child child_;
};

class CommandPart final : public OpenPart {
  public:
    CommandPart(asio::any_io_executor executor, const os::Command& command, std::string what,
                std::vector<int> good_codes)
        : stream_(std::move(executor), command, std::move(what), std::move(good_codes)) {}
    [[nodiscard]] Stream& stream() noexcept override { return stream_; }

  private:
    CommandStream stream_;
};

}  // namespace

CommandSource::CommandSource(asio::any_io_executor executor, async::Pool& pool, Settings settings)
    : executor_(std::move(executor)), pool_(pool), settings_(std::move(settings)) {}

asio::awaitable<Prepared> CommandSource::prepare(async::StopToken stop) {
    stop.check();
    const auto& source = settings_.source;
    const auto find = [name = source.argv.front(), directories = settings_.search_path] {
        return os::find_program(name, directories);
    };
    const auto found = co_await async::run_blocking(pool_, find);
    if (!found)
        throw base::Error(base::ErrorCode::client_missing,
                          fmt::format("there is no program {}", base::printable(source.argv.front())),
                          "install it, or give its path; looked for in the PATH of the daemon, as its account");
    program_ = found->string();
    const auto look = [directory = source.working_directory] { return std::filesystem::is_directory(directory); };
    if (!co_await async::run_blocking(pool_, look))
        throw base::Error(base::ErrorCode::not_found,
                          fmt::format("the working directory {} is not there, or no directory",
                                      base::printable(source.working_directory.string())),
                          "make it, or correct working_directory");
    Prepared prepared;
    prepared.origin.type = "command";
    prepared.summary = program_;
    prepared.facts.push_back("program: " + program_);
    Part part;
    part.kind = "command";
    part.format = "raw";
    part.stem = settings_.job;
    part.program = name_of(source);
    part.content = codec::Content::raw;
    part.outer = settings_.compression;
    part.compression = settings_.compression;
    part.extension = fmt::format(".{}{}", source.extension, codec::file_extension(settings_.compression.method));
    prepared.parts.push_back(std::move(part));
    co_return prepared;
}

asio::awaitable<std::unique_ptr<OpenPart>> CommandSource::open(Part part, std::filesystem::path /*work*/,
                                                               async::StopToken stop) {
    stop.check();
    const auto& source = settings_.source;
    os::Command command;
    command.argv = source.argv;
    command.argv.front() = program_;
    command.environment = settings_.variables;
    command.working_directory = source.working_directory;
    command.nice = settings_.nice;
    co_return std::make_unique<CommandPart>(executor_, command, part.program, source.exit_codes);
}

// What a program starts elsewhere only it knows; what it started here dies with it.
asio::awaitable<std::size_t> CommandSource::end_leftovers(async::StopToken /*stop*/) {
    co_return 0;
}

std::vector<std::string> CommandSource::stock_restore(const model::BackupSet& set) const {
    std::vector<std::string> commands;
    for (const auto& artifact : set.artifacts) {
        auto command = unpack_command(artifact.file);
        if (!command.empty()) commands.push_back(std::move(command));
    }
    return commands;
}

}  // namespace pgbakd::source
