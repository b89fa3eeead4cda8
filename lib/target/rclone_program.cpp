#include "target/rclone_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/text.hpp"
#include "os/file.hpp"
#include "target/key.hpp"
#include "target/rclone_stall.hpp"
#include "target/whole.hpp"

namespace pgbakd::target {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t config_bytes = 4 << 20;
constexpr std::size_t text_bytes = 1 << 20;
constexpr std::size_t read_bytes = 256 << 10;
constexpr int slow_factor = 3;

constexpr std::string_view copy_prefix = "rclone-";
constexpr std::size_t copy_suffix_size = 32;  // of upload_name()
constexpr int copy_attempts = 10;

bool is_copy_name(std::string_view name) {
    if (!name.starts_with(copy_prefix) || name.size() != copy_prefix.size() + copy_suffix_size) return false;
    return name.find_first_not_of("0123456789abcdef", copy_prefix.size()) == std::string_view::npos;
}

// The kernel takes the lock from a process that ends, however it does; the programs it runs do not inherit it. Nothing
// where a living process has it, or where there is no directory of this user's.
os::Descriptor lock_copy(const std::filesystem::path& directory) {
    os::Descriptor held(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    struct stat there {};
    if (!held || ::fstat(held.get(), &found) != 0 || found.st_uid != ::geteuid()) return {};
    if (::flock(held.get(), LOCK_EX | LOCK_NB) != 0) return {};
    // Not one that was removed before the lock was ours.
    const bool is_there =
        ::lstat(directory.c_str(), &there) == 0 && there.st_dev == found.st_dev && there.st_ino == found.st_ino;
    return is_there ? std::move(held) : os::Descriptor();
}

// What cannot be removed now keeps nobody from working; the next one tries again.
void remove_left_copies(const std::filesystem::path& runtime_directory) noexcept {
    try {
        for (const auto& name : os::list_directory(runtime_directory)) {
            if (!is_copy_name(name)) continue;
            const auto held = lock_copy(runtime_directory / name);
            std::error_code ignored;
            if (held) std::filesystem::remove_all(runtime_directory / name, ignored);
        }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
    }
}

std::pair<std::filesystem::path, os::Descriptor> make_copy_directory(const std::filesystem::path& runtime_directory) {
    for (int attempt = 0; attempt < copy_attempts; ++attempt) {
        auto directory = runtime_directory / (std::string(copy_prefix) + upload_name());
        os::make_directories(directory);
        if (auto lock = lock_copy(directory)) return {std::move(directory), std::move(lock)};
        // Before it was locked another process took it for one that was left.
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }
    throw Error(ErrorCode::io_failed, fmt::format("no directory in {} can be locked", runtime_directory.native()));
}

}  // namespace

RcloneConfigCopy::RcloneConfigCopy(std::filesystem::path file, std::filesystem::path runtime_directory)
    : file_(std::move(file)), runtime_directory_(std::move(runtime_directory)) {}

RcloneConfigCopy::~RcloneConfigCopy() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

std::filesystem::path RcloneConfigCopy::refresh() {
    if (file_.empty()) return {};
    const std::lock_guard guard(mutex_);
    try {
        const auto status = os::target_status(file_);
        if (!status) throw Error(ErrorCode::not_found, fmt::format("{} does not exist", file_.native()));
        if (!directory_.empty() && status->inode == inode_ && status->changed_nanoseconds == changed_)
            return directory_ / "rclone.conf";
        const auto text = os::read_file(file_, config_bytes);
        if (directory_.empty()) {
            os::make_directories(runtime_directory_);
            remove_left_copies(runtime_directory_);
            auto [directory, lock] = make_copy_directory(runtime_directory_);
            lock_ = std::move(lock);
            directory_ = std::move(directory);
        }
        os::replace_file(directory_ / "rclone.conf", text);
        inode_ = status->inode;
        changed_ = status->changed_nanoseconds;
        return directory_ / "rclone.conf";
    } catch (const Error& error) {
        throw Error(ErrorCode::invalid_configuration, error.during("rclone's configuration").message(),
                    "config_file names a file that the daemon's user can read; `rclone config file` tells where it is");
    }
}

RcloneProgram::RcloneProgram(RcloneOptions options, async::Pool& pool)
    : options_(std::move(options)),
      pool_(pool),
      config_(std::make_shared<RcloneConfigCopy>(options_.config_file, options_.runtime_directory)) {
    if (options_.remote.empty() || options_.remote.front() == '-')
        throw Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no remote of rclone", options_.remote),
                    "a remote is a name of its configuration file, a colon and a path: gdrive:backups");
    if (!options_.program.is_absolute())
        throw Error(ErrorCode::invalid_argument, "rclone is named by its absolute path");
}

