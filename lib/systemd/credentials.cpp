#include "systemd/credentials.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/text.hpp"

namespace pgbakd::systemd {
namespace {

using base::Error;
using base::ErrorCode;

// As systemd has it (credential_name_valid() in src/shared/creds-util.c): a file name of printable ASCII without ":".
bool is_valid_name(std::string_view name) noexcept {
    constexpr std::size_t longest = 255;
    return !name.empty() && name.size() <= longest && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c < 0x7f && c != '/' && c != ':'; });
}

struct File {
    int number = -1;
    // A FIFO in the place of a credential must not make us wait.
    explicit File(const std::filesystem::path& path) noexcept
        : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (number >= 0) ::close(number);
    }
};

// The text grows nowhere once it is sized: no copies of a secret stay behind in freed memory.
base::Result<base::Secret> read_whole(const File& file, std::size_t size, const std::string& what) {
    std::string text(size, '\0');
    std::size_t length = 0;
    while (length < size) {
        const auto count = ::read(file.number, text.data() + length, size - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return base::error_from_errno(errno, "reading " + what);
        if (count == 0) break;
        length += static_cast<std::size_t>(count);
    }
    text.resize(length);
    return base::Secret(std::move(text));
}

}  // namespace

std::optional<std::filesystem::path> credentials_directory(const Environment& environment) {
    if (!environment.credentials_directory) return std::nullopt;
    std::filesystem::path directory(*environment.credentials_directory);
    if (!directory.is_absolute()) return std::nullopt;
    return directory;
}

base::Result<base::Secret> credential(std::string_view name, const Environment& environment) {
    if (!is_valid_name(name))
        return Error(ErrorCode::invalid_argument,
                     fmt::format("\"{}\" is no name of a credential", base::printable(base::clamp_utf8(name, 300))),
                     "use a file name of at most 255 letters, digits, \"-\", \"_\" and \".\"");
    const auto what = fmt::format("credential \"{}\"", name);
    const auto hint = fmt::format(
        "add LoadCredential={}:/path/to/file to the unit (systemctl edit pgbakd), then restart the service", name);

    const auto directory = credentials_directory(environment);
    if (!directory) return Error(ErrorCode::not_found, what + ": systemd handed over no credentials", hint);
    const File file(*directory / name);
    if (file.number < 0) {
        if (errno == ENOENT) return Error(ErrorCode::not_found, what + " does not exist", hint);
        return base::error_from_errno(errno, "opening " + what);
    }
    struct stat status {};
    if (::fstat(file.number, &status) != 0) return base::error_from_errno(errno, "reading " + what);
    if (!S_ISREG(status.st_mode)) return Error(ErrorCode::corrupt, what + " is not a regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > max_credential_bytes)
        return Error(ErrorCode::corrupt, what + " is larger than 1 MiB", "a credential holds one secret");
    return read_whole(file, size, what);
}

}  // namespace pgbakd::systemd
