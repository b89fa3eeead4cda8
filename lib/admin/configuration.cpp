#include "admin/configuration.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "admin/output.hpp"
#include "base/text.hpp"
#include "config/merge.hpp"
#include "host/configuration.hpp"
#include "os/file.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::size_t largest_file = std::size_t{4} << 20U;

// api.socket of a file that is YAML, whatever else is wrong with it.
std::optional<std::filesystem::path> socket_named_in(const std::filesystem::path& file) {
    try {
        const std::vector<config::Document> documents{{file.string(), os::read_file(file, largest_file), false}};
        config::Problems problems(documents);
        const auto root = config::parse_and_merge(documents, problems);
        const auto* api = root ? root->find("api") : nullptr;
        const auto* socket = api != nullptr ? api->find("socket") : nullptr;
        if (socket != nullptr && socket->text.starts_with("/")) return socket->text;
    } catch (const base::Error&) {
        return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace

std::shared_ptr<const config::Config> load(Context& context) {
    auto result = host::load_configuration(context.config_file, context.around.zones, context.now());
    if (result.config) return result.config;
    std::erase_if(result.problems,
                  [](const auto& problem) { return problem.severity != config::Problem::Severity::error; });
    throw Failure(ExitCode::configuration,
                  {base::ErrorCode::invalid_configuration,
                   fmt::format("the configuration {} has {}", context.config_file.string(),
                               counted(result.problems.size(), "error"))},
                  result.problems);
}

std::shared_ptr<const config::Config> load_if_valid(Context& context) {
    return host::load_configuration(context.config_file, context.around.zones, context.now()).config;
}

std::shared_ptr<const model::JobSpec> find_job(const config::Config& config, const std::string& name,
                                               std::vector<std::string> others) {
    if (auto job = config.job(name)) return job;
    for (const auto& job : config.jobs) others.push_back(job->name);
    const auto near = base::closest(name, others);
    throw base::Error(base::ErrorCode::not_found,
                      fmt::format("there is no job \"{}\"", base::printable(base::clamp_utf8(name, 100))),
                      near ? fmt::format("did you mean {}?", *near) : "pgbakctl check lists the jobs");
}

std::filesystem::path control_socket(Context& context) {
    if (context.socket) return *context.socket;
    if (const auto config = load_if_valid(context)) return config->api_socket;
    if (auto named = socket_named_in(context.config_file)) return *named;
    context.socket_is_a_guess = true;
    return config::Config{}.api_socket;
}

void become_owner_of(const std::filesystem::path& directory) {
    if (geteuid() != 0) return;
    auto status = os::target_status(directory);
    if (!status) status = os::target_status(directory.parent_path());
    if (!status || status->owner == 0) return;
    const auto owner = status->owner;
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(owner, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return;
    if (initgroups(found->pw_name, found->pw_gid) != 0 || setresgid(found->pw_gid, found->pw_gid, found->pw_gid) != 0 ||
        setresuid(owner, owner, owner) != 0)
        throw base::error_from_errno(errno, fmt::format("becoming the user {}", found->pw_name));
    // libpq and the client programs look for ~/.pgpass there.
    setenv("HOME", found->pw_dir, 1);   // NOLINT(concurrency-mt-unsafe): before any thread is started
    setenv("USER", found->pw_name, 1);  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace pgbakd::admin
