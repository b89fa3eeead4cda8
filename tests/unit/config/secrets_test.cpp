// Passwords: where they may stand, and what is remembered of them.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;
using Kind = model::SecretReference::Kind;

TEST_CASE("a password is named or given, and remembers its place") {
    struct Row {
        std::string yaml;
        Kind kind;
        std::string name;
    };
    for (const auto& row : std::vector<Row>{{"{env: MAIN_PASSWORD}", Kind::environment, "MAIN_PASSWORD"},
                                            {"{file: /etc/secret}", Kind::file, "/etc/secret"},
                                            {"{credential: main-password}", Kind::credential, "main-password"},
                                            {"hunter2", Kind::literal, ""},
                                            {"12345", Kind::literal, ""},
                                            {"\"a b\\tc\"", Kind::literal, ""}}) {
        CAPTURE(row.yaml);
        const auto config = config_of(with_server("password: " + row.yaml));
        const auto& password = config->servers.at("main").password;
        CHECK(password.kind == row.kind);
        CHECK(password.name == row.name);
        CHECK(password.location == "/etc/pgbakd.yaml:1:39: servers.main.password");
        CHECK(password.literal.empty() == (row.kind != Kind::literal));
    }
    CHECK(config_of(with_server("password: 0042"))->servers.at("main").password.literal.reveal() == "0042");
    CHECK(config_of(with_server("user: u"))->servers.at("main").password.kind == Kind::none);
}

TEST_CASE("a password that is none is refused") {
    struct Row {
        std::string yaml, expected;
    };
    const std::vector<Row> rows{
        {"{env: 2X}",
         ":1:45: servers.main.password.env: must be the name of an environment variable: letters, digits and \"_\"\n"},
        {"{file: secret}", ":1:46: servers.main.password.file: must be an absolute path\n"},
        {"{credential: a/b}",
         ":1:52: servers.main.password.credential: must be the name of a credential: a file name without \"/\"\n"},
        {"{vault: x}", ":1:40: servers.main.password.vault: unknown key\n  hint: keys here: env, file, credential\n"},
        {"{}",
         ":1:39: servers.main.password: must have one of the keys env, file and credential\n  hint: as in {credential: "
         "db-password}\n"},
        {"{env: A, file: /b}",
         ":1:39: servers.main.password: must have one of the keys env, file and credential\n  hint: as in {credential: "
         "db-password}\n"},
        {"''",
         ":1:39: servers.main.password: must be {env: NAME}, {file: PATH}, {credential: NAME} or a text (got \"\")\n  "
         "hint: leave the key out if there is no password\n"},
        {"\"a\\0b\"", ":1:39: servers.main.password: has a zero byte\n"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.yaml);
        CHECK(problems_of(with_server("password: " + row.yaml)) == "/etc/pgbakd.yaml" + row.expected);
    }
}

TEST_CASE("a literal password in a file that others can read is refused, a reference is not") {
    const auto load_readable = [](const std::string& password) {
        return load({{"/etc/pgbakd.yaml", with_server("password: " + password), true}}, host());
    };
    const auto literal = load_readable("hunter2");
    CHECK(!literal.config);
    CHECK(texts(literal) ==
          "/etc/pgbakd.yaml:1:39: servers.main.password: a secret in a file that group or others can read\n"
          "  hint: chmod 600 /etc/pgbakd.yaml, or move the secret out: {env: NAME}, {file: PATH} or {credential: "
          "NAME}\n");
    CHECK(load_readable("{env: A}").config);
}

TEST_CASE("the effective configuration shows where secrets are, never what they are") {
    CHECK(effective_yaml(*config_of(with_server("password: hunter2"))).find("password: \"***\"") != std::string::npos);
    CHECK(effective_yaml(*config_of(with_server("password: hunter2"))).find("hunter2") == std::string::npos);
    CHECK(effective_yaml(*config_of(with_server("password: {env: A}"))).find("password: {env: A}") !=
          std::string::npos);
}

}  // namespace pgbakd::config
