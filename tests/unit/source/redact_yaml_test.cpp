// Secrets in YAML.
#include "redact_support.hpp"

using namespace pgbakd::source;
using namespace pgbakd::source::testing;

TEST_CASE("values of secret keys in YAML blocks become ***, and nothing else changes") {
    check_rows(RedactKind::yaml,
               std::array{
                   Row{"", ""},
                   Row{"# password: abc\n---\nuser: bob # x\n...\n", "# password: abc\n---\nuser: bob # x\n...\n"},
                   Row{"password: abc\n", "password: \"***\"\n"},
                   Row{"a:\n  b:\n    db_password:   abc   # why\n    c: d\n",
                       "a:\n  b:\n    db_password:   \"***\"   # why\n    c: d\n"},
                   Row{"password: 'a''b'\nsecret: \"a\\\"b\"\n", "password: '***'\nsecret: \"***\"\n"},
                   Row{"password: \"a\n  b: c\n  d\"\nx: y\n", "password: \"***\"\nx: y\n"},
                   Row{"password: a\n  b\n\n  c # d\nx: y\n", "password: \"***\" # d\nx: y\n"},
                   Row{"password:\n  abc\n  def\nx: y\n", "password: \"***\"\nx: y\n"},
                   Row{"password: |\n  abc\n\n  def: g\n\nx: y\n", "password: |\n  ***\n\nx: y\n"},
                   Row{"a:\n  tls_key: >-  # pem\n      abc\n        def\n  x: y\n",
                       "a:\n  tls_key: >-  # pem\n      ***\n  x: y\n"},
                   Row{"- password: |2-\n     abc\n- x\n", "- password: |2-\n    ***\n- x\n"},
                   Row{"password: |\nx: y\n", "password: |\nx: y\n"},
                   Row{"password:\nsecret: # none\nx: ~\n", "password:\nsecret: # none\nx: ~\n"},
                   Row{"password: ~\nsecret: \"\"\n", "password: \"***\"\nsecret: \"***\"\n"},
                   Row{"secrets:\n  a: b\n  # c\n  d:\n    - e\n\nx: y\n", "secrets: \"***\"\n\nx: y\n"},
                   Row{"secrets: # s\n- a\n- b: c\n  d: e\nx: y\n", "secrets: \"***\" # s\nx: y\n"},
                   Row{"- secrets:\n  - a\n  x: y\n- z\n", "- secrets: \"***\"\n  x: y\n- z\n"},
                   Row{"- - password: a\n    x: y\n", "- - password: \"***\"\n    x: y\n"},
                   Row{"\"password\": abc\n'api_key' : abc\n", "\"password\": \"***\"\n'api_key' : \"***\"\n"},
                   Row{"\"pass\\x77ord\": abc\n", "\"pass\\x77ord\": \"***\"\n"},
                   Row{"url: http://password:x@h/ # y\nx: a:b\n", "url: http://password:x@h/ # y\nx: a:b\n"},
                   Row{"password: a#b\n", "password: \"***\"\n"},
                   Row{"password: !!str abc\nsecret: !vault |\n  abc\n  def\nx: y\n",
                       "password: \"***\"\nsecret: \"***\"\nx: y\n"},
                   Row{"%YAML 1.2\n---\npassword: a\n--- # next\npassword: b\n",
                       "%YAML 1.2\n---\npassword: \"***\"\n--- # next\npassword: \"***\"\n"},
                   Row{"a: |\n  user: x\n  db_password: y\n  export A_SECRET=z\nb: 1\n",
                       "a: |\n  user: x\n  db_password: ***\n  export A_SECRET=***\nb: 1\n"},
                   Row{"a:   \n\n   # x\n  b:  password\n", "a:   \n\n   # x\n  b:  password\n"},
               });
}

TEST_CASE("lists of KEY=value, as docker compose takes them") {
    check_rows(
        RedactKind::yaml,
        std::array{
            Row{"environment:\n  - POSTGRES_USER=bob\n  - POSTGRES_PASSWORD=abc # x\n",
                "environment:\n  - POSTGRES_USER=bob\n  - POSTGRES_PASSWORD=*** # x\n"},
            Row{"environment:\n- \"POSTGRES_PASSWORD=a b\"\n- 'A_SECRET=x'\n- A_KEY=\n- B_KEY\n",
                "environment:\n- \"POSTGRES_PASSWORD=***\"\n- 'A_SECRET=***'\n- A_KEY=\n- B_KEY\n"},
            Row{"environment: [A=1, POSTGRES_PASSWORD=abc, \"A_KEY=x\"]\n",
                "environment: [A=1, POSTGRES_PASSWORD=***, \"A_KEY=***\"]\n"},
            Row{"command: [\"--password=abc\", -x]\n", "command: [\"--password=***\", -x]\n"},
            Row{"- A_PASSWORD=abc\n  def\n- x\n", "- A_PASSWORD=***\n- x\n"},
            Row{"- - A_PASSWORD=abc\n", "- - A_PASSWORD=***\n"},
            Row{"services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: ${PW:-abc}\n      POSTGRES_DB: x\n",
                "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: \"***\"\n      POSTGRES_DB: x\n"},
        });
}

