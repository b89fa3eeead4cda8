#include "config/check_target.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <string_view>
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

// Whether options stand in the remote itself (":sftp,host=h,pass=x:path", "drive,pass=x:path"); with a slash first it
// is a path of this host. https://rclone.org/docs/#connection-strings
bool is_connection_string(std::string_view remote) {
    const auto end = remote.find_first_of(":,=/");
    if (end == std::string_view::npos || remote[end] == '/') return false;
    return remote[end] != ':' || base::trim(remote.substr(0, end)).empty();
}

void check(Problems& problems, const Config& /*config*/, const Host& /*host*/, const Node& node,
           const model::RclonePlace& place) {
    const auto* remote = node.usable("remote");
    if (remote == nullptr) return;
    // Not repeated: there may be a password in it.
    if (is_connection_string(place.remote))
        return problems.error(*remote,
                              "must be the name of a remote and a path: with options in it, what they tell would be in "
                              "command lines, logs and reports",
                              "make a remote with those options in rclone's configuration (config_file), or by "
                              "RCLONE_CONFIG_… variables, and name it, as in remote: \"gdrive:backups\"");
    if (place.remote.starts_with('-') || place.remote.find(':') == std::string::npos)
        problems.error(*remote, fmt::format("must be a remote of rclone (got \"{}\")", excerpt(place.remote)),
                       "as in remote: \"gdrive:backups\"; for a local directory use type: directory");
}

// Without what changes nothing: ".", doubled slashes, those at the end. Empty: where one is already.
std::string plain_path(const std::string& text) {
    auto path = std::filesystem::path(text).lexically_normal().native();
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path == "." ? std::string() : path;
}

// As names are compared (RFC 4343), without the dot of the root; an IPv6 address in its one short form, in brackets.
std::string plain_host(std::string_view text) {
    auto host = base::to_lower(text);
    const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const auto address = in_brackets ? host.substr(1, host.size() - 2) : host;
    in6_addr parsed{};
    std::array<char, INET6_ADDRSTRLEN> shortest{};
    if (::inet_pton(AF_INET6, address.c_str(), &parsed) == 1 &&
        ::inet_ntop(AF_INET6, &parsed, shortest.data(), shortest.size()) != nullptr)
        return fmt::format("[{}]", shortest.data());
    if (host.ends_with('.')) host.pop_back();
    return host;
}

// The number, however it is written; 0: the scheme's own.
int plain_port(std::string_view scheme, std::string_view text) {
    int port = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), port);
    return port == (scheme == "https" ? 443 : 80) ? 0 : port;
}

// Hosts of S3's own buckets: s3.eu-west-1.…, the older s3-eu-west-1.…, s3-fips, s3-accelerate, s3.dualstack, and
// private ones as vpce-1.s3.eu-west-1.vpce.…; not what has names of its own, as s3-outposts and s3-object-lambda.
// https://docs.aws.amazon.com/general/latest/gr/s3.html
bool is_aws_host(std::string_view host) {
    if (!host.ends_with(".amazonaws.com") && !host.ends_with(".amazonaws.com.cn")) return false;
    for (const auto* other : {"s3-outposts.", "s3-object-lambda."})
        if (host.find(other) != std::string_view::npos) return false;
    for (const auto label : base::split(host, '.'))
        if (label == "s3" || label.starts_with("s3-")) return true;
    return false;
}

// The names of buckets are AWS's own in a partition, whichever region and kind of endpoint is asked; empty: not AWS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingBucket.html
std::string_view aws_partition(std::string_view host, std::string_view region) {
    if (!host.empty() && !is_aws_host(host)) return {};
    if (host.ends_with(".cn") || region.starts_with("cn-")) return "aws-cn";
    const bool is_government = host.find("us-gov-") != std::string_view::npos || region.starts_with("us-gov-");
    return is_government ? "aws-us-gov" : "aws";
}

