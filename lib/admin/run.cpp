// run, milestone, cancel: runs started and ended through the daemon.
#include <fmt/format.h>

#include "admin/client.hpp"
#include "admin/configuration.hpp"
#include "admin/interrupt_notice.hpp"
#include "admin/json_view.hpp"
#include "admin/run_view.hpp"
#include "admin/verbs.hpp"
#include "base/identifier.hpp"
#include "base/text.hpp"
#include "model/json.hpp"
#include "model/names.hpp"

namespace pgbakd::admin {
namespace {

std::string path_of(const std::string& run) {
    return "/v1/runs/" + percent_encoded(run);
}

bool has_ended(const boost::json::object& run) {
    const auto status = text_at(run, "status");
    return !status.empty() && status != "RUNNING";
}

// The daemon went away while we waited: what became of the run is not known here.
Failure lost(const std::string& run, const std::string& why) {
    return {ExitCode::unreachable,
            {base::ErrorCode::unreachable,
             fmt::format("the connection to the daemon broke while run {} went on{}", run, why),
             "pgbakctl runs shows how it ended; journalctl -u pgbakd tells more"}};
}

boost::json::object follow_to_end(Context& context, const Client& client, const std::string& run) {
    boost::json::object ended;
    std::optional<Answer> refused;
    {
        ProgressBar bar(context);
        const auto on_event = [&ended, &bar](const ServerEvent& event) {
            const auto data = model::parse_json(event.data, EventParser::limit);
            if (!data || !data->is_object()) return true;  // of a kind that a newer daemon sends
            if (event.name == "progress") bar.show(progress_of(data->get_object()));
            if (event.name != "finished") return true;
            ended = data->get_object();
            return false;
        };
        try {
            refused = client.follow(path_of(run) + "/events", on_event);
        } catch (const Failure& failure) {
            if (failure.exit() != ExitCode::unreachable) throw;
            throw lost(run, ": " + failure.error().message());
        }
    }
    if (has_ended(ended)) return ended;
    // The stream ended early, or the run had ended before we came to listen: how does it stand?
    try {
        const auto answer = client.get(path_of(run));
        if (answer.good() && has_ended(answer.body)) return answer.body;
        if (refused && !refused->good()) throw refusal(*refused);
        if (!answer.good()) throw refusal(answer);
    } catch (const Failure& failure) {
        if (failure.exit() != ExitCode::unreachable) throw;
        throw lost(run, ": " + failure.error().message());
    }
    throw lost(run, "");
}

ExitCode conclude(Context& context, const boost::json::object& run) {
    if (context.json)
        print_json(context, run);
    else
        print_run(context, run);
    return exit_code_of_run(run);
}

// RUN is an id; a job's name stands for the run of it that goes on.
std::string run_of(const Client& client, const std::string& text) {
    if (base::RunId::parse(text)) return text;
    const auto status = client.get("/v1/status");
    if (!status.good()) throw refusal(status);
    for (const auto& value : list_at(status.body, "running"))
        if (text_at(as_object(value), "job") == text) return text_at(as_object(value), "run");
    throw base::Error(base::ErrorCode::not_found,
                      fmt::format("no run of \"{}\" goes on", base::printable(base::clamp_utf8(text, 100))),
                      "pgbakctl status shows what runs");
}

// Asks for a run, and waits for it on request.
ExitCode start(Context& context, const Arguments& arguments, const std::string& target) {
    const Client client(control_socket(context));
    const auto answer = client.post(target);
    if (!answer.good()) throw refusal(answer);
    const auto run = text_at(answer.body, "run");
    if (run.empty())
        throw base::Error(base::ErrorCode::server_error, "the daemon accepted the run but did not say which it is");
    if (arguments.has("--wait")) {
        const InterruptNotice notice(
            fmt::format("\npgbakctl: run {0} goes on; pgbakctl cancel {0} ends it\n", base::printable(run)));
        return conclude(context, follow_to_end(context, client, run));
    }
    if (context.json)
        print_json(context, answer.body);
    else
        context.out << base::printable(run) << '\n';
    return ExitCode::good;
}

}  // namespace

ExitCode perform_run(Context& context, const Arguments& arguments) {
    return start(context, arguments, fmt::format("/v1/jobs/{}/runs", percent_encoded(arguments.text("JOB"))));
}

ExitCode perform_milestone(Context& context, const Arguments& arguments) {
    const auto& name = arguments.text("NAME");
    if (const auto status = model::check_name("milestone", name); !status)
        throw usage_error(status.error().message(), status.error().hint());
    return start(
        context, arguments,
        fmt::format("/v1/jobs/{}/milestones/{}", percent_encoded(arguments.text("JOB")), percent_encoded(name)));
}

ExitCode perform_cancel(Context& context, const Arguments& arguments) {
    const Client client(control_socket(context));
    const auto run = run_of(client, arguments.text("RUN"));
    const auto answer = client.remove(path_of(run));
    if (!answer.good()) {
        const auto refused = refusal(answer);
        // A conflict here is a run that has ended: nobody holds anything.
        throw Failure(refused.exit() == ExitCode::busy ? ExitCode::failed : refused.exit(), refused.error());
    }
    // That it was cancelled is what was asked for: no error to be told.
    if (context.json)
        print_json(context, answer.body);
    else
        context.out << summary_of_run(answer.body, context.colour) << '\n';
    return ExitCode::good;
}

}  // namespace pgbakd::admin
