// Secrets in files of environment variables and in INI files.
#include "redact_support.hpp"

using namespace pgbakd::source;
using namespace pgbakd::source::testing;

TEST_CASE("which files have their secrets taken out") {
    struct Name {
        std::string_view name;
        std::optional<RedactKind> kind;
    };
    constexpr std::array rows{
        Name{".env", RedactKind::env},
        Name{".env.production", RedactKind::env},
        Name{"app.env", RedactKind::env},
        Name{".ENV", RedactKind::env},
        Name{".env~", RedactKind::env},
        Name{"compose.yml", RedactKind::yaml},
        Name{"docker-compose.YAML", RedactKind::yaml},
        Name{"docker-compose.yml.bak", RedactKind::yaml},
        Name{"x.yaml.orig~", RedactKind::yaml},
        Name{"config.json", RedactKind::json},
        Name{"php.ini", RedactKind::ini},
        Name{"redis.conf", RedactKind::ini},
        Name{".my.cnf", RedactKind::ini},
        Name{"odoo.conf.dpkg-old", RedactKind::ini},
        Name{"environment", std::nullopt},
        Name{"a.txt", std::nullopt},
        Name{"json", std::nullopt},
        Name{".bak", std::nullopt},
        Name{"x.environment", std::nullopt},
    };
    for (const auto& row : rows) {
        INFO(row.name);
        CHECK(redact_kind(row.name) == row.kind);
    }
}

TEST_CASE("values of secret keys in .env files become ***, and nothing else changes") {
    check_rows(RedactKind::env,
               std::array{
                   Row{"", ""},
                   Row{"# PASSWORD=abc\n\n  # x\nUSER=bob\n", "# PASSWORD=abc\n\n  # x\nUSER=bob\n"},
                   Row{"DB_PASSWORD=abc\n", "DB_PASSWORD=***\n"},
                   Row{"db_password=abc\nApi_Key=k\n", "db_password=***\nApi_Key=***\n"},
                   Row{"KEY=abc\nKEYS_KEYS=abc\n", "KEY=abc\nKEYS_KEYS=abc\n"},
                   Row{"export DB_PASSWORD=abc\n", "export DB_PASSWORD=***\n"},
                   Row{"  export\tDB_PASSWORD=abc\n", "  export\tDB_PASSWORD=***\n"},
                   Row{"PASSWORD = abc  \n", "PASSWORD = ***  \n"},
                   Row{"PASSWORD: abc\n", "PASSWORD: ***\n"},
                   Row{"PASSWORD=\"a b\"\n", "PASSWORD=\"***\"\n"},
                   Row{"PASSWORD='a b'  # why\n", "PASSWORD='***'  # why\n"},
                   Row{"PASSWORD=`a`\n", "PASSWORD=`***`\n"},
                   Row{"PASSWORD=abc # the old one\n", "PASSWORD=*** # the old one\n"},
                   Row{"PASSWORD=abc#def\n", "PASSWORD=***\n"},
                   Row{"PASSWORD=a=b=c\n", "PASSWORD=***\n"},
                   Row{"PASSWORD=#abc\n", "PASSWORD=***\n"},
                   Row{"PASSWORD= # none yet\n", "PASSWORD= # none yet\n"},
                   Row{"PASSWORD=\nSECRET=\"\"\n", "PASSWORD=\nSECRET=\"***\"\n"},
                   Row{"PASSWORD=\"a\\\"b\"\n", "PASSWORD=\"***\"\n"},
                   Row{"PASSWORD=\"abc\"def'ghi'\n", "PASSWORD=***\n"},
                   Row{"PASSWORD=it's\n", "PASSWORD=***\n"},
                   Row{"TLS_KEY=\"-----BEGIN\nMIIB/+=\n-----END\"\nA=b\n", "TLS_KEY=\"***\"\nA=b\n"},
                   Row{"TLS_KEY='-----BEGIN\n\n#x\n-----END' # pem\nA=b\n", "TLS_KEY='***' # pem\nA=b\n"},
                   Row{"CERT=\"-----BEGIN\nMIIB/+=\n-----END\"\nPASSWORD=x\n",
                       "CERT=\"-----BEGIN\nMIIB/+=\n-----END\"\nPASSWORD=***\n"},
                   Row{"PASSWORD=abc\\\ndef\nA=b\n", "PASSWORD=***\nA=b\n"},
                   Row{"PASSWORD=abc\\\\\nA=b\n", "PASSWORD=***\nA=b\n"},
                   Row{"PATH=a\\\n  b c d\nPASSWORD=x\n", "PATH=a\\\n  b c d\nPASSWORD=***\n"},
                   Row{"export B_PASSWORD\n", "export B_PASSWORD\n"},
                   // To another reader these would be two values.
                   Row{"A=1 B_PASSWORD=x y\n", "A=1 B_PASSWORD=***\n"},
                   Row{"A=1 B_PASSWORD=x\\\ny\nC=d\n", "A=1 B_PASSWORD=***\nC=d\n"},
                   Row{"A=1; B_PASSWORD=x\n", "A=1; B_PASSWORD=***\n"},
                   Row{"NOTE=\"first\nB_PASSWORD=x\nlast\"\n", "NOTE=\"first\nB_PASSWORD=***\nlast\"\n"},
                   Row{"NOTE=\"not closed\nB_PASSWORD=x\n", "NOTE=\"not closed\nB_PASSWORD=***\n"},
                   Row{"URL=postgres://h/db\n", "URL=postgres://h/db\n"},
                   Row{"\"DB_PASSWORD\"=abc\n", "\"DB_PASSWORD\"=***\n"},
               });
    check_refused(RedactKind::env,
                  std::array{
                      Row{"PASSWORD=\"abc\nA=1\n", "line 1: a quote that is not closed"},
                      Row{"A_PASSWORD=\"abc\nB_SECRET=\"xyz\"\n", "line 1: something after a value of several lines"},
                      Row{"A=1\nif true; then PASSWORD=x; fi\n", "line 2: neither KEY=value nor a comment"},
                      Row{"export A B_PASSWORD\n", "line 1: neither KEY=value nor a comment"},
                      Row{"=x\n", "line 1: neither KEY=value nor a comment"},
                      Row{"A=1\rPASSWORD=x\n", "line 1: a carriage return within a line"},
                      Row{std::string_view("A=1\0B", 5), "line 1: it is not a text"},
                  });
}

