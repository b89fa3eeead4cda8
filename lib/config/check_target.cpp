#include "config/check_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "config/paths.hpp"

namespace pgbakd::config {
namespace {

std::filesystem::path resolved(const Host& host, const std::filesystem::path& path) {
    return host.resolve ? host.resolve(path) : path;
}

void check_mount(Problems& problems, const Config& config, const Host& host, const Node& node,
                 const model::DirectoryPlace& place) {
    const auto* required = node.usable("require_mount");
    if (required == nullptr || !place.require_mount.required) return;
    const auto& point = place.require_mount.point;
    if (!point.empty() && !is_within(place.path, point))
        return problems.error(*required,
                              fmt::format("must be the path or lie above it (got {})", excerpt(point.native())),
                              "it is the directory that the copies' file system is mounted on");
    if (!point.empty() || !host.disk_of) return;
    // As it is with the disk below a mount point while nothing is mounted there.
    const auto disk = host.disk_of(place.path);
    if (disk.empty() || disk == place.path || disk == host.disk_of(config.repository.directory)) return;
    problems.warning(*required, fmt::format("true is met by {}, a disk of this host", excerpt(disk.native())),
                     fmt::format("name the mount point that is meant, as in require_mount: {}",
                                 place.path.parent_path() == disk ? disk.string() : place.path.parent_path().string()));
}

// A copy inside the repository is no copy, and would be taken for a job.
void check(Problems& problems, const Config& config, const Host& host, const Node& node,
           const model::DirectoryPlace& place) {
    const auto* path = node.usable("path");
    if (path == nullptr) return;
    const auto& repository = config.repository.directory;
    const auto lie_within = [](const std::filesystem::path& one, const std::filesystem::path& other) {
        return is_within(one, other) || is_within(other, one);
    };
    const std::string hint = "give the copies a directory of their own, on another disk";
    if (lie_within(place.path, repository))
        return problems.error(
            *path, fmt::format("must not lie inside the repository ({}) or around it", excerpt(repository.native())),
            hint);
    const auto leads_to = resolved(host, place.path);
    if (lie_within(leads_to, resolved(host, repository)))
        return problems.error(*path,
                              fmt::format("leads to {}, which must not lie inside the repository ({}) or around it",
                                          excerpt(leads_to.native()), excerpt(repository.native())),
                              hint);
    check_mount(problems, config, host, node, place);
}

void check(Problems& problems, const Config& /*config*/, const Host& /*host*/, const Node& node,
           const model::S3Place& place) {
    const auto* provider = node.usable("provider");
    if (provider != nullptr && place.endpoint.empty() && node.find("endpoint") == nullptr && place.provider != "aws")
        problems.missing(node, "endpoint",
                         fmt::format("the URL of the service, which provider: {} does not tell", place.provider));
    if (provider != nullptr && place.provider == "aws" && place.region.empty() && node.find("region") == nullptr)
        problems.missing(node, "region", "as in region: eu-central-1");
    const bool has_id = node.find("access_key_id") != nullptr;
    const bool has_secret = node.find("secret_access_key") != nullptr;
    if (has_id && !has_secret)
        problems.missing(node, "secret_access_key", "an access key needs its secret, as {credential: NAME}");
    if (has_secret && !has_id) problems.missing(node, "access_key_id", "a secret needs its access key");
    const auto* token = node.usable("session_token");
    if (token != nullptr && !has_id)
        problems.error(*token, "a session token belongs to an access key", "give access_key_id and secret_access_key");
}

void check(Problems& /*problems*/, const Config& /*config*/, const Host& /*host*/, const Node& /*node*/,
           const model::SftpPlace& /*place*/) {}

void check(Problems& problems, const Config& /*config*/, const Host& /*host*/, const Node& node,
           const model::RclonePlace& place) {
    const auto* remote = node.usable("remote");
    if (remote == nullptr) return;
    if (place.remote.starts_with('-') || place.remote.find(':') == std::string::npos)
        problems.error(*remote, fmt::format("must be a remote of rclone (got \"{}\")", excerpt(place.remote)),
                       "as in remote: \"gdrive:backups\"; for a local directory use type: directory");
}

// The same text for what is the same place, however it is spelled; empty: it is not told whole.

std::string key_of(const Host& host, const model::DirectoryPlace& place) {
    return resolved(host, place.path).native();
}

std::string key_of(const Host& /*host*/, const model::S3Place& place) {
    if (place.bucket.empty()) return {};
    const auto server = place.endpoint.empty() ? place.provider + " " + place.region : base::to_lower(place.endpoint);
    return fmt::format("{} {}/{}", server, place.bucket, place.prefix);
}

std::string key_of(const Host& /*host*/, const model::SftpPlace& place) {
    if (place.host.empty() || place.path.empty()) return {};
    const auto path = (std::filesystem::path(place.path) / "").lexically_normal();
    // Another account has another home.
    const auto user = path.is_absolute() ? std::string() : place.user;
    return fmt::format("{}@{}:{} {}", user, base::to_lower(place.host), place.port, path.native());
}

std::string key_of(const Host& /*host*/, const model::RclonePlace& place) {
    if (place.remote.empty()) return {};
    auto remote = place.remote;
    while (remote.ends_with('/')) remote.pop_back();
    return fmt::format("{} {}", place.config_file.native(), remote);
}

const Node* find_text(const Node* list, const std::string& text) {
    if (list == nullptr) return nullptr;
    for (const auto& child : list->children)
        if (child.text == text) return &child;
    return nullptr;
}

}  // namespace

void check_target(Problems& problems, const Config& config, const Host& host, const Named<model::TargetSpec>& target) {
    if (target.name == "local")
        problems.error_at_key(*target.node, "the name is taken: it means the repository on this host",
                              "call it by what it is, as in nas or r2");
    std::visit([&](const auto& place) { check(problems, config, host, *target.node, place); }, target.value.place);
}

void check_places(Problems& problems, const Host& host, const Draft& draft) {
    std::map<std::pair<std::size_t, std::string>, std::string> first;  // the target that has that place
    std::map<std::string, std::string> twin;                           // of a target: the one before it at its place
    for (const auto& target : draft.targets) {
        const auto& children = target.node->children;
        if (std::any_of(children.begin(), children.end(), [](const Node& child) { return child.refused; })) continue;
        const auto text = std::visit([&](const auto& place) { return key_of(host, place); }, target.value.place);
        if (text.empty()) continue;
        const auto key = std::pair(target.value.place.index(), text);
        const auto [found, is_first] = first.emplace(key, target.name);
        if (!is_first) twin.emplace(target.name, found->second);
    }
    std::set<std::string> told;
    for (const auto& job : draft.jobs) {
        std::map<std::string, std::string> seen;  // by the first target of a place: the one that this job has
        for (const auto& name : job.value.targets) {
            const auto found = twin.find(name);
            const auto& place = found == twin.end() ? name : found->second;
            const auto [other, is_new] = seen.emplace(place, name);
            const auto* at = find_text(job.node->usable("targets"), name);
            if (is_new || other->second == name || at == nullptr) continue;
            problems.error(*at, fmt::format("{} is the same place as {}", name, other->second),
                           "each would prune the other's copies: name one of them, or give them places of their own");
            told.insert({name, other->second, place});
        }
    }
    for (const auto& target : draft.targets) {
        const auto found = twin.find(target.name);
        if (found == twin.end() || told.contains(target.name)) continue;
        problems.warning(*target.node, fmt::format("this is the same place as target {}", found->second),
                         "each lists the other's sets; no job may have both");
    }
}

}  // namespace pgbakd::config
