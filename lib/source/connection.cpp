#include "source/connection.hpp"

#include <algorithm>

namespace pgbakd::source {
namespace {

constexpr const char* name_variable = "PGAPPNAME";

}  // namespace

std::string application_name(const std::string& run_id) {
    return "pgbakd/" + run_id;
}

os::Command::Variable mark_variable(const std::string& run_id) {
    return application_variable(application_name(run_id));
}

os::Command::Variable application_variable(const std::string& application) {
    return {name_variable, base::Secret(application)};
}

bool is_mark(const os::Command::Variable& variable) {
    return variable.name == name_variable;
}

std::string process_mark(const std::string& run_id) {
    return std::string(name_variable) + "=" + application_name(run_id);
}

postgres::ConnectOptions connect_options(const model::ServerSpec& server, const base::Secret& password,
                                         const std::string& database, const std::string& application) {
    postgres::ConnectOptions options;
    options.server = server.name;
    options.host = server.host;
    options.port = server.port;
    options.user = server.user;
    options.password = password;
    options.password_configured = server.password.kind != model::SecretReference::Kind::none;
    options.passfile = server.passfile.string();
    options.sslmode = server.sslmode;
    options.sslrootcert = server.sslrootcert.string();
    options.connect_timeout = server.connect_timeout;
    options.database = database;
    options.application_name = application;
    return options;
}

std::vector<os::Command::Variable> client_environment(const postgres::ConnectOptions& options, int server_version) {
    std::vector<os::Command::Variable> variables;
    const auto put = [&variables](const char* name, std::string value) {
        if (!value.empty()) variables.push_back({name, base::Secret(std::move(value))});
    };
    put("PGHOST", options.host);
    put("PGPORT", options.port == 0 ? std::string{} : std::to_string(options.port));
    put("PGUSER", options.user);
    put("PGPASSWORD", std::string(options.password.reveal()));
    put("PGPASSFILE", options.passfile);
    put("PGSSLMODE", options.sslmode);
    put("PGSSLROOTCERT", options.sslrootcert);
    put("PGDATABASE", options.database);
    put(name_variable, options.application_name);
    // Causes are told by their English words (program_stream.cpp).
    put("LC_ALL", "C");
    // libpq counts in seconds and takes 1 for 2.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count();
    put("PGCONNECT_TIMEOUT", std::to_string(std::max<std::int64_t>(2, seconds)));
    // A backend whose client is gone (killed, or its host lost) notices within a second instead of holding its locks
    // until it next writes. PostgreSQL 14 and later.
    std::string settings = "-c idle_in_transaction_session_timeout=0";
    if (server_version >= 140000) settings += " -c client_connection_check_interval=1000 -c idle_session_timeout=0";
    put("PGOPTIONS", settings);
    return variables;
}

}  // namespace pgbakd::source
