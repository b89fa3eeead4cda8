// status: what the daemon does, and how each job stands.
#include <fmt/format.h>

#include "admin/client.hpp"
#include "admin/configuration.hpp"
#include "admin/fires.hpp"
#include "admin/json_view.hpp"
#include "admin/table.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::size_t fires_shown = 5;

class Printer {
  public:
    Printer(Context& context, std::shared_ptr<const config::Config> config)
        : context_(context), config_(std::move(config)), host_zone_(context.host_zone()) {}

    void print(const boost::json::object& status) {
        daemon(object_at(status, "daemon"));
        running(list_at(status, "running"));
        uploads(list_at(status, "uploads"));
        next(list_at(status, "next"));
        jobs(list_at(status, "jobs"));
        findings(list_at(status, "findings"));
        owed(list_at(status, "owed"));
        const auto waiting = count_at(object_at(status, "alerts"), "waiting");
        if (waiting > 0) context_.out << '\n' << counted(waiting, "alert") << " not delivered yet\n";
    }

  private:
    void heading(std::string_view text) {
        context_.out << '\n' << styled(text, Style::strong, context_.colour) << '\n';
    }

    // In the job's zone, as far as the configuration tells it.
    [[nodiscard]] std::string time(const boost::json::object& object, std::string_view key,
                                   const std::string& job = {}) const {
        const auto instant = time_at(object, key);
        if (!instant) return {};
        const auto spec = config_ && !job.empty() ? config_->job(job) : nullptr;
        return calendar::format_for_people(*instant, spec ? *spec->zone : *host_zone_);
    }
    [[nodiscard]] std::string distance(const boost::json::object& object, std::string_view key) const {
        const auto instant = time_at(object, key);
        return instant ? distance_text(context_.now(), *instant) : std::string();
    }

    void daemon(const boost::json::object& daemon) {
        context_.out << fmt::format("pgbakd {}, process {}, {}", base::printable(text_at(daemon, "version")),
                                    count_at(daemon, "pid"), is_true_at(daemon, "ready") ? "ready" : "starting");
        const auto since = time(daemon, "started_at");
        context_.out << (since.empty() ? "" : ", since " + since) << '\n';
    }

    void running(const boost::json::array& runs) {
        Table table({{"RUN"}, {"JOB"}, {"STAGE"}, {"PART"}, {"WRITTEN", true}, {"RATE", true}, {"EXPECTED END"}});
        for (const auto& value : runs) {
            const auto& run = as_object(value);
            const auto job = text_at(run, "job");
            const auto rate = count_at(run, "rate_bytes_per_second");
            table.add({{text_at(run, "run")},
                       {job},
                       {text_at(run, "stage")},
                       {text_at(run, "part")},
                       {base::format_size(count_at(run, "bytes"))},
                       {rate > 0 ? base::format_size(rate) + "/s" : ""},
                       {time(run, "expected_end", job)}});
        }
        heading("running");
        if (table.empty())
            context_.out << "nothing\n";
        else
            table.print(context_.out, context_.colour);
    }

    void next(const boost::json::array& fires) {
        Table table({{"JOB"}, {"AT"}, {""}});
        std::size_t shown = 0;
        for (const auto& value : fires) {
            if (++shown > fires_shown) break;
            const auto& fire = as_object(value);
            const auto job = text_at(fire, "job");
            table.add({{job}, {time(fire, "at", job)}, {distance(fire, "at"), Style::faint}});
        }
        if (table.empty()) return;
        heading("next");
        table.print(context_.out, context_.colour);
    }

    void jobs(const boost::json::array& list) {
        Table table(
            {{"JOB"}, {"LAST SUCCESS"}, {""}, {"NEWEST SET"}, {"SIZE", true}, {"VERIFIED"}, {"FINDINGS", true}});
        for (const auto& value : list) {
            const auto& job = as_object(value);
            const auto name = text_at(job, "job");
            const auto& newest = object_at(job, "newest_set");
            const auto success = time(job, "last_success", name);
            const auto number = list_at(job, "findings").size();
            table.add({{name},
                       success.empty() ? Cell("none yet", Style::warning) : Cell(success),
                       {distance(job, "last_success"), Style::faint},
                       {newest.empty() ? text_at(job, "newest_set") : text_at(newest, "set")},
                       {newest.empty() ? "" : base::format_size(count_at(newest, "size_bytes"))},
                       {text_at(newest, "verified")},
                       {number > 0 ? std::to_string(number) : "", Style::bad}});
        }
        if (table.empty()) return;
        heading("jobs");
        table.print(context_.out, context_.colour);
        problems(list);
    }

