// What is YAML, what is not, and what is not accepted although it is.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

TEST_CASE("broken YAML is one problem with its place") {
    struct Row {
        std::string text, expected;
    };
    const std::vector<Row> rows{
        {"jobs:\n  a: b: c\n",
         ":2:7: not valid YAML: illegal map value\n  hint: a text with \": \" in it needs quotes; or check the "
         "indentation\n"},
        {"jobs: {a: [1, 2}\n", ":1:16: not valid YAML: illegal flow end\n  hint: brackets and braces do not match\n"},
        {"jobs: {a: [1, 2\n", ":2:1: not valid YAML: end of sequence flow not found\n  hint: a \"[\" has no \"]\"\n"},
        {"jobs:\n  a: 1\n b: 2\n",
         ":3:2: not valid YAML: end of map not found\n  hint: check the indentation: keys of one section stand in one "
         "column\n"},
        {"a: \"open\n", ":1:4: this quote is not closed\n"},
        {"a: 'it''s\n", ":1:4: this quote is not closed\n"},
        {"a: \"o\\\"\n", ":1:4: this quote is not closed\n"},
        {"a: \"open", ":1:9: not valid YAML: illegal EOF in scalar\n  hint: a quote is not closed\n"},
        {"a: \"\\q\"\n",
         ":1:7: not valid YAML: unknown escape character: q\n  hint: in double quotes a backslash is written \\\\; or "
         "use single quotes\n"},
        {"jobs: {a: {schedule: */5 * * * *}}\n",
         ":1:22: not valid YAML: the referenced anchor is not defined\n  hint: a text that begins with \"*\" needs "
         "quotes\n"},
        {"a: 1\n---\nb: 2\n",
         ":2:1: a second YAML document begins here\n  hint: put it into a file of its own in the configuration's "
         "directory\n"},
        {"jobs:\n\ta: 1\n", ":2:1: a tab in the indentation\n  hint: use spaces\n"},
        {"jobs:\n  \ta: 1\n", ":2:3: a tab in the indentation\n  hint: use spaces\n"},
        {"jobs: \xff\n", ":1:7: byte 0xff is not UTF-8 text\n  hint: save the file as UTF-8\n"},
        {"jobs: \xc3", ":1:7: byte 0xc3 is not UTF-8 text\n  hint: save the file as UTF-8\n"},
        {"\xef\xbb\xbfjobs: {}\n",
         ":1:1: the file begins with a byte order mark\n  hint: save the file as UTF-8 without a byte order mark\n"},
        {std::string("\xff\xfej\0o\0", 6),
         ":1:1: the file is UTF-16, not UTF-8\n  hint: save the file as UTF-8 without a byte order mark\n"},
        {"jobs: \x04 {}\n", ":1:7: control character 0x04\n  hint: remove it\n"},
        {std::string("jobs: \0", 7), ":1:7: control character 0x00\n  hint: remove it\n"},
        {"jobs: a\rb: c\n", ":1:8: control character 0x0d\n  hint: remove it\n"},
        {"jobs: \xc2\x9b"
         "31m\n",
         ":1:7: control character 0x9b\n  hint: remove it\n"},
        {"? [a]\n: b\n", ":1:3: a key must be a plain text\n"},
        {"~: b\n", ":1:1: a key is missing here\n"},
        {"- a\n- b\n",
         ":1:1: must be a mapping (got a list)\n  hint: a configuration begins with keys, as in \"jobs:\"\n"},
        {std::string(33, '[') + std::string(33, ']'), ":1:33: more than 32 levels of nesting\n"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(problems_of(row.text) == "/etc/pgbakd.yaml" + row.expected);
    }
}

TEST_CASE("aliases, anchors, tags, merge keys and duplicates are refused, each by itself") {
    CHECK(problems_of(R"(timezone: &zone Europe/Berlin
servers:
  local: {host: !!str db1}
  local: {}
jobs:
  a:
    <<: {timeout: 1h}
    timezone: *zone
    schedule: daily at 02:00
    source: {type: pg_dump, server: local, server: local, databases: all}
)") ==
          R"(/etc/pgbakd.yaml:1:11: timezone: anchors (&name) are not accepted
  hint: write the value out; a text that begins with this character needs quotes
/etc/pgbakd.yaml:3:17: servers.local.host: tags (!name) are not accepted
  hint: write the value out; a text that begins with this character needs quotes
/etc/pgbakd.yaml:4:3: servers.local: defined twice
  hint: the first is at line 3
/etc/pgbakd.yaml:7:5: jobs.a.<<: unknown key
  hint: merge keys are not accepted: write the keys out
/etc/pgbakd.yaml:8:15: jobs.a.timezone: aliases (*name) are not accepted
  hint: write the value out; a text that begins with this character needs quotes
/etc/pgbakd.yaml:10:44: jobs.a.source.server: defined twice
  hint: the first is at line 10
)");
}

TEST_CASE("what editors of other systems write is accepted") {
    CHECK(load_text("servers: {local: {}}\r\njobs:\r\n  j:\r\n    schedule: hourly\t# each hour\r\n\t# a comment\r\n"
                    "    source: {type: pg_dump, server: local, databases: all}\r\n")
              .config);
    CHECK(load_text("%YAML 1.2\n---\n" + with_job("") + "...\n").config);
}

TEST_CASE("limits on size and number hold") {
    const auto large = problems_of(std::string((4U << 20U) + 1, '#'));
    CHECK(large ==
          "/etc/pgbakd.yaml: the file is larger than 4 MiB\n  hint: split it: files in the configuration's directory "
          "are merged\n");
    CHECK(texts(load(std::vector<Document>(1001, Document{"f", "", false}), host())) ==
          "f: more than 1,000 configuration files\n");
    CHECK(problems_of("jobs: {j: {schedule: " + std::string(5000, 'x') + "}}").find("at most 4,096 bytes") !=
          std::string::npos);
}

TEST_CASE("nesting of any kind and depth ends with a problem") {
    for (const std::string part : {"[", "{a: ", "- ", "? ", "a: ", "[a: ", "- - ", "{? "}) {
        CAPTURE(part);
        std::string text;
        while (text.size() < 200'000) text += part;
        const auto result = load_text(text);
        CHECK(!result.config);
        CHECK(result.problems.size() == 1);
    }
}

}  // namespace pgbakd::config
