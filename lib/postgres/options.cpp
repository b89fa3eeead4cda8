// What a session is told when it starts, and what it must not listen to.
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "os/user.hpp"
#include "postgres/connection.hpp"

namespace pgbakd::postgres {

Place place_of(const ConnectOptions& options) {
    const auto system_user = options.system_user.empty() ? os::user_name() : options.system_user;
    return {options.server, options.host, options.port,         options.database,
            options.user,   system_user,  options.database_key, options.replication};
}

std::string startup_options(const ConnectOptions& options) {
    // Nothing that the administrator set for the role or the database may change what the statements here mean or how
    // long they may take. Settings that not every supported version has are made after connecting.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> ours{{
        {"search_path", ""},
        {"datestyle", "ISO"},
        {"standard_conforming_strings", "on"},
        {"default_transaction_isolation", "read committed"},
        {"statement_timeout", "0"},
        {"lock_timeout", "0"},
        {"idle_in_transaction_session_timeout", "0"},
        {"tcp_keepalives_idle", "60"},
        {"jit", "off"},
    }};
    std::string text;
    const auto add = [&text](std::string_view name, std::string_view value) {
        if (!text.empty()) text += ' ';
        text.append("-c ").append(name).append("=");
        for (const char c : value) {
            if (c == ' ' || c == '\\' || c == '\t' || c == '\n') text += '\\';
            text += c;
        }
    };
    for (const auto& [name, value] : ours) add(name, value);
    for (const auto& [name, value] : options.settings) add(name, value);
    return text;
}

void ignore_environment() noexcept {
    // The variables of libpq (its manual, "Environment Variables"), up to PostgreSQL 18.
    static constexpr std::array variables{"PGHOST",
                                          "PGHOSTADDR",
                                          "PGPORT",
                                          "PGDATABASE",
                                          "PGUSER",
                                          "PGPASSWORD",
                                          "PGPASSFILE",
                                          "PGREQUIREAUTH",
                                          "PGCHANNELBINDING",
                                          "PGSERVICE",
                                          "PGSERVICEFILE",
                                          "PGOPTIONS",
                                          "PGAPPNAME",
                                          "PGSSLMODE",
                                          "PGREQUIRESSL",
                                          "PGSSLNEGOTIATION",
                                          "PGSSLCOMPRESSION",
                                          "PGSSLCERT",
                                          "PGSSLKEY",
                                          "PGSSLCERTMODE",
                                          "PGSSLROOTCERT",
                                          "PGSSLCRL",
                                          "PGSSLCRLDIR",
                                          "PGSSLSNI",
                                          "PGREQUIREPEER",
                                          "PGSSLMINPROTOCOLVERSION",
                                          "PGSSLMAXPROTOCOLVERSION",
                                          "PGMINPROTOCOLVERSION",
                                          "PGMAXPROTOCOLVERSION",
                                          "PGGSSENCMODE",
                                          "PGKRBSRVNAME",
                                          "PGGSSLIB",
                                          "PGGSSDELEGATION",
                                          "PGCONNECT_TIMEOUT",
                                          "PGCLIENTENCODING",
                                          "PGTARGETSESSIONATTRS",
                                          "PGLOADBALANCEHOSTS",
                                          "PGDATESTYLE",
                                          "PGTZ",
                                          "PGGEQO",
                                          "PGSYSCONFDIR",
                                          "PGLOCALEDIR"};
    // Documented for the time before there is a second thread.
    for (const char* variable : variables) unsetenv(variable);  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace pgbakd::postgres
