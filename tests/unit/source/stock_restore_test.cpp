// The commands by which a set is restored without pgbakd.
#include "source/stock_restore.hpp"

#include "source/database_commands.hpp"
#include "support/catch.hpp"

using namespace pgbakd;
using Lines = std::vector<std::string>;

namespace {

model::Artifact artifact(std::string file, std::string kind, std::string database, std::string format) {
    model::Artifact result;
    result.file = std::move(file);
    result.kind = std::move(kind);
    result.database = std::move(database);
    result.format = std::move(format);
    return result;
}

model::DatabaseFacts facts(std::string database, model::DatabaseProperties properties) {
    model::DatabaseFacts result;
    result.database = std::move(database);
    result.encoding = "UTF8";
    result.properties = std::move(properties);
    return result;
}

std::string create(const model::DatabaseProperties& properties, int server_version, const Lines& options = {}) {
    return source::create_command(facts("shop", properties), config::dump_traits(options), server_version);
}

}  // namespace

TEST_CASE("the stock commands quote what a shell would read, and nothing else") {
    CHECK(source::shell_word("shop_20260113.dump") == "shop_20260113.dump");
    CHECK(source::shell_word("a b") == "'a b'");
    CHECK(source::shell_word("it's; rm -rf $(x)") == "'it'\\''s; rm -rf $(x)'");
    CHECK(source::shell_word("") == "''");
}

TEST_CASE("the stock commands restore globals first, then each database by its format") {
    model::BackupSet set;
    set.source.server_version_number = 150008;
    set.artifacts.push_back(artifact("shop_1.dump", "database", "shop", "custom"));
    set.artifacts.push_back(artifact("a%20b_1.sql.gz", "database", "a b", "plain"));
    set.artifacts.push_back(artifact("big_1.dir.tar", "database", "big", "directory"));
    set.artifacts.push_back(artifact("globals_1.sql.zst", "globals", "", "plain"));
    model::DatabaseProperties properties;
    properties.owner = "o'w";
    properties.locale_provider = "libc";
    properties.collate = "C";
    properties.ctype = "de_DE.UTF-8";
    set.databases.push_back(facts("a b", properties));
    CHECK(source::stock_restore(set, {}) ==
          Lines{
              "zstd --decompress --stdout globals_1.sql.zst | psql --no-psqlrc --quiet --dbname=postgres",
              "pg_restore --exit-on-error --create --dbname=postgres shop_1.dump",
              "createdb --template=template0 --encoding=UTF8 --locale-provider=libc --lc-collate=C "
              "--lc-ctype=de_DE.UTF-8 --owner='o'\\''w' -- 'a b'",
              "gunzip --stdout a%20b_1.sql.gz | PGDATABASE='a b' psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1",
              "mkdir big_1.dir",
              "tar --extract --file=big_1.dir.tar --directory=big_1.dir",
              "pg_restore --exit-on-error --create --dbname=postgres --jobs=2 big_1.dir",
          });
}

TEST_CASE("the database that every server has is not created again, but gets what was said of it") {
    model::BackupSet set;
    set.artifacts.push_back(artifact("postgres_1.dump", "database", "postgres", "custom"));
    set.artifacts.push_back(artifact("postgres_2.sql", "database", "postgres", "plain"));
    CHECK(source::stock_restore(set, {}) ==
          Lines{"pg_restore --exit-on-error --dbname=postgres postgres_1.dump",
                "cat postgres_2.sql | PGDATABASE=postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1"});
    set.artifacts.pop_back();
    model::DatabaseProperties properties;
    properties.owner = "admin";
    properties.settings = {{"", "work_mem", "4MB"}};
    set.databases.push_back(facts("postgres", properties));
    CHECK(source::stock_restore(set, {}) ==
          Lines{"psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres "
                "--command='ALTER DATABASE \"postgres\" SET \"work_mem\" TO '\\''4MB'\\'''",
                "pg_restore --exit-on-error --dbname=postgres postgres_1.dump"});
}

