#include "source/database_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "postgres/session.hpp"

namespace pgbakd::source {
namespace {

using postgres::quote_identifier;
using postgres::quote_literal;

constexpr std::string_view read_only = "default_transaction_read_only";

bool needs_no_quotes(char c) {
    return base::is_letter(c) || base::is_digit(c) || std::string_view("_.-/%+:,").find(c) != std::string_view::npos;
}

// Settings whose value is a list of names (variable_is_guc_list_quote() of src/bin/pg_dump/dumputils.c): as one
// literal it would be one name.
bool is_list(std::string_view setting) {
    constexpr std::array<std::string_view, 6> lists{"local_preload_libraries",   "search_path",
                                                    "session_preload_libraries", "shared_preload_libraries",
                                                    "temp_tablespaces",          "unix_socket_directories"};
    const auto name = base::to_lower(setting);
    return std::find(lists.begin(), lists.end(), name) != lists.end();
}

// `a, "B ""c"""` as literals: 'a', 'B "c"'.
std::string list_literals(std::string_view text) {
    std::vector<std::string> literals;
    std::string item;
    bool quoted = false;
    const auto end_item = [&] {
        literals.push_back(quote_literal(item));
        item.clear();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
            item += text[++i];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            end_item();
        } else if (quoted || (c != ' ' && c != '\t')) {
            item += c;
        }
    }
    end_item();
    return base::join(literals, ", ");
}

std::string setting_statement(const std::string& database, const model::DatabaseSetting& setting) {
    const auto whose = setting.role.empty()
                           ? "DATABASE " + database
                           : fmt::format("ROLE {} IN DATABASE {}", quote_identifier(setting.role), database);
    const auto value = is_list(setting.name) ? list_literals(setting.value) : quote_literal(setting.value);
    return fmt::format("ALTER {} SET {} TO {}", whose, quote_identifier(setting.name), value);
}

std::string role_name(const std::string& role) {
    return role.empty() ? "PUBLIC" : quote_identifier(role);
}

void add_privileges(std::vector<std::string>& statements, const std::string& database,
                    const model::DatabaseProperties& properties) {
    statements.push_back(fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", database));
    statements.push_back(
        fmt::format("REVOKE ALL ON DATABASE {} FROM {}", database, quote_identifier(properties.owner)));
    const auto& list = *properties.privileges;
    for (auto next = list.begin(); next != list.end();) {
        // One statement for what one role was given by another at once.
        std::vector<std::string> granted;
        const auto& first = *next;
        for (; next != list.end() && next->grantor == first.grantor && next->grantee == first.grantee &&
               next->grantable == first.grantable;
             ++next)
            granted.push_back(next->privilege);
        auto statement = fmt::format("GRANT {} ON DATABASE {} TO {}{}", base::join(granted, ", "), database,
                                     role_name(first.grantee), first.grantable ? " WITH GRANT OPTION" : "");
        // A superuser's grants are the owner's; those of others must come from them.
        if (first.grantor != properties.owner)
            statement = fmt::format("SET SESSION AUTHORIZATION {}; {}; RESET SESSION AUTHORIZATION",
                                    quote_identifier(first.grantor), statement);
        statements.push_back(std::move(statement));
    }
}

}  // namespace

std::string shell_word(std::string_view text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), needs_no_quotes)) return std::string(text);
    std::string word = "'";
    for (const auto c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

std::string create_command(const model::DatabaseFacts& facts, const config::DumpTraits& traits, int server_version) {
    std::string command = "createdb --template=template0";
    const auto add = [&command](std::string_view option, const std::string& value) {
        if (!value.empty()) command += fmt::format(" --{}={}", option, shell_word(value));
    };
    add("encoding", facts.encoding);
    if (facts.properties) {
        const auto& properties = *facts.properties;
        // Before 15 there was one provider only, and no option to name it.
        if (server_version >= 150000) add("locale-provider", properties.locale_provider);
        add("lc-collate", properties.collate);
        add("lc-ctype", properties.ctype);
        add(properties.locale_provider == "builtin" ? "builtin-locale" : "icu-locale", properties.locale);
        add("icu-rules", properties.icu_rules);
        if (traits.with_tablespaces) add("tablespace", properties.tablespace);
        if (traits.with_owner) add("owner", properties.owner);
    }
    return command + " -- " + shell_word(facts.database);
}

std::vector<std::string> property_statements(const model::DatabaseFacts& facts, const config::DumpTraits& traits,
                                             bool existing) {
    std::vector<std::string> statements;
    if (!facts.properties) return statements;
    const auto& properties = *facts.properties;
    const auto database = quote_identifier(facts.database);
    if (properties.connection_limit >= 0)
        statements.push_back(
            fmt::format("ALTER DATABASE {} CONNECTION LIMIT {}", database, properties.connection_limit));
    if (traits.with_comments && !properties.comment.empty())
        statements.push_back(fmt::format("COMMENT ON DATABASE {} IS {}", database, quote_literal(properties.comment)));
    for (const auto& setting : properties.settings) statements.push_back(setting_statement(database, setting));
    if (traits.with_privileges && properties.privileges) add_privileges(statements, database, properties);
    if (properties.is_template && !existing)
        statements.push_back(fmt::format("ALTER DATABASE {} IS_TEMPLATE true", database));
    return statements;
}

std::string property_command(const std::vector<std::string>& statements) {
    if (statements.empty()) return {};
    std::string command = "psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres";
    for (const auto& statement : statements) command += " --command=" + shell_word(statement);
    return command;
}

std::string restore_environment(const model::DatabaseFacts& facts) {
    if (!facts.properties) return {};
    const auto& settings = facts.properties->settings;
    const bool forbidden =
        std::any_of(settings.begin(), settings.end(), [](const auto& setting) { return setting.name == read_only; });
    return forbidden ? fmt::format("PGOPTIONS='-c {}=off' ", read_only) : std::string{};
}

}  // namespace pgbakd::source
