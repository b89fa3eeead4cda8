#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/check_channel.hpp"
#include "config/check_job.hpp"
#include "config/check_target.hpp"
#include "config/client_keys.hpp"
#include "config/config.hpp"
#include "config/keys.hpp"
#include "config/merge.hpp"
#include "config/paths.hpp"
#include "config/zones.hpp"

namespace pgbakd::config {
namespace {

constexpr std::size_t max_documents = 1000;
constexpr std::size_t max_jobs = 100'000;

void resolve_default_zone(Problems& problems, const Host& host, Zones& zones, const Node& root, Config& config) {
    const auto* named_by = root.find("timezone");
    if (named_by != nullptr && named_by->refused) return;
    if (named_by == nullptr) config.timezone = host.host_zone_name;
    const auto& zone = zones.find(config.timezone);
    if (zone)
        config.zone = *zone;
    else if (named_by != nullptr)
        problems.error(*named_by, zone.error().message(), zone.error().hint());
    else
        problems.error_in_file(0, {}, "the host's time zone: " + zone.error().message(),
                               "set one here, as in timezone: Europe/Berlin");
}

void check_directories(Problems& problems, const Node& root, const Config& config) {
    const auto& sets = config.repository.directory;
    const auto& reports = config.reports_directory;
    if (!is_within(reports, sets) && !is_within(sets, reports)) return;
    for (const auto* name : {"reports", "repository"}) {
        const auto* section = root.find(name);
        const auto* given = section != nullptr ? section->usable("directory") : nullptr;
        if (given == nullptr) continue;
        return problems.error(*given,
                              fmt::format("reports ({}) and repository ({}) must not lie inside each other",
                                          excerpt(reports.native()), excerpt(sets.native())),
                              "give each a directory of its own");
    }
}

// The daemon keeps its own files there, and removes what does not belong.
void check_socket(Problems& problems, const Node& root, const Config& config) {
    const auto* section = root.find("api");
    const auto* given = section != nullptr ? section->usable("socket") : nullptr;
    if (given == nullptr) return;
    for (const auto& [directory, name] :
         {std::pair(config.repository.directory, "repository"), std::pair(config.reports_directory, "reports")})
        if (is_within(config.api_socket, directory))
            return problems.error(*given,
                                  fmt::format("must not lie inside the {} ({})", name, excerpt(directory.native())),
                                  "give it a directory of its own, as /run/pgbakd/control.sock");
}

void check_health(Problems& problems, const Host& host, const Node& root, const Config& config) {
    const auto* section = root.find("health");
    const auto* schedule = section != nullptr ? section->usable("schedule") : nullptr;
    if (schedule == nullptr || config.zone == nullptr || config.health.schedule.next(host.now, *config.zone)) return;
    problems.error(*schedule, fmt::format("\"{}\" never fires", config.health.schedule.canonical()),
                   "there is no such day to come: check the day, the month and the year");
}

void check_listen(Problems& problems, const Node& root, const Config& config) {
    const auto* section = root.find("api");
    if (section == nullptr || section->refused) return;
    const auto* listen = section->find("listen");
    const auto* token = section->find("token");
    if (listen != nullptr && token == nullptr)
        problems.missing(*section, "token",
                         "as in token: {credential: api-token}: without it everybody could give orders");
    if (listen == nullptr && token != nullptr && !token->refused)
        problems.warning(*token, "has no use without listen", "add listen: 127.0.0.1:8754, or remove the key");
    if (listen != nullptr && !listen->refused && config.api_listen && !config.api_listen->is_loopback())
        problems.warning(*listen, "the API has no TLS: the token and all answers can be read on the way",
                         "listen on 127.0.0.1, and put a proxy with TLS in front of it");
}

void check_jobs_exist(Problems& problems, const Node& root) {
    const std::string message = "no job is defined: there is nothing to back up";
    const std::string hint =
        "add one, as in jobs: {nightly: {schedule: daily at 02:00, source: {type: pg_dump, "
        "server: local, databases: all}}}";
    const auto* jobs = root.find("jobs");
    if (jobs == nullptr) return problems.error_in_file(0, {}, message, hint);
    if (jobs->refused) return;
    if (jobs->children.empty()) problems.error(*jobs, message, hint);
    if (jobs->children.size() > max_jobs)
        problems.error(*jobs, fmt::format("more than 100,000 jobs (got {})", jobs->children.size()));
}

std::vector<std::string> names_below(const Node* section) {
    std::vector<std::string> names;
    if (section != nullptr)
        for (const auto& child : section->children) names.push_back(child.key);
    std::sort(names.begin(), names.end());
    return names;
}

Config read_all(Problems& problems, const Host& host, const Node& root) {
    auto draft = all_keys().blank();
    all_keys().read(problems, root, draft);
    auto& config = draft.config;
    Zones zones(host);
    resolve_default_zone(problems, host, zones, root, config);
    check_directories(problems, root, config);
    check_socket(problems, root, config);
    check_health(problems, host, root, config);
    check_listen(problems, root, config);
    check_jobs_exist(problems, root);

    for (auto& target : draft.targets) {
        check_target(problems, config, host, target);
        if (auto* place = std::get_if<model::DirectoryPlace>(&target.value.place))
            place->repository = config.repository.directory;
    }
    const auto* servers = root.find("servers");
    const auto* targets = root.find("targets");
    const auto* channels = root.find("alerts");
    LongestGaps gaps(host.now);
    std::map<std::string, model::ServerType> types;
    std::map<std::string, model::ClientSpec> elsewhere;
    for (const auto& server : draft.servers) {
        check_client(problems, server);
        types.emplace(server.name, server.value.type);
        if (server.value.client.where != model::ClientSpec::Where::here)
            elsewhere.emplace(server.name, server.value.client);
    }
    const JobSurroundings surroundings{config,
                                       host,
                                       zones,
                                       gaps,
                                       servers == nullptr || !servers->refused,
                                       names_below(servers),
                                       targets == nullptr || !targets->refused,
                                       names_below(targets),
                                       channels == nullptr || !channels->refused,
                                       names_below(channels),
                                       std::move(types),
                                       std::move(elsewhere)};
    for (auto& job : draft.jobs) check_job(problems, surroundings, job);
    check_places(problems, host, draft);
    const auto* jobs = root.find("jobs");
    const auto names = names_below(jobs);
    for (const auto& channel : draft.channels)
        check_channel(problems, jobs != nullptr && !jobs->refused ? &names : nullptr, channel);
    if (problems.has_errors()) return std::move(config);

    for (auto& server : draft.servers) config.servers.emplace(server.name, std::move(server.value));
    for (auto& target : draft.targets) config.targets.emplace(target.name, std::move(target.value));
    for (auto& channel : draft.channels) config.channels.emplace(channel.name, std::move(channel.value));
    config.jobs.reserve(draft.jobs.size());
    for (auto& job : draft.jobs) config.jobs.push_back(std::make_shared<const model::JobSpec>(std::move(job.value)));
    return std::move(config);
}

}  // namespace

LoadResult load(const std::vector<Document>& documents, const Host& host) {
    LoadResult result;
    if (documents.empty() || documents.size() > max_documents) {
        Problem problem;
        problem.message = documents.empty() ? "no configuration file is given" : "more than 1,000 configuration files";
        if (!documents.empty()) problem.file = documents[max_documents].file;
        result.problems.push_back(std::move(problem));
        return result;
    }
    Problems problems(documents);
    if (auto root = parse_and_merge(documents, problems)) {
        link(*root);
        report_duplicates(*root, problems);
        auto config = read_all(problems, host, *root);
        if (!problems.has_errors()) result.config = std::make_shared<const Config>(std::move(config));
    }
    result.problems = problems.take();
    return result;
}

std::shared_ptr<const model::JobSpec> Config::job(std::string_view name) const {
    const auto found = std::find_if(jobs.begin(), jobs.end(), [name](const auto& each) { return each->name == name; });
    return found == jobs.end() ? nullptr : *found;
}

std::filesystem::path Config::state_file() const {
    return repository.directory.parent_path() / "state.db";
}

std::string effective_yaml(const Config& config) {
    Draft draft;
    draft.config = config;
    for (const auto& [name, server] : config.servers) draft.servers.push_back({name, nullptr, server});
    for (const auto& [name, target] : config.targets) draft.targets.push_back({name, nullptr, target});
    for (const auto& [name, channel] : config.channels) draft.channels.push_back({name, nullptr, channel});
    for (const auto& job : config.jobs) draft.jobs.push_back({job->name, nullptr, *job});
    YamlWriter out;
    all_keys().write(out, draft);
    return out.take();
}

}  // namespace pgbakd::config
