#include "service/start_checks.hpp"

#include "host/secrets.hpp"

namespace pgbakd::service {

std::vector<config::Problem> unreadable_secrets(const config::Config& config) {
    std::vector<config::Problem> problems;
    for (const auto& [name, server] : config.servers) {
        try {
            (void)host::resolve_secret(server.password);
        } catch (const base::Error& error) {
            problems.push_back({config::Problem::Severity::error, {}, 0, 0, {}, error.message(), error.hint()});
        }
    }
    return problems;
}

}  // namespace pgbakd::service