// OSS's hosts: oss-cn-hangzhou, oss-cn-hangzhou-internal, vpc100-oss-cn-hangzhou, oss-accelerate,
// oss-accelerate-overseas, those with s3. in front, and the dual-stack cn-hangzhou.oss; not its console, nor what is no
// S3. A bucket's name is OSS's own in all regions.
// https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints
bool is_oss_host(std::string_view host) {
    if (!host.ends_with(".aliyuncs.com")) return false;
    for (const auto* other : {"oss-console.", "oss-accesspoint.", "oss-dls."})
        if (host.find(other) != std::string_view::npos) return false;
    for (const auto label : base::split(host, '.'))
        if (label == "oss" || label.starts_with("oss-") || label.find("-oss-") != std::string_view::npos) return true;
    return false;
}

// COS's hosts: cos.ap-guangzhou, cos-internal.ap-guangzhou, cos.accelerate and cos-internal.accelerate, below
// myqcloud.com and tencentcos.cn alike. The accelerated ones name a bucket without its region, so that its name, which
// ends with the account's number, tells which it is. The regions for finance (-fsi) are apart, and are not accelerated.
// https://www.tencentcloud.com/document/product/436/6224, https://cloud.tencent.com/document/product/436/38866
std::string cos_place(std::string_view host) {
    if (!host.ends_with(".myqcloud.com") && !host.ends_with(".tencentcos.cn")) return {};
    const auto labels = base::split(host, '.');
    for (std::size_t i = 0; i + 1 < labels.size(); ++i)
        if (labels[i] == "cos" || labels[i] == "cos-internal")
            return labels[i + 1].ends_with("-fsi") ? fmt::format("cos {}", labels[i + 1]) : "cos";
    return {};
}

// Where a provider goes by many names, whichever of them `host` is; empty: it is none of theirs.
std::string provider_place(std::string_view host) {
    if (const auto partition = aws_partition(host, {}); !partition.empty()) return std::string(partition);
    return is_oss_host(host) ? "oss" : cos_place(host);
}

std::string server_of(const model::S3Place& place) {
    const auto separator = place.endpoint.find("://");
    if (separator == std::string::npos)
        return place.provider == "aws" ? std::string(aws_partition({}, place.region)) : place.provider;
    const auto scheme = std::string_view(place.endpoint).substr(0, separator);
    const auto server = std::string_view(place.endpoint).substr(separator + 3);
    // The last colon outside the brackets of an IPv6 address.
    const auto colon = server.find(':', server.starts_with('[') ? server.find(']') : 0);
    const auto port =
        plain_port(scheme, colon == std::string_view::npos ? std::string_view() : server.substr(colon + 1));
    const auto host = plain_host(server.substr(0, colon));
    const auto provider = port == 0 ? provider_place(host) : std::string();
    return provider.empty() ? fmt::format("{}://{}:{}", scheme, host, port) : provider;
}

// The same text for what is the same place, however it is spelled; empty: it is not told whole.

std::string key_of(const Host& host, const model::DirectoryPlace& place) {
    return resolved(host, place.path).native();
}

std::string key_of(const Host& /*host*/, const model::S3Place& place) {
    if (place.bucket.empty()) return {};
    return fmt::format("{} {}/{}", server_of(place), place.bucket, place.prefix);
}

// What SftpStore makes of the path. Where the home is, only the server knows: an absolute path and one below the home
// are never the same here.
std::string key_of(const Host& /*host*/, const model::SftpPlace& place) {
    if (place.host.empty() || place.path.empty()) return {};
    auto path = place.path.starts_with("~/") ? place.path.substr(2) : place.path;
    path = plain_path(path);
    if (path == "~") path.clear();
    // Another account has another home.
    const auto user = path.starts_with('/') ? std::string() : place.user;
    return fmt::format("{}@{}:{} {}", user, plain_host(place.host), place.port, path);
}

// "drive:a" and "drive:/a" are the same for some services and not for others: nothing is said of them.
std::string key_of(const Host& host, const model::RclonePlace& place) {
    if (place.remote.empty()) return {};
    const auto end = place.remote.find_first_of(":/");
    const auto name_size = end == std::string::npos || place.remote[end] == '/' ? 0 : end + 1;
    const auto config_file = place.config_file.empty() ? place.config_file : resolved(host, place.config_file);
    return fmt::format("{} {}{}", config_file.native(), place.remote.substr(0, name_size),
                       plain_path(place.remote.substr(name_size)));
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