std::string RcloneProgram::place(std::string_view key) const {
    const bool joined = key.empty() || options_.remote.ends_with(':') || options_.remote.ends_with('/');
    return options_.remote + (joined ? "" : "/") + std::string(key);
}

asio::awaitable<os::Command> RcloneProgram::prepare(RcloneCall call) {
    const auto refresh = [config = config_] { return config->refresh(); };
    const auto config = co_await async::run_blocking(pool_, refresh);
    os::Command command;
    // --retries: one retry of ours around all is enough. --config "": rclone keeps it in memory, and looks at no file.
    command.argv = {options_.program.native(),
                    "--config",
                    config.native(),
                    "--ask-password=false",
                    "--retries",
                    "1",
                    "--low-level-retries",
                    "3",
                    "--stats",
                    "0",
                    "--log-level",
                    "NOTICE",
                    "--log-format",
                    "",
                    "--contimeout",
                    "20s",
                    "--timeout",
                    call.is_slow ? "10m" : "4m"};
    command.argv.insert(command.argv.end(), call.arguments.begin(), call.arguments.end());
    command.argv.emplace_back("--");
    command.argv.insert(command.argv.end(), call.places.begin(), call.places.end());
    command.environment = options_.environment;
    command.feed_input = call.feed_input;
    command.capture_output = !call.feed_input;
    co_return command;
}

std::chrono::milliseconds RcloneProgram::stall_timeout(bool is_slow) const noexcept {
    return is_slow ? slow_factor * options_.stall_timeout : options_.stall_timeout;
}

asio::awaitable<void> RcloneProgram::run(RcloneCall call, Sink& output, async::StopToken stop) {
    stop.check();
    const auto command = co_await prepare(call);
    async::Child child(co_await asio::this_coro::executor, command);
    std::exception_ptr failure;
    try {
        const auto executor = co_await asio::this_coro::executor;
        std::vector<std::byte> buffer(read_bytes);
        for (;;) {
            // Not of the time that whoever takes the output needs.
            const RcloneStall stall(executor, stop, stall_timeout(call.is_slow), child.pid(), call.what);
            const auto count = co_await child.read(buffer, stall.token());
            if (count == 0) break;
            co_await output.write(std::span(buffer).first(count), stop);
        }
        const RcloneStall stall(executor, stop, stall_timeout(call.is_slow), child.pid(), call.what);
        const auto ending = co_await child.finish(stall.token());
        if (!ending.good()) throw rclone_error(call.what, ending, child.error_lines());
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await child.abort();
        std::rethrow_exception(failure);
    }
}

asio::awaitable<std::string> RcloneProgram::text_of(RcloneCall call, async::StopToken stop) {
    TextSink text(text_bytes);
    co_await run(std::move(call), text, std::move(stop));
    co_return text.text();
}

base::Result<std::filesystem::path> find_rclone(std::string_view path_variable) {
    for (const auto directory : base::split(path_variable, ':')) {
        if (!directory.starts_with('/')) continue;
        const auto program = std::filesystem::path(directory) / "rclone";
        if (::access(program.c_str(), X_OK) == 0) return program;
    }
    return Error(ErrorCode::client_missing, "rclone is not installed", "apt install rclone");
}

}  // namespace pgbakd::target
