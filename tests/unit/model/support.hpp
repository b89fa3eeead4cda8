// Values that the tests of lib/model share.
#pragma once

#include "model/json.hpp"
#include "support/common.hpp"

inline pgbakd::base::Timestamp at(std::string_view text) {
    return pgbakd::model::parse_time(text).value();
}

inline pgbakd::base::RunId run_id() {
    return pgbakd::base::RunId::parse("01JHAF7Z8QZX3M5N7P9RATCVEW").value();
}

// A set in which every field says something.
inline pgbakd::model::BackupSet full_set() {
    using namespace pgbakd::model;
    BackupSet set;
    set.id = {"shop-daily", "20260113_000001"};
    set.run = run_id();
    set.host = "db1";
    set.trigger = "schedule";
    set.milestone = "phase2";
    set.started_at = at("2026-01-12T16:00:01.250Z");
    set.finished_at = at("2026-01-12T16:00:05Z");
    set.timezone = "Asia/Shanghai";
    set.started_at_local = "2026-01-13T00:00:01+08:00";
    set.finished_at_local = "2026-01-13T00:00:05+08:00";
    set.complete = false;
    set.missing = {{"gone", "database \"gone\" does not exist"}};
    set.source = {.type = "pg_dump",
                  .server = "main",
                  .databases = {"shöp", "a/b"},
                  .server_version = "15.8 (Debian 15.8-0+deb12u1)",
                  .server_version_number = 150008,
                  .client_version = "pg_dump (PostgreSQL) 15.8",
                  .system_identifier = "7321"};
    set.artifacts = {{.file = "sh%C3%B6p_20260113_000001.dump",
                      .kind = "database",
                      .database = "shöp",
                      .format = "custom",
                      .bytes = 18'446'744'073'709'551'615U,
                      .raw_bytes = 9000,
                      .sha256 = std::string(64, 'a'),
                      .compression = "gzip:6",
                      .encryption = "age",
                      .verified = Verification::decoded,
                      .verified_at = at("2026-01-12T16:00:04Z")},
                     {.file = "globals_20260113_000001.sql.gz",
                      .kind = "globals",
                      .database = "",
                      .format = "plain",
                      .bytes = 7,
                      .raw_bytes = 5,
                      .sha256 = std::string(64, '0'),
                      .compression = "gzip:6",
                      .encryption = "",
                      .verified = Verification::hashed,
                      .verified_at = {}}};
    set.databases = {
        {.database = "shöp",
         .encoding = "UTF8",
         .collation = "icu:de-DE",
         .properties =
             DatabaseProperties{.owner = "o\"wner",
                                .locale_provider = "icu",
                                .collate = "C",
                                .ctype = "C.UTF-8",
                                .locale = "de-DE",
                                .icu_rules = "& V << w",
                                .tablespace = "fast",
                                .connection_limit = 0,
                                .is_template = true,
                                .comment = "a\nb",
                                .privileges = {{{"o\"wner", "", "CONNECT", false}, {"o\"wner", "app", "CREATE", true}}},
                                .settings = {{"", "search_path", "a, \"B\""}, {"app", "my.x", ""}}},
         .snapshot = "00000003-0000001B-1",
         .snapshot_lsn = "0/15A2B38",
         .extensions = {"plpgsql 1.0", "uuid-ossp 1.1"},
         .fingerprinted = true,
         .fingerprint = {{"public", "items", 12}, {"o\"dd", "ta\nble", 0}}},
        {.database = "a/b",
         .encoding = {},
         .collation = {},
         .properties = {},
         .snapshot = {},
         .snapshot_lsn = {},
         .extensions = {},
         .fingerprinted = false,
         .fingerprint = {},
         .rows = 12'345'678'901U}};
    set.restore_order = {"globals_20260113_000001.sql.gz", "sh%C3%B6p_20260113_000001.dump"};
    set.stock_restore = {"gunzip -c globals_20260113_000001.sql.gz | psql -X postgres"};
    set.system = {.hostname = "db1.example", .user = "pgbakd", .pgbakd_version = "0.1.0"};
    return set;
}
