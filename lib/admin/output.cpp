#include "admin/output.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {
namespace {

std::string_view code_of(Style style) {
    switch (style) {
        case Style::plain: return "";
        case Style::strong: return "\033[1m";
        case Style::faint: return "\033[2m";
        case Style::good: return "\033[32m";
        case Style::warning: return "\033[33m";
        case Style::bad: return "\033[31m";
    }
    return "";
}

boost::json::object json_failure(const Failure& failure) {
    boost::json::object document{{"error",
                                  {{"code", base::code_text(failure.error().code())},
                                   {"message", model::json_text(failure.error().message())},
                                   {"hint", model::json_text_or_null(failure.error().hint())}}}};
    if (!failure.problems().empty()) {
        boost::json::array problems;
        for (const auto& problem : failure.problems()) problems.push_back(json_problem(problem));
        document["problems"] = std::move(problems);
    }
    return document;
}

void say(Context& context, std::string_view what, const base::Error& error) {
    context.err << fmt::format("{}: {}\n", what, base::printable(error.message()));
    if (!error.hint().empty()) context.err << fmt::format("  hint: {}\n", base::printable(error.hint()));
}

}  // namespace

std::string styled(std::string_view text, Style style, bool colour) {
    if (!colour || style == Style::plain) return std::string(text);
    return fmt::format("{}{}\033[0m", code_of(style), text);
}

void print_json(Context& context, const boost::json::value& document) {
    context.out << model::pretty(document) << '\n';
}

void tell(Context& context, const Failure& failure) {
    for (const auto& problem : failure.problems()) context.err << config::problem_text(problem) << '\n';
    say(context, "pgbakctl", failure.error());
    if (context.json) print_json(context, json_failure(failure));
}

void remark(Context& context, const base::Error& error) {
    say(context, "warning", error);
}

boost::json::object json_problem(const config::Problem& problem) {
    return {{"severity", problem.severity == config::Problem::Severity::error ? "error" : "warning"},
            {"file", model::json_text(problem.file)},
            {"line", problem.line},
            {"column", problem.column},
            {"path", model::json_text(problem.path)},
            {"message", model::json_text(problem.message)},
            {"hint", model::json_text_or_null(problem.hint)}};
}

std::string counted(std::size_t number, std::string_view noun) {
    return base::counted(number, noun);
}

}  // namespace pgbakd::admin
