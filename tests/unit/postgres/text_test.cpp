// Quoting, the settings of a session, and the statements over many tables.
#include "postgres/connection.hpp"
#include "postgres/row_counts.hpp"
#include "postgres/tables.hpp"
#include "support/catch.hpp"

using namespace pgbakd;

TEST_CASE("identifiers and literals are quoted") {
    CHECK(postgres::quote_identifier("orders") == "\"orders\"");
    CHECK(postgres::quote_identifier("Zum \"Bären\"") == "\"Zum \"\"Bären\"\"\"");
    CHECK(postgres::quote_identifier("") == "\"\"");
    CHECK(postgres::quote_literal("it's \\ \"so\"") == "'it''s \\ \"so\"'");
}

TEST_CASE("settings are escaped for libpq's options, the session's own last") {
    postgres::ConnectOptions options;
    options.settings = {{"lock_timeout", "5 s"}, {"my.text", "a\\b"}};
    const auto text = postgres::startup_options(options);
    CHECK(text.starts_with("-c search_path= -c "));
    CHECK(text.find("-c statement_timeout=0") != std::string::npos);
    CHECK(text.find("-c default_transaction_isolation=read\\ committed") != std::string::npos);
    CHECK(text.ends_with(" -c lock_timeout=5\\ s -c my.text=a\\\\b"));
}

TEST_CASE("whom a server sees at its socket is told, where that is somebody else than us") {
    postgres::ConnectOptions options;
    CHECK_FALSE(postgres::place_of(options).system_user.empty());
    options.system_user = "account-of-db1";
    CHECK(postgres::place_of(options).system_user == "account-of-db1");
}

TEST_CASE("one statement counts or locks many tables") {
    const std::vector<postgres::DumpedTable> tables{{{}, {"public", "orders"}, "", true},
                                                    {{}, {"a\"b", "c"}, "WHERE custom", true}};
    CHECK(postgres::count_statement(tables) ==
          "(SELECT 0, count(*) FROM (SELECT 1 FROM ONLY \"public\".\"orders\" ) AS rows) UNION ALL "
          "(SELECT 1, count(*) FROM (SELECT 1 FROM ONLY \"a\"\"b\".\"c\" WHERE custom) AS rows)");
    const auto one = std::span(tables).first(1);
    CHECK(postgres::count_statement(one, postgres::Blocks{10, 20}) ==
          "SELECT 0, count(*) FROM ONLY \"public\".\"orders\" WHERE ctid >= '(10,0)' AND ctid < '(20,0)'");
    CHECK(postgres::count_statement(one, postgres::Blocks{20, {}}) ==
          "SELECT 0, count(*) FROM ONLY \"public\".\"orders\" WHERE ctid >= '(20,0)'");
    CHECK(postgres::lock_statement(tables) ==
          "LOCK TABLE ONLY \"public\".\"orders\", ONLY \"a\"\"b\".\"c\" IN ACCESS SHARE MODE NOWAIT");
    CHECK(postgres::tables_text(tables) == "\"public\".\"orders\" and 1 more table");
    CHECK(postgres::tables_text(std::span(tables).first(1)) == "\"public\".\"orders\"");
}

TEST_CASE("a name that is no UTF-8 is written with its bytes") {
    CHECK(postgres::utf8_name("plain \"name\" 1") == "plain \"name\" 1");
    CHECK(postgres::utf8_name("Bären 東 🐻") == "Bären 東 🐻");
    CHECK(postgres::utf8_name("caf\xe9") == "caf\\xe9");
    CHECK(postgres::utf8_name("\xff\xc3\xa4\xc3") == "\\xffä\\xc3");
    CHECK(postgres::utf8_name("") == "");
    // What is not shown to people as it is stands in a manifest as it is.
    CHECK(postgres::utf8_name("a\u202eb\u061cc\xe2") == "a\u202eb\u061cc\\xe2");
}

TEST_CASE("a table's OID is a number above zero") {
    CHECK(postgres::table_id("16385") == postgres::TableId{16385});
    CHECK(postgres::table_id("4294967295") == postgres::TableId{4294967295});
    for (const char* text : {"", "0", "-1", "4294967296", "16385 ", "a"}) CHECK_FALSE(postgres::table_id(text));
}

TEST_CASE("tables are counted in portions that hold locks for a short time") {
    using Counts = std::vector<std::size_t>;
    const auto planned = [](const std::vector<std::uint64_t>& blocks) { return postgres::portions(blocks, 10); };
    CHECK(planned({}).empty());
    CHECK(planned({0}) == Counts{1});
    CHECK(planned({3, 7, 1, 0, 9, 10}) == Counts{2, 3, 1});
    CHECK(planned({1, 25, 2, 8, 20, 0}) == Counts{1, 1, 2, 1, 1});
    CHECK(planned(std::vector<std::uint64_t>(120, 0)) == Counts{50, 50, 20});
}
