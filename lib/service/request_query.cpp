#include "service/request_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/text.hpp"

namespace pgbakd::service {
namespace {

constexpr std::array outcomes{model::Outcome::success, model::Outcome::warning,   model::Outcome::failed,
                              model::Outcome::skipped, model::Outcome::cancelled, model::Outcome::interrupted,
                              model::Outcome::running};

base::Error wrong(const std::vector<std::string>& problems, std::string hint) {
    return {base::ErrorCode::invalid_argument, base::join(problems, "; "), std::move(hint)};
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest_shown = 60;
    return fmt::format("\"{}\"", base::printable(base::clamp_utf8(text, longest_shown)));
}

const std::string* find(const Query& query, std::string_view name) {
    const auto found =
        std::find_if(query.begin(), query.end(), [name](const auto& pair) { return pair.first == name; });
    return found == query.end() ? nullptr : &found->second;
}

void read_number(const Query& query, std::string_view name, int most, int& number, std::vector<std::string>& problems) {
    const auto* text = find(query, name);
    if (text == nullptr) return;
    int value = 0;
    const auto* end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, value);
    if (failure == std::errc{} && stop == end && value >= 1 && value <= most)
        number = value;
    else
        problems.push_back(
            fmt::format("{} must be a whole number from 1 to {} (got {})", name, most, in_quotes(*text)));
}

}  // namespace

base::Status check_parameters(const Query& query, std::span<const std::string_view> known) {
    std::vector<std::string> problems;
    std::set<std::string_view> seen;
    for (const auto& [name, value] : query) {
        if (std::find(known.begin(), known.end(), name) == known.end())
            problems.push_back(fmt::format("there is no parameter {}", in_quotes(name)));
        else if (!seen.insert(name).second)
            problems.push_back(fmt::format("{} is given twice", name));
    }
    if (problems.empty()) return {};
    std::vector<std::string> names(known.begin(), known.end());
    return wrong(problems, names.empty() ? "this route has no parameters"
                                         : fmt::format("this route has: {}", base::join(names, ", ")));
}

base::Result<ReportQuery> read_report_query(const Query& query) {
    ReportQuery result;
    std::vector<std::string> problems;
    read_number(query, "page", largest_page, result.page, problems);
    read_number(query, "page_size", largest_page_size, result.page_size, problems);
    if (const auto* job = find(query, "job"); job != nullptr && !job->empty()) {
        if (const auto name = model::check_name("job", *job); !name)
            problems.push_back(fmt::format("job must be a job's name (got {})", in_quotes(*job)));
        else
            result.job = *job;
    }
    if (const auto* status = find(query, "status"); status != nullptr && !status->empty()) {
        const auto outcome = std::find_if(outcomes.begin(), outcomes.end(),
                                          [&](auto each) { return model::outcome_text(each) == *status; });
        std::vector<std::string> allowed;
        allowed.reserve(outcomes.size());
        for (const auto each : outcomes) allowed.emplace_back(model::outcome_text(each));
        if (outcome == outcomes.end())
            problems.push_back(
                fmt::format("status must be one of {} (got {})", base::join(allowed, ", "), in_quotes(*status)));
        else
            result.status = *outcome;
    }
    if (problems.empty()) return result;
    return wrong(problems, "as in ?page=1&page_size=10&status=SUCCESS&job=NAME");
}

base::Result<bool> read_wait(const Query& query) {
    const auto* wait = find(query, "wait");
    if (wait == nullptr || *wait == "false") return false;
    if (*wait == "true") return true;
    return wrong({fmt::format("wait must be true or false (got {})", in_quotes(*wait))}, "as in ?wait=true");
}

}  // namespace pgbakd::service