TEST_CASE("flow maps and lists in YAML") {
    check_rows(
        RedactKind::yaml,
        std::array{
            Row{"{a: b, password: abc, c: [1, {secret: x}]}\n",
                "{a: b, password: \"***\", c: [1, {secret: \"***\"}]}\n"},
            Row{"db: {password: \"a, b\", user: x}  # y\n", "db: {password: \"***\", user: x}  # y\n"},
            Row{"db: {'password':'a''b',\"b_key\":1}\n", "db: {'password':'***',\"b_key\":\"***\"}\n"},
            Row{"db: {password: [a, b], secret: {c: d}, e: f}\n", "db: {password: \"***\", secret: \"***\", e: f}\n"},
            Row{"db: {password, secret: , x: y}\n", "db: {password, secret: , x: y}\n"},
            Row{"db: {\n  password: a\n    b, # c\n  x: y\n}\nz: 1\n",
                "db: {\n  password: \"***\", # c\n  x: y\n}\nz: 1\n"},
            Row{"[password: abc, x]\n", "[password: \"***\", x]\n"},
            Row{"password: [\na, b\n]\nx: y\n", "password: \"***\"\nx: y\n"},
            Row{"{\"a\": {\"password\": 1}}\n", "{\"a\": {\"password\": \"***\"}}\n"},
        });
}

TEST_CASE("anchors and aliases in YAML") {
    check_rows(
        RedactKind::yaml,
        std::array{
            Row{"password: &pw abc\nx: *pw\n", "password: &pw \"***\"\nx: *pw\n"},
            Row{"password: &pw 'abc'\n", "password: &pw '***'\n"},
            Row{"x-pw: &pw abc\npassword: *pw\n", "x-pw: &pw \"***\"\npassword: \"***\"\n"},
            Row{"x-b: &b def\nx-pw: &pw\n  - abc\n  - *b\nsecrets:\n  - *pw\nx: y\n",
                "x-b: &b \"***\"\nx-pw: &pw \"***\"\nsecrets: \"***\"\nx: y\n"},
            Row{"x-b: &b def\nx-pw: &pw [*b]\nsecret: *pw\n", "x-b: &b \"***\"\nx-pw: &pw \"***\"\nsecret: \"***\"\n"},
            Row{"- &pw abc\n- {secret: *pw, a: &c d}\n", "- &pw \"***\"\n- {secret: \"***\", a: &c d}\n"},
            Row{"x: &env\n  A_PASSWORD: abc\ny:\n  <<: *env\n", "x: &env\n  A_PASSWORD: \"***\"\ny:\n  <<: *env\n"},
            Row{"secrets: {a: &x b}\nc: *x\nd: [*x]\n", "secrets: \"***\"\nc: \"***\"\nd: [\"***\"]\n"},
            Row{"password: &pw\n  a: b\nx: y\n", "password: &pw \"***\"\nx: y\n"},
        });
}

TEST_CASE("YAML that is not understood is refused") {
    check_refused(RedactKind::yaml,
                  std::array{
                      Row{"? password\n: abc\n", "line 1: a complex key"},
                      Row{"a: b\n\tpassword: abc\n", "line 2: a tab as indentation"},
                      Row{"a:\n  b: c\n   password: abc\n", "line 3: a key within a value"},
                      Row{"a: \"b\n", "line 1: a quote that is not closed"},
                      Row{"a: 'b\n---\npassword: abc'\n", "line 1: a quote that is not closed"},
                      Row{"a: {b: c\n", "line 2: a list or a map without an end"},
                      Row{"a: [b}]\n", "line 1: an end of something else"},
                      Row{"a: [b]]\n", "line 1: something after a value"},
                      Row{"a: \"b\" password: c\n", "line 1: something after a value"},
                      Row{"a: b: c\n", "line 1: a key within a value"},
                      Row{"password: abc # x\n  def\n", "line 2: a line that is indented too deeply"},
                      Row{"password: 'abc'\n  def\n", "line 2: a line that is indented too deeply"},
                      Row{"{{- if .x }}\npassword: x\n", "line 1: a value that begins as none may"},
                      Row{"a: {b: |-\n", "line 1: a value that begins as none may"},
                      Row{"a:\n|\n  b\n", "line 2: a value that belongs to nothing"},
                      Row{"a: b\n&c\npassword: *c\n", "line 2: a value that belongs to nothing"},
                      Row{"a: @x\n", "line 1: a value that begins as none may"},
                      Row{"a: |x\n  b\n", "line 1: something after the head of a block"},
                      Row{"a: |\n    b\n  password: c\n", "line 3: a line that is indented too deeply"},
                      Row{"--- password: abc\n", "line 1: something after the beginning of a document"},
                      Row{"&a password: abc\n", "line 1: an anchor or a tag in front of a key"},
                      Row{"a: b\n\x04password: c\n", "line 2: a control character"},
                      Row{"a: b\rpassword: c\n", "line 1: a carriage return within a line"},
                  });
    CHECK(redacted(RedactKind::yaml, std::string(100'000, '[')) == "refused: line 1: nested too deeply");
}

TEST_CASE("YAML that is made to be slow is not") {
    const auto repeated = [](std::string_view what, int times) {
        std::string text;
        for (int i = 0; i < times; ++i) text += what;
        return text;
    };
    const auto items = repeated("- ", 1'000'000) + "x\n";
    CHECK(redacted(RedactKind::yaml, items) == items);
    const auto keys = repeated("\"a\": &b c\n", 200'000);
    CHECK(redacted(RedactKind::yaml, keys) == keys);
    CHECK(redacted(RedactKind::yaml, "a: '" + repeated("''\n", 1'000'000)) ==
          "refused: line 1: a quote that is not closed");
}
