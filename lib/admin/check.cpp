// check: is the configuration right, how was it understood, and does what it relies on hold.
#include <fmt/format.h>

#include "admin/check_targets.hpp"
#include "admin/configuration.hpp"
#include "admin/connect_check.hpp"
#include "admin/fires.hpp"
#include "admin/output.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "host/configuration.hpp"
#include "model/json.hpp"

namespace pgbakd::admin {
namespace {

constexpr int fires_shown = 3;

boost::json::array json_jobs(const config::Config& config, const FireRequest& request) {
    boost::json::array jobs;
    for (const auto& job : config.jobs) {
        const auto fires = fires_of(*job, request);
        auto object = json_fires(fires);
        object["jitter_seconds"] = fires.jitter.count();
        object["source"] = model::source_type(job->source);
        object["server"] = model::json_text_or_null(model::server_of(job->source));
        jobs.push_back(std::move(object));
    }
    return jobs;
}

void print_jobs(Context& context, const config::Config& config, const FireRequest& request) {
    context.out << fmt::format("{}: valid, {}, {}\n", context.config_file.string(), counted(config.jobs.size(), "job"),
                               counted(config.servers.size(), "server"));
    for (const auto& job : config.jobs) {
        const auto fires = fires_of(*job, request);
        context.out << fmt::format("{}: {}\n", styled(job->name, Style::strong, context.colour), summary_of(fires));
        std::vector<std::string> times;
        for (const auto fire : fires.fires) times.push_back(calendar::format_for_people(fire, *fires.zone));
        if (!times.empty()) context.out << "  next: " << base::join(times, ", ") << '\n';
    }
}

void print_warnings(Context& context, const std::vector<config::Problem>& problems) {
    for (const auto& problem : problems)
        if (problem.severity == config::Problem::Severity::warning)
            context.err << config::problem_text(problem) << '\n';
}

ExitCode refuse(Context& context, const std::vector<config::Problem>& problems) {
    std::size_t errors = 0;
    for (const auto& problem : problems) {
        if (problem.severity != config::Problem::Severity::error) continue;
        ++errors;
        context.err << config::problem_text(problem) << '\n';
    }
    print_warnings(context, problems);
    context.err << fmt::format("pgbakctl: the configuration {} has {}\n", context.config_file.string(),
                               counted(errors, "error"));
    return ExitCode::configuration;
}

// Says what was found as it is found: a server that does not answer takes its time.
class Telling {
  public:
    explicit Telling(Context& context) : context_(context) {}

    void operator()(const Finding& finding) {
        failed_ = failed_ || !finding.ok;
        if (context_.json) {
            list_.push_back({{"subject", model::json_text(finding.subject)},
                             {"ok", finding.ok},
                             {"message", model::json_text(finding.message)},
                             {"hint", model::json_text_or_null(finding.hint)}});
            return;
        }
        const auto word =
            finding.ok ? styled("ok    ", Style::good, context_.colour) : styled("failed", Style::bad, context_.colour);
        context_.out << fmt::format("{} {}: {}\n", word, base::printable(finding.subject),
                                    base::printable(finding.message));
        if (!finding.hint.empty()) context_.out << "  hint: " << base::printable(finding.hint) << '\n';
        context_.out.flush();
    }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] boost::json::array take() { return std::move(list_); }

  private:
    Context& context_;
    boost::json::array list_;
    bool failed_ = false;
};

}  // namespace

ExitCode perform_check(Context& context, const Arguments& arguments) {
    const auto loaded = host::load_configuration(context.config_file, context.around.zones, context.now());
    const FireRequest request{context.now(), fires_shown};
    boost::json::array problems;
    for (const auto& problem : loaded.problems) problems.push_back(json_problem(problem));
    boost::json::object document{
        {"valid", loaded.config != nullptr}, {"problems", std::move(problems)}, {"jobs", boost::json::array{}}};
    if (!loaded.config) {
        if (context.json) print_json(context, document);
        return refuse(context, loaded.problems);
    }
    const auto& config = *loaded.config;
    print_warnings(context, loaded.problems);
    if (arguments.has("--effective")) {
        context.out << config::effective_yaml(config);
        return ExitCode::good;
    }
    if (context.json)
        document["jobs"] = json_jobs(config, request);
    else
        print_jobs(context, config, request);

    Telling telling(context);
    if (arguments.has("--connect")) {
        if (!context.json) context.out << '\n';
        const auto credentials = read_credentials(context.around, config);
        const auto secrets = read_target_secrets(context, config);
        become_owner_of(config.repository.directory);
        const auto tell = [&telling](const Finding& finding) { telling(finding); };
        check_connections(context, config, credentials, tell);
        check_targets(context, config, secrets, tell);
        document["connect"] = telling.take();
    }
    if (context.json) print_json(context, document);
    return telling.failed() ? ExitCode::failed : ExitCode::good;
}

}  // namespace pgbakd::admin
