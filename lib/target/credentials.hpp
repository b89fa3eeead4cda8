// What requests to S3 are signed with, and where it comes from: the configuration, the environment, or a role's
// endpoint (role_credentials.hpp), whose credentials end and are fetched again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/asio.hpp"
#include "async/stop.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "target/sigv4.hpp"

namespace pgbakd::target {

class CredentialSource {
  public:
    CredentialSource() = default;
    CredentialSource(const CredentialSource&) = delete;
    CredentialSource& operator=(const CredentialSource&) = delete;
    virtual ~CredentialSource() = default;
    // Throws base::Error where they cannot be had.
    virtual asio::awaitable<Credentials> get(async::StopToken stop) = 0;
    // The service says that those it gave have ended. Whether others may come of another get().
    [[nodiscard]] virtual bool discard() = 0;
};

// Those of the configuration.
[[nodiscard]] std::shared_ptr<CredentialSource> fixed_credentials(Credentials credentials);

// The variables of an environment that begin with "AWS_": some of them are secrets.
using AwsVariables = std::map<std::string, base::Secret, std::less<>>;
// Those of this process.
[[nodiscard]] AwsVariables aws_variables();
// The value, or an empty text.
[[nodiscard]] std::string_view variable(const AwsVariables& variables, std::string_view name) noexcept;

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; nothing where there is no key. Throws
// invalid_configuration where one of the first two is missing.
[[nodiscard]] std::optional<Credentials> credentials_of(const AwsVariables& variables);

struct Session {
    Credentials credentials;
    std::optional<base::Timestamp> ends;
};

// Asks `fetch` before the first use and 5 minutes before what it gave ends. Callers at one time share one question and
// its answer, be it an error. While those that are had still hold, a failure is not told, and asked again after half
// a minute. Reactor thread only; the clock outlives it.
[[nodiscard]] std::shared_ptr<CredentialSource> refreshed_credentials(
    const asio::any_io_executor& executor, const base::Clock& clock,
    std::function<asio::awaitable<Session>(async::StopToken)> fetch);

}  // namespace pgbakd::target