TEST_CASE("a database is created with the locale it had, in the words of its version") {
    model::DatabaseProperties libc;
    libc.owner = "o";
    libc.locale_provider = "libc";
    libc.collate = libc.ctype = "C";
    const std::string begin = "createdb --template=template0 --encoding=UTF8 ";
    CHECK(create(libc, 140000) == begin + "--lc-collate=C --lc-ctype=C --owner=o -- shop");
    CHECK(create(libc, 150000) == begin + "--locale-provider=libc --lc-collate=C --lc-ctype=C --owner=o -- shop");
    auto icu = libc;
    icu.locale_provider = "icu";
    icu.locale = "de-DE";
    CHECK(create(icu, 150000) ==
          begin + "--locale-provider=icu --lc-collate=C --lc-ctype=C --icu-locale=de-DE --owner=o -- shop");
    icu.icu_rules = "& V << w";
    CHECK(create(icu, 160000) == begin +
                                     "--locale-provider=icu --lc-collate=C --lc-ctype=C --icu-locale=de-DE "
                                     "--icu-rules='& V << w' --owner=o -- shop");
    auto builtin = libc;
    builtin.locale_provider = "builtin";
    builtin.locale = "C.UTF-8";
    builtin.tablespace = "fast disk";
    const auto there = begin + "--locale-provider=builtin --lc-collate=C --lc-ctype=C --builtin-locale=C.UTF-8 ";
    CHECK(create(builtin, 170000) == there + "--tablespace='fast disk' --owner=o -- shop");
    CHECK(create(builtin, 170000, {"-O", "--no-tablespaces"}) == there + "-- shop");
}

TEST_CASE("what was said of a database is said again, in SQL that no name breaks out of") {
    model::DatabaseProperties properties;
    properties.owner = "o\"w";
    properties.connection_limit = 0;
    properties.comment = "it's\n$(x)";
    properties.settings = {{"", "search_path", R"("$user", public, "a""b, c", "")"},
                           {"", "my.app", "a'b"},
                           {"R", "DateStyle", "ISO, DMY"}};
    properties.privileges = {{{"o\"w", "o\"w", "CREATE", false},
                              {"o\"w", "o\"w", "CONNECT", false},
                              {"o\"w", "app", "CONNECT", true},
                              {"app", "", "CONNECT", false}}};
    properties.is_template = true;
    const Lines settings{
        R"(ALTER DATABASE "s""h" SET "search_path" TO '$user', 'public', 'a"b, c', '')",
        R"(ALTER DATABASE "s""h" SET "my.app" TO 'a''b')",
        R"(ALTER ROLE "R" IN DATABASE "s""h" SET "DateStyle" TO 'ISO, DMY')",
    };
    const Lines privileges{
        R"(REVOKE ALL ON DATABASE "s""h" FROM PUBLIC)",
        R"(REVOKE ALL ON DATABASE "s""h" FROM "o""w")",
        R"(GRANT CREATE, CONNECT ON DATABASE "s""h" TO "o""w")",
        R"(GRANT CONNECT ON DATABASE "s""h" TO "app" WITH GRANT OPTION)",
        R"(SET SESSION AUTHORIZATION "app"; GRANT CONNECT ON DATABASE "s""h" TO PUBLIC; RESET SESSION AUTHORIZATION)",
    };
    Lines all{R"(ALTER DATABASE "s""h" CONNECTION LIMIT 0)", "COMMENT ON DATABASE \"s\"\"h\" IS 'it''s\n$(x)'"};
    all.insert(all.end(), settings.begin(), settings.end());
    all.insert(all.end(), privileges.begin(), privileges.end());
    all.emplace_back(R"(ALTER DATABASE "s""h" IS_TEMPLATE true)");
    const auto shop = facts("s\"h", properties);
    CHECK(source::property_statements(shop, {}, false) == all);
    const auto traits = config::dump_traits(Lines{"-x", "--no-comments"});
    Lines fewer{all.front()};
    fewer.insert(fewer.end(), settings.begin(), settings.end());
    CHECK(source::property_statements(shop, traits, true) == fewer);

    CHECK(source::restore_environment(shop).empty());
    auto closed = properties;
    closed.settings = {{"R", "default_transaction_read_only", "on"}};
    CHECK(source::restore_environment(facts("x", closed)) == "PGOPTIONS='-c default_transaction_read_only=off' ");
}
