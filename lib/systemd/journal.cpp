#define SD_JOURNAL_SUPPRESS_LOCATION  // CODE_FILE and CODE_LINE would name this file for every entry
#include "systemd/journal.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>

#include "base/text.hpp"

namespace pgbakd::systemd {
namespace {

// journald drops entries with a name it does not like, and those that begin with "_" are its own.
bool is_valid_name(std::string_view name) noexcept {
    constexpr std::size_t longest = 64;
    return !name.empty() && name.size() <= longest && name.front() >= 'A' && name.front() <= 'Z' &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return (c >= 'A' && c <= 'Z') || base::is_digit(c) || c == '_'; });
}

// Printable, but for its line ends.
std::string lines(std::string_view text, std::size_t limit) {
    const auto cut = base::clamp_utf8(text, limit);
    std::string result;
    for (const auto line : base::split(cut, '\n')) {
        if (line.data() != cut.data()) result += '\n';
        result += base::printable(line);
    }
    return result;
}

}  // namespace

Journal::Journal(std::string identifier) : identifier_(std::move(identifier)) {}

bool Journal::is_connected(int descriptor, const Environment& environment) noexcept {
    if (!environment.journal_stream) return false;
    const std::string_view text = *environment.journal_stream;
    const auto* const end = text.data() + text.size();
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    const auto first = std::from_chars(text.data(), end, device);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':') return false;
    const auto second = std::from_chars(first.ptr + 1, end, inode);
    if (second.ec != std::errc{} || second.ptr != end) return false;

    struct stat status {};
    return ::fstat(descriptor, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

bool Journal::connected_to_stderr(const Environment& environment) noexcept {
    return is_connected(STDERR_FILENO, environment);
}

std::vector<std::string> Journal::entry(Priority priority, std::string_view message, const std::optional<MessageId>& id,
                                        const std::vector<Field>& fields) const {
    std::vector<std::string> parts;
    parts.push_back("MESSAGE=" + lines(message, max_message_bytes));
    parts.push_back("PRIORITY=" + std::to_string(static_cast<int>(priority)));
    parts.push_back("SYSLOG_IDENTIFIER=" + identifier_);
    if (id) parts.push_back("MESSAGE_ID=" + std::string(id->id));
    for (const auto& field : fields) {
        if (parts.size() >= max_fields) break;
        if (is_valid_name(field.name)) parts.push_back(field.name + "=" + lines(field.value, max_value_bytes));
    }
    return parts;
}

bool Journal::send(Priority priority, std::string_view message, const std::optional<MessageId>& id,
                   const std::vector<Field>& fields) const noexcept try {
    auto parts = entry(priority, message, id, fields);
    std::vector<iovec> vectors;
    vectors.reserve(parts.size());
    for (auto& part : parts) vectors.push_back({part.data(), part.size()});
    return ::sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size())) == 0;
} catch (const std::exception&) {
    return false;
}

}  // namespace pgbakd::systemd
