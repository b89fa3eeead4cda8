// What docker and ssh say when they cannot, and what they answer when they can.
#include "source/client_failure.hpp"

#include "base/text.hpp"
#include "source/client_programs.hpp"
#include "source/container_address.hpp"
#include "support/catch.hpp"

namespace base = pgbakd::base;
namespace model = pgbakd::model;
namespace os = pgbakd::os;
namespace source = pgbakd::source;
using base::ErrorCode;
using Where = model::ClientSpec::Where;

namespace {

const model::ClientSpec erp{Where::docker, "erp", {}};
const model::ClientSpec db1{Where::ssh, "db1", {}};

}  // namespace

TEST_CASE("each failure of docker and ssh has its error") {
    struct Row {
        model::ClientSpec client;
        int code;
        std::string words;
        ErrorCode error;
        bool passing;
        std::string says;
    };
    const std::vector<Row> rows{
        {erp, 1, "Error response from daemon: No such container: erp", ErrorCode::not_found, false,
         "there is no container erp"},
        {erp, 1, "Error: No such object: erp", ErrorCode::not_found, false, "there is no container erp"},
        {erp, 1, "Error response from daemon: container 4f4f is not running", ErrorCode::unreachable, true,
         "container erp is not running"},
        {erp, 1, "Error response from daemon: Container erp is paused, unpause the container before exec",
         ErrorCode::unreachable, true, "container erp is paused"},
        {erp, 1,
         "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get: "
         "dial "
         "unix /var/run/docker.sock: connect: permission denied",
         ErrorCode::permission_denied, false, "may not use docker's socket"},
        {erp, 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
         ErrorCode::unreachable, true, "docker's daemon does not answer"},
        {erp, 126, "OCI runtime exec failed: exec failed: exec: \"/bin/sh\": no such file", ErrorCode::client_missing,
         false, "container erp has no /bin/sh"},
        {erp, 127, "pgbakd: 1: /usr/bin/pg_dump: not found", ErrorCode::client_missing, false, "in container erp"},
        {erp, 1, "Error response from daemon: something new", ErrorCode::program_failed, true, "docker refuses"},
        {db1, 255, "No ED25519 host key is known for db1; Host key verification failed.",
         ErrorCode::authentication_failed, false, "the key of host db1 is not known"},
        {db1, 255, "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @; Host key verification failed.",
         ErrorCode::authentication_failed, false, "shows another key"},
        {db1, 255, "postgres@db1: Permission denied (publickey).", ErrorCode::authentication_failed, false,
         "does not let account"},
        {db1, 255, "ssh: connect to host db1 port 22: Connection refused", ErrorCode::unreachable, true,
         "host db1 cannot be reached"},
        {db1, 255, "ssh: Could not resolve hostname db1: Name or service not known", ErrorCode::unreachable, false,
         "there is no host db1"},
        {db1, 255, "ssh: Could not resolve hostname db1: Temporary failure in name resolution", ErrorCode::unreachable,
         true, "host db1 cannot be reached"},
        {db1, 255, "", ErrorCode::unreachable, true, "the connection was lost"},
        {db1, 127, "pgbakd: 1: pg_dump: not found", ErrorCode::client_missing, false, "on host db1"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.words);
        const auto error = source::client_failure(row.client, "pg_dump of \"x\"", {row.code, 0}, row.words);
        REQUIRE(error);
        CHECK(error->code() == row.error);
        CHECK(error->is_passing() == row.passing);
        CHECK(error->message().find(row.says) != std::string::npos);
        CHECK(error->message().starts_with("pg_dump of \"x\" failed: "));
        CHECK((row.says == "docker refuses" || !error->hint().empty()));
        CHECK(error->hint().find('{') == std::string::npos);
    }
}

TEST_CASE("a program's own failures are its own") {
    const std::string words = "pg_dump: error: query failed: ERROR:  permission denied for table t";
    CHECK_FALSE(source::client_failure(erp, "x", {1, 0}, words));
    CHECK_FALSE(source::client_failure(db1, "x", {1, 0}, words));
    CHECK_FALSE(source::client_failure({}, "x", {255, 0}, words));
    CHECK_FALSE(source::client_failure(db1, "x", {0, 15}, words));
    CHECK_FALSE(source::client_failure(db1, "x", {0, 0}, "Host key verification failed"));
    // Here, they are no more than words.
    CHECK_FALSE(source::client_failure({}, "x", {1, 0}, "No such container"));
}

