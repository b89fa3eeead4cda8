#include "service/start_checks.hpp"

#include "host/secrets.hpp"

namespace pgbakd::service {
namespace {

void check(std::vector<config::Problem>& problems, const model::SecretReference& reference) {
    try {
        (void)host::resolve_secret(reference);
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
    return problems;
}

}  // namespace pgbakd::service
