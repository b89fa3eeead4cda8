// The configuration as the daemon uses it, and the loader that makes it from YAML texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/channel.hpp"
#include "model/job.hpp"
#include "model/target.hpp"

namespace pgbakd::config {

struct Repository {
    std::filesystem::path directory = "/var/lib/pgbakd/repository";
    std::uint64_t min_free = std::uint64_t{5} << 30U;
};

struct Health {
    calendar::Schedule schedule = calendar::Schedule::parse("every 6 hours").value();  // in the configuration's zone
    int disk_usage = 80;  // percent; above it a file system is a finding
};

// Where the API is served besides its socket.
struct ListenAddress {
    std::string host;  // an IPv4 or IPv6 address, without brackets
    std::uint16_t port = 0;
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] std::string text() const;  // "127.0.0.1:8754", "[::1]:8754"
    bool operator==(const ListenAddress&) const = default;
};

struct Config {
    std::string timezone;  // never empty
    calendar::ZonePtr zone;
    Repository repository;
    std::filesystem::path reports_directory = "/var/lib/pgbakd/reports";
    model::Limits limits;
    std::chrono::milliseconds shutdown_grace = std::chrono::seconds(30);
    Health health;
    std::filesystem::path api_socket = "/run/pgbakd/control.sock";
    std::optional<ListenAddress> api_listen;  // nothing: the socket only
    model::SecretReference api_token;         // given where `api_listen` is
    std::map<std::string, model::ServerSpec> servers;
    std::map<std::string, model::TargetSpec> targets;
    std::map<std::string, model::ChannelSpec> channels;       // where alerts go
    std::vector<std::shared_ptr<const model::JobSpec>> jobs;  // in the file's order
    [[nodiscard]] std::shared_ptr<const model::JobSpec> job(std::string_view name) const;
    [[nodiscard]] std::filesystem::path state_file() const;  // state.db beside the repository directory
};

struct Problem {
    enum class Severity { error, warning };
    Severity severity = Severity::error;
    std::string file;
    int line = 0;      // from 1; 0: the file as a whole
    int column = 0;    // from 1, in characters: of the value, or of a key that is unknown, doubled or misnamed
    std::string path;  // "jobs.shop-daily.retention.local.days"
    std::string message;
    std::string hint;
};
// "/etc/pgbakd.yaml:14:15: jobs.x.y: must be … (got 0)\n  hint: …"; a warning says "warning: " before its path. No line
// end behind it.
[[nodiscard]] std::string problem_text(const Problem& problem);

struct Document {
    std::string file;  // as problems name it
    std::string text;
    // Whether others than its owner can read the file: then a literal secret in it is refused.
    bool readable_by_others = false;
};

// What the loader must know of the host, handed in so that it opens nothing itself.
struct Host {
    std::function<base::Result<calendar::ZonePtr>(std::string_view)> find_zone;
    std::string host_zone_name;
    base::Instant now;  // for `once at` in the past and for warnings with dates
    // Whether the daemon has had a job of this name under this schedule and zone before: a schedule without a fire to
    // come is then no mistake, but done, and what it was taken with does not stop the next start. `state_file` is where
    // this configuration has the daemon keep such things. Asked only where it matters; absent: no.
    std::function<bool(const std::filesystem::path& state_file, const model::JobSpec& job)> was_in_force{};
    // The dates that the daemon has had a job of this name under, with this schedule and zone: it has dealt with those
    // that have passed, or does so at its start. Others of the job may be new. Absent: none.
    std::function<std::vector<calendar::Schedule>(const std::filesystem::path& state_file, const model::JobSpec& job)>
        dates_in_force{};
    // Where a path leads once its symbolic links are followed, as far as that can be told without waiting for a server.
    // Absent: to itself.
    std::function<std::filesystem::path(const std::filesystem::path&)> resolve{};
    // The mount point of the disk that a path is on, if that is one of this host and not the one of "/"; else empty.
    // Absent: not known.
    std::function<std::filesystem::path(const std::filesystem::path&)> disk_of{};
};

struct LoadResult {
    std::shared_ptr<const Config> config;  // null if any problem is an error
    std::vector<Problem> problems;         // by file, line, column; at most 1,000, then one that counts the rest
};

// The first document is the main file, the others are merged into it in order: sections add up, and what two documents
// define is an error. If one is no YAML at all, that is the only kind of problem told. Never throws on any text.
// Limits: 4 MiB per document, 1,000 documents, 100,000 jobs, depth 32; aliases and anchors are refused (they can
// explode).
[[nodiscard]] LoadResult load(const std::vector<Document>& documents, const Host& host);

// docs/configuration.md's reference, from the table of keys.
[[nodiscard]] std::string reference_markdown();
// The configuration with every default filled in, as YAML, secrets as "***": what `pgbakctl check` prints on request.
[[nodiscard]] std::string effective_yaml(const Config& config);

}  // namespace pgbakd::config
