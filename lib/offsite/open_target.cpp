// From what an administrator declared to a target that can be used.
#include <fmt/format.h>

#include "async/own_pool.hpp"
#include "offsite/targets.hpp"
#include "target/directory_target.hpp"
#include "target/rclone_target.hpp"
#include "target/retry.hpp"
#include "target/role_credentials.hpp"
#include "target/s3_target.hpp"
#include "target/sftp_target.hpp"

namespace pgbakd::offsite {
namespace {

constexpr std::size_t own_threads = 4;

target::RetryPolicy retry_policy(const std::string& name, const Surroundings& around,
                                 const std::shared_ptr<target::Meter>& meter) {
    target::RetryPolicy policy;
    policy.random = around.random;
    if (around.on_stall)
        policy.on_retry = [name, meter, tell = around.on_stall](const base::Error& error) {
            if (error.code() == base::ErrorCode::timed_out && !std::exchange(meter->stall_told, true))
                tell(name, error);
        };
    return policy;
}

// A target with a pool of its own: a server that is away holds these threads, and nobody else's.
struct WithPool {
    async::Pool pool{own_threads, 0};
    TargetPtr target;
};

// To end a pool is to wait for its threads, and the reactor must not wait for a mount whose server is away.
void end_aside(WithPool* held) {
    async::end_aside([held] { delete held; });  // NOLINT(cppcoreguidelines-owning-memory)
}

std::shared_ptr<WithPool> own_pool() {
    return std::shared_ptr<WithPool>(new WithPool, end_aside);
}

TargetPtr open_place(const std::string& name, const model::DirectoryPlace& place, const Surroundings& around,
                     const target::RetryPolicy& /*retry*/) {
    const auto held = own_pool();
    target::DirectoryOptions options;
    options.name = name;
    options.path = place.path;
    options.require_mount = place.require_mount.required;
    options.mount_point = place.require_mount.point;
    options.repository = place.repository;
    held->target = target::make_directory_target(std::move(options), held->pool, around.clock);
    return {held, held->target.get()};
}

TargetPtr open_place(const std::string& name, const model::RclonePlace& place, const Surroundings& around,
                     const target::RetryPolicy& /*retry*/) {
    target::RcloneOptions options;
    options.name = name;
    options.remote = place.remote;
    options.config_file = place.config_file;
    options.runtime_directory = around.runtime_directory;
    options.program = target::find_rclone(around.search_path).value();
    if (place.config_password.kind != model::SecretReference::Kind::none)
        options.environment.push_back({"RCLONE_CONFIG_PASS", around.secret(place.config_password)});
    return target::make_rclone_target(std::move(options), around.pool, around.clock);
}

TargetPtr open_place(const std::string& name, const model::SftpPlace& place, const Surroundings& around,
                     const target::RetryPolicy& retry) {
    target::SftpTargetOptions options;
    options.name = name;
    options.server.host = place.host;
    options.server.port = place.port;
    options.server.user = place.user;
    options.server.key_file = place.key_file;
    options.server.passphrase = around.secret(place.key_passphrase);
    options.server.known_hosts = place.known_hosts;
    options.path = place.path;
    options.retry = retry;
    const auto held = own_pool();
    held->target = target::make_sftp_target(std::move(options), held->pool, around.clock);
    return {held, held->target.get()};
}

// Those of the configuration; where it names none, the environment's or the role's.
std::shared_ptr<target::CredentialSource> credentials_of(const model::S3Place& place, const target::S3Options& options,
                                                         const Surroundings& around) {
    if (place.access_key_id.kind == model::SecretReference::Kind::none) {
        target::RoleOptions role{target::aws_variables(), options.region, options.http};
        return target::role_credentials(around.executor, std::move(role), around.pool, around.clock);
    }
    target::Credentials credentials;
    credentials.access_key_id = around.secret(place.access_key_id).reveal();
    credentials.secret_access_key = around.secret(place.secret_access_key);
    credentials.session_token = around.secret(place.session_token);
    return target::fixed_credentials(std::move(credentials));
}

target::Addressing addressing_of(const model::S3Place& place, const target::S3Profile& profile) {
    if (!place.addressing) return profile.addressing;
    return *place.addressing == model::S3Addressing::path ? target::Addressing::path : target::Addressing::virtual_host;
}

TargetPtr open_place(const std::string& name, const model::S3Place& place, const Surroundings& around,
                     const target::RetryPolicy& retry) {
    const auto* profile = target::find_s3_profile(place.provider);
    if (profile == nullptr)
        throw base::Error(base::ErrorCode::invalid_configuration,
                          fmt::format("there is no provider {}", place.provider));
    target::S3Options options;
    options.name = name;
    options.profile = profile;
    options.region = place.region.empty() ? std::string(profile->region) : place.region;
    options.endpoint =
        target::parse_endpoint(*profile, place.endpoint, options.region, place.bucket, addressing_of(place, *profile))
            .value();
    target::check_storage_class(*profile, place.storage_class).value();
    options.prefix = place.prefix;
    options.storage_class = place.storage_class;
    options.encryption = place.server_side_encryption;
    options.part_size = place.part_size;
    options.concurrent_parts = static_cast<std::uint64_t>(place.concurrent_parts);
    options.http.ca_file = place.ca_file;
    options.retry = retry;
    auto credentials = credentials_of(place, options, around);
    return target::make_s3_target(around.executor, std::move(options), std::move(credentials), around.pool,
                                  around.clock);
}

}  // namespace

bool wait_for_closed_targets(std::chrono::milliseconds patience) {
    return async::wait_for_ends_aside(patience);
}

TargetPtr open_target(const model::TargetSpec& spec, const Surroundings& around,
                      std::shared_ptr<target::RateLimiter> limiter, std::shared_ptr<target::Meter> meter) {
    const auto retry = retry_policy(spec.name, around, meter);
    auto target =
        std::visit([&](const auto& place) { return open_place(spec.name, place, around, retry); }, spec.place);
    target = target::with_retry(std::move(target), retry);
    // The meter within the limit: what waits for that was not offered to the target yet.
    target = target::with_meter(std::move(target), std::move(meter), around.clock);
    return target::with_rate_limit(std::move(target), std::move(limiter));
}

}  // namespace pgbakd::offsite
