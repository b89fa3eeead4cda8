#include "config/problems.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace pgbakd::config {
namespace {

Problem make(Problem::Severity severity, std::string path, std::string message, std::string hint) {
    Problem problem;
    problem.severity = severity;
    problem.path = std::move(path);
    problem.message = std::move(message);
    problem.hint = std::move(hint);
    return problem;
}

}  // namespace

void Problems::add(std::size_t file, Place place, Problem problem) {
    if (problem.severity == Problem::Severity::error) ++errors_;
    if (full()) {
        ++dropped_;
        return;
    }
    problem.file = documents_.at(file).file;
    problem.line = place.line;
    problem.column = place.column;
    problems_.push_back({file, std::move(problem)});
}

void Problems::error(const Node& at, std::string message, std::string hint) {
    at.refused = true;
    add(static_cast<std::size_t>(at.file), at.place,
        make(Problem::Severity::error, at.path(), std::move(message), hint.empty() ? usual_hint_ : std::move(hint)));
}

void Problems::error_at_key(const Node& at, std::string message, std::string hint) {
    at.refused = true;
    add(static_cast<std::size_t>(at.file), at.key_place,
        make(Problem::Severity::error, at.path(), std::move(message), std::move(hint)));
}

void Problems::missing(const Node& in, std::string_view key, std::string hint) {
    const auto above = in.path();
    add(static_cast<std::size_t>(in.file), in.key_place.line > 0 ? in.key_place : in.place,
        make(Problem::Severity::error, above.empty() ? std::string(key) : fmt::format("{}.{}", above, key),
             "this key is required", std::move(hint)));
}

void Problems::warning(const Node& at, std::string message, std::string hint) {
    add(static_cast<std::size_t>(at.file), at.place,
        make(Problem::Severity::warning, at.path(), std::move(message), std::move(hint)));
}

void Problems::error_in_file(std::size_t file, Place place, std::string message, std::string hint) {
    add(file, place, make(Problem::Severity::error, {}, std::move(message), std::move(hint)));
}

std::string Problems::where(const Node& node, Place place) const {
    return fmt::format("{}:{}:{}", document(node).file, place.line, place.column);
}

std::vector<Problem> Problems::take() {
    const auto order = [](const Entry& entry) {
        return std::tuple(entry.file, entry.problem.line, entry.problem.column);
    };
    std::stable_sort(problems_.begin(), problems_.end(),
                     [order](const Entry& a, const Entry& b) { return order(a) < order(b); });
    std::vector<Problem> sorted;
    sorted.reserve(problems_.size() + 1);
    for (auto& entry : problems_) sorted.push_back(std::move(entry.problem));
    problems_.clear();
    if (dropped_ > 0) {
        auto rest = make(errors_ > 0 ? Problem::Severity::error : Problem::Severity::warning, {},
                         fmt::format("{} more problems are not shown", dropped_), {});
        rest.file = documents_.back().file;
        sorted.push_back(std::move(rest));
    }
    return sorted;
}

std::string problem_text(const Problem& problem) {
    auto text = problem.file;
    if (problem.line > 0) text += fmt::format(":{}:{}", problem.line, problem.column);
    if (!text.empty()) text += ": ";
    if (problem.severity == Problem::Severity::warning) text += "warning: ";
    if (!problem.path.empty()) text += problem.path + ": ";
    text += problem.message;
    if (!problem.hint.empty()) text += "\n  hint: " + problem.hint;
    return text;
}

}  // namespace pgbakd::config
