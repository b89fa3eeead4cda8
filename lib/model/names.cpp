#include "model/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::model {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t longest_name = 63;
constexpr std::size_t longest_number = 6;
// The time, "_", a milestone, "-999999".
constexpr std::size_t longest_set_name = 15 + 1 + longest_name + 1 + longest_number;

bool is_name_character(char c) noexcept {
    return base::is_letter(c) || base::is_digit(c) || c == '_' || c == '.' || c == '-';
}

// "YYYYMMDD_HHMMSS" at the front, each part within its range.
bool begins_with_time(std::string_view name) noexcept {
    if (name.size() < 15 || name[8] != '_') return false;
    for (std::size_t i = 0; i < 15; ++i)
        if (i != 8 && !base::is_digit(name[i])) return false;
    const auto two = [name](std::size_t at) { return (name[at] - '0') * 10 + (name[at + 1] - '0'); };
    return two(4) >= 1 && two(4) <= 12 && two(6) >= 1 && two(6) <= 31 && two(9) < 24 && two(11) < 60 && two(13) < 60;
}

}  // namespace

base::Status check_name(std::string_view what, std::string_view name) {
    const auto wrong = [&](std::string_view fact) {
        return Error(ErrorCode::invalid_argument,
                     fmt::format("{} name \"{}\" {}", what, base::printable(base::clamp_utf8(name, 100)), fact),
                     "names have 1 to 63 of A-Z a-z 0-9 _ . - and begin with a letter or a digit");
    };
    if (name.empty()) return wrong("is empty");
    if (name.size() > longest_name) return wrong("is longer than 63 characters");
    if (!base::is_letter(name.front()) && !base::is_digit(name.front()))
        return wrong("does not begin with a letter or a digit");
    if (!std::all_of(name.begin(), name.end(), is_name_character))
        return wrong("has a character that names cannot have");
    return {};
}

std::string file_name_of_database(std::string_view database) {
    std::string result;
    for (const char c : database) {
        // Not a hidden file, and not an option of the program that is handed the name.
        const bool first_only = result.empty() && (c == '.' || c == '-');
        if (is_name_character(c) && !first_only)
            result += c;
        else
            fmt::format_to(std::back_inserter(result), "%{:02X}", static_cast<unsigned char>(c));
    }
    // "globals_<time>.sql.gz" is the name of the cluster's global objects.
    if (result == "globals") return "%67lobals";
    return result;
}

std::string set_name(base::Instant started_at, const calendar::Zone& zone, std::string_view milestone) {
    auto name = calendar::format_compact(started_at, zone);
    if (!milestone.empty()) name += fmt::format("_{}", milestone);
    return name;
}

bool is_set_name(std::string_view name) noexcept {
    if (name.size() > longest_set_name || !begins_with_time(name)) return false;
    const auto rest = name.substr(15);
    if (rest.empty()) return true;
    const auto tail = rest.substr(1);
    if (tail.empty()) return false;
    if (rest.front() == '-')
        return tail.size() <= longest_number && std::all_of(tail.begin(), tail.end(), base::is_digit);
    return rest.front() == '_' && (base::is_letter(tail.front()) || base::is_digit(tail.front())) &&
           std::all_of(tail.begin(), tail.end(), is_name_character);
}

NumberedName split_number(std::string_view set) noexcept {
    const auto dash = set.rfind('-');
    if (dash == std::string_view::npos) return {set};
    const auto digits = set.substr(dash + 1);
    if (digits.empty() || digits.size() > longest_number || !std::all_of(digits.begin(), digits.end(), base::is_digit))
        return {set};
    int number = 0;
    for (const char c : digits) number = number * 10 + (c - '0');
    return {set.substr(0, dash), number};
}

NameOrder name_order(const SetId& id) noexcept {
    const auto [stem, number] = split_number(id.set);
    return {id.job, stem, number, id.set};
}

base::Result<SetId> SetId::parse(std::string_view text) {
    const auto shown = [text] { return base::printable(base::clamp_utf8(text, 200)); };
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no backup set", shown()),
                     "a set is named JOB/20260113_000001 or JOB/latest");
    const auto job = text.substr(0, slash);
    const auto set = text.substr(slash + 1);
    if (auto status = check_name("job", job); !status) return status.error();
    if (set != "latest" && !is_set_name(set))
        return Error(ErrorCode::invalid_argument,
                     fmt::format("\"{}\" is no backup set: a set's name is its start, as in 20260113_000001", shown()),
                     fmt::format("the newest set of this job is {}/latest", job));
    return SetId{std::string(job), std::string(set)};
}

}  // namespace pgbakd::model
