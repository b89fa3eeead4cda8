#include "target/key.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "base/text.hpp"

namespace pgbakd::target {
namespace {

base::Error refuse(std::string_view key, std::string_view fact) {
    return {base::ErrorCode::invalid_argument,
            fmt::format("\"{}\" is no key of a target: {}", base::clamp_utf8(base::printable(key), 100), fact)};
}

}  // namespace

base::Status check_key(std::string_view key) {
    if (key.empty()) return refuse(key, "it is empty");
    if (key.size() > key_bytes) return refuse(key, fmt::format("it has more than {} bytes", key_bytes));
    // printable() replaces just what a key may not have.
    if (base::printable(key) != key) return refuse(key, "it has control characters or is not UTF-8");
    const auto segments = base::split(key, '/');
    for (const auto segment : segments) {
        if (segment.empty()) return refuse(key, "a segment is empty");
        if (segment == "." || segment == "..") return refuse(key, "a segment is \".\" or \"..\"");
        if (segment.size() > segment_bytes)
            return refuse(key, fmt::format("a segment has more than {} bytes", segment_bytes));
    }
    if (segments.front() == uploads_folder) return refuse(key, "that folder is for unfinished uploads");
    return {};
}

base::Status check_prefix(std::string_view prefix) {
    if (prefix.empty()) return {};
    if (!prefix.ends_with('/')) return refuse(prefix, "a prefix ends with \"/\"");
    return check_key(prefix.substr(0, prefix.size() - 1));
}

std::string upload_name() {
    std::array<std::uint64_t, 2> numbers{};
    if (::getrandom(numbers.data(), sizeof numbers, 0) != static_cast<ssize_t>(sizeof numbers))
        throw base::error_from_errno(errno, "naming an upload");
    return fmt::format("{:016x}{:016x}", numbers[0], numbers[1]);
}

}  // namespace pgbakd::target
