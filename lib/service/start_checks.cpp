#include "service/start_checks.hpp"

#include <fmt/format.h>

#include "host/secrets.hpp"
#include "service/authorization.hpp"

namespace pgbakd::service {
namespace {

using Severity = config::Problem::Severity;

void check(std::vector<config::Problem>& problems, const model::SecretReference& reference,
           Severity severity = Severity::error) {
    try {
        (void)host::resolve_secret(reference);
    } catch (const base::Error& error) {
        problems.push_back({severity, {}, 0, 0, {}, error.message(), error.hint()});
    }
}

void check_token(std::vector<config::Problem>& problems, const config::Config& config) {
    if (!config.api_listen) return;
    try {
        const auto token = host::resolve_secret(config.api_token);
        const std::string hint = "make one: openssl rand -hex 32";
        if (token.empty())
            problems.push_back({config::Problem::Severity::error, {}, 0, 0, "api.token", "the token is empty", hint});
        else if (token.reveal().size() < shortest_token)
            problems.push_back({config::Problem::Severity::warning,
                                {},
                                0,
                                0,
                                "api.token",
                                fmt::format("the token has {} characters: it can be guessed", token.reveal().size()),
                                hint});
    } catch (const base::Error& error) {
        problems.push_back({config::Problem::Severity::error, {}, 0, 0, {}, error.message(), error.hint()});
    }
}

}  // namespace

std::vector<config::Problem> unreadable_secrets(const config::Config& config) {
    std::vector<config::Problem> problems;
    for (const auto& [name, server] : config.servers) check(problems, server.password);
    for (const auto& [name, target] : config.targets)
        for (const auto& secret : model::secrets_of(target)) check(problems, secret);
    // Backups go on where nobody can be told of them: what waits is sent once the secret is there.
    for (const auto& [name, channel] : config.channels)
        for (const auto& secret : model::secrets_of(channel)) check(problems, secret, Severity::warning);
    check_token(problems, config);
    return problems;
}

base::Secret api_token(const config::Config& config) {
    return config.api_listen ? host::resolve_secret(config.api_token) : base::Secret();
}

}  // namespace pgbakd::service
