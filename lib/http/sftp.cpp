#include "http/sftp.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "http/sftp_handle.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;

// A transfer of nothing, which only carries commands.
SftpHandle::Job commands(std::vector<std::string> lines) {
    return {.path = "/", .commands = std::move(lines)};
}

void check(const SftpHandle::Outcome& outcome) {
    if (outcome.error) throw Error(*outcome.error);
}

// One of libcurl's lines "name: number".
std::uint64_t number_of(std::string_view text, std::string_view name) {
    const auto found = text.find(name);
    if (found == std::string_view::npos) return 0;
    const auto digits = base::trim(text.substr(found + name.size(), 24));
    std::uint64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

}  // namespace

std::string origin_of(const SftpOptions& options) {
    const bool is_address = options.host.find(':') != std::string::npos;
    const auto port = options.port == 22 ? std::string() : fmt::format(":{}", options.port);
    return fmt::format("sftp://{}@{}{}{}{}", options.user, is_address ? "[" : "", options.host, is_address ? "]" : "",
                       port);
}

SftpSession::SftpSession(SftpOptions options) : handle_(std::make_unique<SftpHandle>(std::move(options))) {}

SftpSession::~SftpSession() = default;

std::optional<SftpStatus> SftpSession::look(const std::string& path, Interrupt& interrupt) {
    const auto outcome = handle_->perform({.path = path}, "looking at " + path, interrupt);
    if (outcome.error && outcome.error->code() == ErrorCode::not_found) return std::nullopt;
    check(outcome);
    return SftpStatus{.size = outcome.size.value_or(0),
                      .modified = outcome.modified.value_or(std::chrono::sys_seconds())};
}

bool SftpSession::is_directory(const std::string& path, Interrupt& interrupt) {
    // There is a "." in a directory, and below nothing else.
    const auto outcome = handle_->perform({.path = path + "/."}, "looking at " + path, interrupt);
    if (!outcome.error) return true;
    const auto code = outcome.error->code();
    if (outcome.refused && (code == ErrorCode::not_found || code == ErrorCode::server_error)) return false;
    throw Error(*outcome.error);
}

std::vector<std::string> SftpSession::list(const std::string& path, Lines lines, Interrupt& interrupt) {
    std::string text;
    const SftpHandle::Job job{.path = path.ends_with('/') ? path : path + "/",
                              .body = true,
                              .names_only = lines == Lines::names,
                              .text = &text};
    check(handle_->perform(job, "listing " + path, interrupt));
    std::vector<std::string> found;
    for (const auto line : base::split(text, '\n'))
        if (!line.empty()) found.emplace_back(line);
    return found;
}

std::size_t SftpSession::read(const std::string& path, std::uint64_t offset, std::span<std::byte> into,
                              Interrupt& interrupt) {
    if (into.empty()) return 0;
    const SftpHandle::Job job{.path = path, .body = true, .offset = offset, .into = into};
    const auto outcome = handle_->perform(job, "reading " + path, interrupt);
    check(outcome);
    return outcome.received;
}

void SftpSession::write(const std::string& path, std::uint64_t offset, std::span<const std::byte> bytes,
                        Interrupt& interrupt) {
    const SftpHandle::Job job{.path = path, .offset = offset, .to_write = bytes};
    check(handle_->perform(job, "writing " + path, interrupt));
}

void SftpSession::rename(const std::string& from, const std::string& to, Interrupt& interrupt) {
    const auto line = fmt::format("rename {} {}", SftpHandle::quoted(from), SftpHandle::quoted(to));
    check(handle_->perform(commands({line}), fmt::format("renaming {} to {}", from, to), interrupt));
}

void SftpSession::remove_file(const std::string& path, Interrupt& interrupt) {
    check(handle_->perform(commands({"rm " + SftpHandle::quoted(path)}), "removing " + path, interrupt));
}

void SftpSession::remove_directories(const std::vector<std::string>& paths, Interrupt& interrupt) {
    if (paths.empty()) return;
    std::vector<std::string> lines;
    lines.reserve(paths.size());
    for (const auto& path : paths) lines.push_back("rmdir " + SftpHandle::quoted(path));
    // libcurl ends at the first that fails, as one that is not empty does.
    const auto outcome = handle_->perform(commands(std::move(lines)), "removing " + paths.front(), interrupt);
    if (outcome.error && outcome.error->is_passing() && outcome.error->code() != ErrorCode::server_error)
        throw Error(*outcome.error);
}

void SftpSession::make_directories(const std::vector<std::string>& paths, Interrupt& interrupt) {
    if (paths.empty()) return;
    std::vector<std::string> lines;
    lines.reserve(paths.size());
    // The asterisk lets a command fail.
    for (const auto& path : paths) lines.push_back("*mkdir " + SftpHandle::quoted(path));
    check(handle_->perform(commands(std::move(lines)), "making directories in " + paths.front(), interrupt));
}

std::optional<SftpSpace> SftpSession::space(const std::string& path, Interrupt& interrupt) {
    std::string answers;
    auto job = commands({"statvfs " + SftpHandle::quoted(path)});
    job.answers = &answers;
    const auto outcome = handle_->perform(job, "asking for the space of " + path, interrupt);
    if (outcome.error && outcome.error->is_passing() && outcome.error->code() != ErrorCode::server_error)
        throw Error(*outcome.error);
    if (outcome.error) return std::nullopt;
    const auto block = number_of(answers, "f_frsize:");
    const auto available = number_of(answers, "f_bavail:");
    const auto blocks = number_of(answers, "f_blocks:");
    const auto used = blocks - std::min(blocks, number_of(answers, "f_bfree:"));
    // Bit 0 is that of a read-only file system: OpenSSH's PROTOCOL, 3.4.
    return SftpSpace{.total = (used + available) * block,
                     .available = available * block,
                     .read_only = (number_of(answers, "f_flag:") & 1U) != 0};
}

}  // namespace pgbakd::http
