#include "config/check_target.hpp"

#include <fmt/format.h>

#include "config/paths.hpp"

namespace pgbakd::config {
namespace {

// A copy inside the repository is no copy, and would be taken for a job.
void check(Problems& problems, const Config& config, const Node& node, const model::DirectoryPlace& place) {
    const auto* path = node.usable("path");
    if (path == nullptr) return;
    const auto& repository = config.repository.directory;
    if (is_within(place.path, repository) || is_within(repository, place.path))
        problems.error(
            *path, fmt::format("must not lie inside the repository ({}) or around it", excerpt(repository.native())),
            "give the copies a directory of their own, on another disk");
}

void check(Problems& problems, const Config& /*config*/, const Node& node, const model::S3Place& place) {
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

void check(Problems& /*problems*/, const Config& /*config*/, const Node& /*node*/, const model::SftpPlace& /*place*/) {}

void check(Problems& problems, const Config& /*config*/, const Node& node, const model::RclonePlace& place) {
    const auto* remote = node.usable("remote");
    if (remote == nullptr) return;
    if (place.remote.starts_with('-') || place.remote.find(':') == std::string::npos)
        problems.error(*remote, fmt::format("must be a remote of rclone (got \"{}\")", excerpt(place.remote)),
                       "as in remote: \"gdrive:backups\"; for a local directory use type: directory");
}

}  // namespace

void check_target(Problems& problems, const Config& config, const Named<model::TargetSpec>& target) {
    if (target.name == "local")
        problems.error_at_key(*target.node, "the name is taken: it means the repository on this host",
                              "call it by what it is, as in nas or r2");
    std::visit([&](const auto& place) { check(problems, config, *target.node, place); }, target.value.place);
}

}  // namespace pgbakd::config
