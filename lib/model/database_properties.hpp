// What a database is beside what is in it: all that CREATE DATABASE and ALTER DATABASE say of it. An archive of pg_dump
// holds it, plain SQL does not.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pgbakd::model {

// ALTER DATABASE … SET, or ALTER ROLE … IN DATABASE … SET. The value is as pg_db_role_setting has it.
struct DatabaseSetting {
    std::string role;  // empty: for all roles
    std::string name;
    std::string value;
    bool operator==(const DatabaseSetting&) const = default;
};

struct DatabasePrivilege {
    std::string grantor;
    std::string grantee;    // empty: PUBLIC
    std::string privilege;  // "CONNECT"
    bool grantable = false;
    bool operator==(const DatabasePrivilege&) const = default;
};

struct DatabaseProperties {
    std::string owner;
    std::string locale_provider;  // "libc", "icu", "builtin"
    std::string collate;          // LC_COLLATE
    std::string ctype;            // LC_CTYPE
    std::string locale;           // of the providers icu and builtin
    std::string icu_rules;
    std::string tablespace;     // empty: pg_default
    int connection_limit = -1;  // -1: none
    bool is_template = false;
    std::string comment;
    // In the order of the access list; nothing if the list is the one that every new database has.
    std::optional<std::vector<DatabasePrivilege>> privileges;
    std::vector<DatabaseSetting> settings;
    bool operator==(const DatabaseProperties&) const = default;
};

}  // namespace pgbakd::model