TEST_CASE("a signal over there arrives as what it was") {
    CHECK(source::ending_there(erp, {137, 0}).text() == "killed by signal 9 (SIGKILL)");
    CHECK(source::ending_there(db1, {143, 0}).text() == "killed by signal 15 (SIGTERM)");
    CHECK(source::ending_there(db1, {255, 0}).text() == "exit code 255");
    CHECK(source::ending_there(db1, {128, 0}).text() == "exit code 128");
    CHECK(source::ending_there({}, {137, 0}).text() == "exit code 137");
}

TEST_CASE("the address of a container") {
    struct Row {
        std::string output;
        std::string address;  // else what the error says
    };
    const std::vector<Row> rows{
        {"state=running mode=bridge ipv4=172.17.0.2 ipv6=\n", "172.17.0.2"},
        {"state=running mode=erp_default ipv4= ipv6= ipv4=10.0.3.4 ipv6=fd00::4", "10.0.3.4"},
        {"state=running mode=erp_default ipv4=10.0.3.4 ipv6=fd00::4 ipv4= ipv6=fd00::5 ipv4=10.0.5.6 ipv6=",
         "10.0.3.4, fd00::5, 10.0.5.6"},
        {"state=running mode=v6only ipv4= ipv6=fd00::4", "fd00::4"},
        {"state=running mode=host ipv4= ipv6=", "127.0.0.1"},
        {"state=running mode=none ipv4= ipv6=", "container erp has no address of its own (network none)"},
        {"state=running mode=container:4f4f", "container erp has no address of its own (network container:4f4f)"},
        {"state=running mode=bridge ipv4=evil.example ipv6=-x",
         "container erp has no address of its own (network bridge)"},
        {"state=exited mode=bridge ipv4= ipv6=", "container erp is not running: its state is exited"},
        {"", "docker inspect of erp printed \"\""},
        {"<no value>\x1b[31m", "docker inspect of erp printed \"<no value>?[31m\""},
    };
    for (const auto& row : rows) {
        const auto addresses = source::parse_container_addresses("erp", row.output);
        CHECK((addresses ? base::join(*addresses, ", ") : addresses.error().message()) == row.address);
    }
    CHECK(source::container_address_arguments("erp").front() == "inspect");
    CHECK(source::container_address_arguments("erp").back() == "erp");
}

TEST_CASE("the programs over there are chosen as those here are") {
    struct Row {
        int major;
        std::string answer;
        std::string choice;  // else what the error says
    };
    const auto line = [](const std::string& directory, const std::string& version) {
        return "pgbakd\t" + directory + "\tpg_dump (PostgreSQL) " + version + "\n";
    };
    const auto several = line("/a", "13.2") + line("/b", "17.0") + line("/c", "16.4 (Debian)") + line("/d", "16.5");
    const std::string none = "no pg_dump and pg_dumpall for a server of PostgreSQL ";
    const std::vector<Row> rows{
        {16, several, "/c/pg_dump"},
        {14, several, "/c/pg_dump"},
        {17, several, "/b/pg_dump"},
        {13, several, "/a/pg_dump"},
        {18, several, none + "18 are installed in container erp; found: 13 in /a, 17 in /b, 16 in /c, 16 in /d"},
        {15, "", none + "15 are installed in container erp; found: none"},
        {15, "pgbakd\t/a\tcannot open shared object\n",
         none + "15 are installed in container erp; found: none in /a (cannot open shared object)"},
        {15, "Welcome!\n" + several,
         "in container erp, \"Welcome!\" is written to standard output before any program runs"},
        {15, "pgbakd\t/a", "in container erp, \"pgbakd /a\" is written to standard output before any program runs"},
    };
    for (const auto& row : rows) {
        const auto programs = source::choose_programs(erp, row.major, row.answer);
        CHECK((programs ? programs->pg_dump.string() : programs.error().message()) == row.choice);
    }
    const auto chosen = source::choose_programs(erp, 15, several);
    REQUIRE(chosen);
    CHECK(chosen->pg_dumpall == "/c/pg_dumpall");
    CHECK(chosen->major == 16);
    CHECK(chosen->version_text == "pg_dump (PostgreSQL) 16.4 (Debian)");
    const model::ClientSpec own{Where::ssh, "db1", "/opt/pg/bin"};
    CHECK(source::programs_question(own).back() == "/opt/pg/bin");
    const auto refused = source::choose_programs(own, 17, line("/opt/pg/bin", "15.1"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message() == none + "17 are installed on host db1 in /opt/pg/bin; found: 15 in /opt/pg/bin");
    CHECK(refused.error().hint().find("client.bin") != std::string::npos);
}