TEST_CASE("values of secret keys in INI files become ***, and nothing else changes") {
    check_rows(
        RedactKind::ini,
        std::array{
            Row{"[client]\nuser = bob\npassword = abc\n", "[client]\nuser = bob\npassword = ***\n"},
            Row{"; password = abc\n# password = abc\n", "; password = abc\n# password = abc\n"},
            Row{"admin_password=abc ; not a comment to all\n", "admin_password=***\n"},
            Row{"password=\"abc\" ; a comment\n", "password=\"***\" ; a comment\n"},
            Row{"password='abc'\n", "password='***'\n"},
            Row{"password='abc';\n", "password='***';\n"},
            Row{"password=\"abc\"def\n", "password=***\n"},
            Row{"password=\"abc\"#def\n", "password=***\n"},
            Row{"password: abc\n", "password: ***\n"},
            Row{"master_password   abc def\n", "master_password   ***\n"},
            Row{"secrets file = /etc/x\n", "secrets file = ***\n"},
            Row{"password\n", "password\n"},
            Row{"password =\n", "password =\n"},
            Row{"password =\nuser = x\n", "password =\nuser = x\n"},
            Row{"  password = abc\n  user = x\n", "  password = ***\n  user = x\n"},
            Row{"password = abc\n  def\n\n    ghi\nuser = x\n", "password = ***\nuser = x\n"},
            Row{"password = a\\\nb\nuser = x\n", "password = ***\nuser = x\n"},
            Row{"\"password\" = abc\n", "\"password\" = ***\n"},
            Row{"  \"password\": \"x\",\n", "  \"password\": ***\n"},
            Row{"primary_conninfo = 'host=a password=foo user=b'\n", "primary_conninfo = 'host=a password=***'\n"},
            Row{"url = http://h/?user=a&password=b\n", "url = http://h/?user=a&password=***\n"},
            Row{"[core] password = abc\n", "[core] password = ***\n"},
            Row{"include /etc/password\n", "include /etc/password\n"},
            Row{"# \xFF\npassword = \xFE\n", "# \xFF\npassword = ***\n"},
        });
    check_refused(RedactKind::ini,
                  std::array{
                      Row{"password = \"abc\n", "line 1: a quote that is not closed"},
                      Row{"<?xml version='1.0'?>\n", "line 1: it is XML"},
                      Row{"<VirtualHost>\n<password>x</password>\n", "line 2: markup with a secret in it"},
                  });
}
