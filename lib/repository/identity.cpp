// Which repository this is. A file system that is not mounted, or another disk in its place, looks like a repository
// whose sets are gone; the id tells them apart.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "os/file.hpp"
#include "repository/names.hpp"
#include "repository/repository.hpp"

namespace pgbakd::repository {
namespace {

constexpr std::string_view heading = "pgbakd-repository ";
constexpr std::size_t largest_file = 4096;
constexpr std::size_t longest_id = 64;

bool is_id(std::string_view text) {
    const auto is_plain = [](char c) { return base::is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    return !text.empty() && text.size() <= longest_id && std::all_of(text.begin(), text.end(), is_plain);
}

std::optional<std::string> read_identity(const std::filesystem::path& file) {
    try {
        const auto found = os::file_status(file);
        if (!found || !found->is_regular) return std::nullopt;
        const auto text = os::read_file(file, largest_file);
        std::string_view rest = text;
        if (!rest.starts_with(heading)) return std::nullopt;
        rest.remove_prefix(heading.size());
        if (rest.ends_with('\n')) rest.remove_suffix(1);
        if (is_id(rest)) return std::string(rest);
    } catch (const base::Error&) {
        // Who cannot be read is not known.
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> Repository::identity() const {
    return read_identity(directory_ / identity_name);
}

std::optional<std::string> Repository::identity(const std::string& job) const {
    return read_identity(job_directory(job) / identity_name);
}

bool Repository::has_directory(const std::string& job) const {
    return os::file_status(job_directory(job)).has_value();
}

void Repository::set_identity(const std::string& id) const {
    if (!is_id(id)) throw base::Error(base::ErrorCode::internal, fmt::format("\"{}\" is no id of a repository", id));
    const auto text = fmt::format("{}{}\n", heading, id);
    const auto write = [&text](const std::filesystem::path& file, const std::optional<std::string>& known,
                               const std::string& wanted) {
        if (known != wanted) os::replace_file(file, text);
    };
    // The top last: with it the repository is known. Where no set is, something may be mounted one day.
    for (const auto& job : jobs())
        if (!ids(job).empty()) write(job_directory(job) / identity_name, identity(job), id);
    write(directory_ / identity_name, identity(), id);
}

void Repository::make_job_directory(const std::string& job) const {
    const auto directory = job_directory(job);
    if (os::file_status(directory)) return;
    os::make_directories(directory);
    const auto id = identity();
    if (!id) return;
    try {
        os::replace_file(directory / identity_name, fmt::format("{}{}\n", heading, *id));
    } catch (const base::Error&) {
        // Then it is one that is not known, as those of before. What is wrong there the set itself will meet.
    }
}

}  // namespace pgbakd::repository
