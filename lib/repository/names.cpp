#include "repository/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.hpp"
#include "model/names.hpp"

namespace pgbakd::repository {
namespace {

constexpr std::string_view partial_extension = ".partial";
constexpr std::string_view removing_extension = ".removing";
constexpr std::size_t hash_length = 64;

}  // namespace

std::string lock_name(std::string_view job) {
    return fmt::format(".{}.lock", job);
}

std::string index_name(std::string_view job) {
    return fmt::format(".{}.index", job);
}

std::string partial_name(std::string_view set) {
    return fmt::format(".{}{}", set, partial_extension);
}

std::string removing_name(std::string_view set) {
    return fmt::format(".{}{}", set, removing_extension);
}

bool is_leftover(std::string_view name) {
    return !set_of_leftover(name).empty();
}

std::string_view set_of_leftover(std::string_view name) {
    if (!name.starts_with('.')) return {};
    name.remove_prefix(1);
    for (const auto extension : std::array{partial_extension, removing_extension})
        if (const auto set = name.substr(0, name.size() - std::min(name.size(), extension.size()));
            name.ends_with(extension) && model::is_set_name(set))
            return set;
    return {};
}

std::string sidecar_text(std::string_view sha256, std::string_view file) {
    return fmt::format("{}  {}\n", sha256, file);
}

std::optional<std::string> sidecar_hash(std::string_view text) {
    // The file's name is not compared: people rename a file together with its sidecar.
    const auto hash = text.substr(0, hash_length);
    const bool separated = text.size() > hash_length && (text[hash_length] == ' ' || text[hash_length] == '\n');
    const bool hexadecimal = std::all_of(hash.begin(), hash.end(), [](char c) {
        return base::is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
    if (!separated || !hexadecimal) return std::nullopt;
    return base::to_lower(hash);
}

base::Status check_sidecar(std::string_view text, std::string_view sha256, std::string_view file) {
    const auto wrong = [](std::string fact) { return base::Error(base::ErrorCode::corrupt, std::move(fact)); };
    // coreutils, sha256sum(1): the hash, " " or "*" behind a blank, the name.
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto hash = sidecar_hash(text);
    if (!hash || text.find('\n') != std::string_view::npos || text.size() < hash_length + 3 ||
        (text[hash_length + 1] != ' ' && text[hash_length + 1] != '*'))
        return wrong("is not one line as sha256sum writes it");
    const auto named = text.substr(hash_length + 2);
    if (named != file && named != fmt::format("./{}", file))
        return wrong("names another file: " + base::printable(base::clamp_utf8(named, 255)));
    if (*hash != sha256) return wrong("has another SHA-256 than the manifest");
    return {};
}

base::Instant time_in_name(std::string_view set) {
    const auto number = [set](std::size_t at, std::size_t length) {
        int value = 0;
        for (const char c : set.substr(at, length)) value = value * 10 + (c - '0');
        return value;
    };
    using namespace std::chrono;
    const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(4, 2))),
                              day(static_cast<unsigned>(number(6, 2))));
    return sys_days(date) + hours(number(9, 2)) + minutes(number(11, 2)) + seconds(number(13, 2));
}

}  // namespace pgbakd::repository