    // What stands above of these is what the state file knows.
    void problems(const boost::json::array& jobs) {
        Table table({{"JOB"}, {"ITS SETS CANNOT BE LOOKED AT"}});
        for (const auto& value : jobs) {
            const auto& job = as_object(value);
            if (const auto problem = text_at(job, "problem"); !problem.empty())
                table.add({{text_at(job, "job")}, {problem, Style::bad}});
        }
        if (table.empty()) return;
        heading("problems");
        table.print(context_.out, context_.colour);
    }

    void findings(const boost::json::array& list) {
        Table table({{"SEVERITY"}, {"JOB"}, {"PLACE"}, {"SINCE"}, {"FINDING"}});
        for (const auto& value : list) {
            const auto& finding = as_object(value);
            const auto severity = text_at(finding, "severity");
            const auto job = text_at(finding, "job");
            table.add({{severity, severity == "critical" ? Style::bad : Style::warning},
                       {job},
                       {text_at(finding, "place")},
                       {time(finding, "since", job)},
                       {text_at(finding, "message")}});
        }
        if (table.empty()) return;
        heading("findings");
        table.print(context_.out, context_.colour);
    }

    void owed(const boost::json::array& list) {
        if (list.empty()) return;
        Table table({{"SET"}, {"TARGET"}, {"SIZE", true}, {"SINCE"}, {"NEXT ATTEMPT"}, {"WHY"}});
        for (const auto& value : list) {
            const auto& copy = as_object(value);
            const auto job = text_at(copy, "job");
            table.add({{text_at(copy, "set")},
                       {text_at(copy, "target")},
                       {base::format_size(count_at(copy, "bytes"))},
                       {time(copy, "since", job)},
                       {time(copy, "next_attempt", job)},
                       {text_at(copy, "message"), Style::warning}});
        }
        heading("owed");
        table.print(context_.out, context_.colour);
    }

    // What a target takes in one piece, a slow one takes some seconds for.
    static Cell pace(std::uint64_t rate, std::uint64_t idle) {
        constexpr std::uint64_t worth_telling = 30;
        if (idle >= worth_telling)
            return {fmt::format("nothing for {}", base::format_duration(std::chrono::seconds(idle))), Style::warning};
        return {rate > 0 ? base::format_size(rate) + "/s" : ""};
    }

    void uploads(const boost::json::array& list) {
        Table table({{"UPLOAD"}, {"TARGET"}, {"SENT", true}, {"OF", true}, {"RATE", true}, {"EXPECTED END"}});
        for (const auto& value : list) {
            const auto& upload = as_object(value);
            const auto rate = count_at(upload, "rate_bytes_per_second");
            const auto whole = count_at(upload, "of");
            const auto object = text_at(upload, "object");
            table.add({{object},
                       {text_at(upload, "target")},
                       {base::format_size(count_at(upload, "bytes"))},
                       {whole > 0 ? base::format_size(whole) : ""},
                       pace(rate, count_at(upload, "idle_seconds")),
                       {time(upload, "expected_end", object.substr(0, object.find('/')))}});
        }
        if (table.empty()) return;
        heading("uploads");
        table.print(context_.out, context_.colour);
    }

    Context& context_;
    std::shared_ptr<const config::Config> config_;
    calendar::ZonePtr host_zone_;
};

}  // namespace

ExitCode perform_status(Context& context, const Arguments&) {
    const Client client(control_socket(context));
    const auto answer = client.get("/v1/status");
    if (!answer.good()) throw refusal(answer);
    if (context.json)
        print_json(context, answer.body);
    else
        Printer(context, load_if_valid(context)).print(answer.body);
    return ExitCode::good;
}

}  // namespace pgbakd::admin
