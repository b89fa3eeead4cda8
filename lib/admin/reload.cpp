// reload: the daemon reads its configuration again, and its verdict is ours.
#include <fmt/format.h>

#include "admin/client.hpp"
#include "admin/configuration.hpp"
#include "admin/json_view.hpp"
#include "admin/output.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"

namespace pgbakd::admin {
namespace {

config::Problem problem_of(const boost::json::object& object) {
    config::Problem problem;
    problem.severity = text_at(object, "severity") == "warning" ? config::Problem::Severity::warning
                                                                : config::Problem::Severity::error;
    problem.file = base::printable(text_at(object, "file"));
    problem.line = static_cast<int>(number_at(object, "line"));
    problem.column = static_cast<int>(number_at(object, "column"));
    problem.path = base::printable(text_at(object, "path"));
    problem.message = base::printable(text_at(object, "message"));
    problem.hint = base::printable(text_at(object, "hint"));
    return problem;
}

std::vector<config::Problem> problems_of(const Answer& answer) {
    std::vector<config::Problem> problems;
    for (const auto& value : list_at(answer.body, "problems")) problems.push_back(problem_of(as_object(value)));
    return problems;
}

Failure refused_reload(const Answer& answer) {
    auto refused = refusal(answer);
    if (answer.status != 422) return refused;
    const auto given = text_at(object_at(answer.body, "error"), "message");
    return {ExitCode::configuration,
            {base::ErrorCode::invalid_configuration,
             given.empty() ? "the new configuration is refused: the old one stays in force" : given,
             refused.error().hint()},
            problems_of(answer)};
}

void print_changes(Context& context, const boost::json::array& changes) {
    if (changes.empty()) context.out << "reloaded: nothing has changed\n";
    for (const auto& change : changes)
        if (change.is_string())
            context.out << "reloaded: " << base::printable(std::string(change.get_string())) << '\n';
}

}  // namespace

ExitCode perform_reload(Context& context, const Arguments&) {
    const auto answer = Client(control_socket(context)).post("/v1/reload");
    if (!answer.good()) throw refused_reload(answer);
    if (context.json) {
        print_json(context, answer.body);
        return ExitCode::good;
    }
    for (const auto& warning : problems_of(answer)) context.err << config::problem_text(warning) << '\n';
    print_changes(context, list_at(answer.body, "changes"));
    return ExitCode::good;
}

}  // namespace pgbakd::admin
