// Credentials of a role that this machine, container or pod has, found as AWS's own tools find them.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#pragma once

#include <memory>
#include <string>

#include "async/pool.hpp"
#include "http/client.hpp"
#include "target/credentials.hpp"

namespace pgbakd::target {

struct RoleOptions {
    AwsVariables variables;
    std::string region;  // of the target: that of STS, unless AWS_REGION says otherwise; may be empty
    http::Options http;  // certificates of STS; how long it is waited for
};

// For a target whose configuration names no key, the first of these that the variables tell of:
// - AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY themselves;
// - AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: STS gives credentials for the token (AWS_ROLE_SESSION_NAME,
//   AWS_ENDPOINT_URL_STS);
// - AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: the container's endpoint gives them
//   (AWS_CONTAINER_AUTHORIZATION_TOKEN, _TOKEN_FILE);
// - else the instance's metadata service, version 2 (AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_DISABLED).
// Throws invalid_configuration for variables that are wrong. The source's errors name what was asked; no answer where
// there is no such service is passing, for it may be the network that is not up yet. Pool and clock outlive it.
[[nodiscard]] std::shared_ptr<CredentialSource> role_credentials(const asio::any_io_executor& executor,
                                                                 RoleOptions options, async::Pool& pool,
                                                                 const base::Clock& clock);

}  // namespace pgbakd::target
