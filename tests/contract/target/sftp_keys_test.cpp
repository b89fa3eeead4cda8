// Who an SFTP server is, and who we are to it: host keys, key files, agents.
#include <cstdlib>

#include "bench.hpp"

using namespace contract;
using base::ErrorCode;
namespace http = pgbakd::http;

namespace {

class Custom : public Sftp {
  public:
    std::shared_ptr<target::Target> open(async::Pool& pool) const {
        static const base::SystemClock clock;
        auto changed = options();
        change(changed.server);
        return target::make_sftp_target(changed, pool, clock);
    }
    inline static std::function<void(http::SftpOptions&)> change;
};

struct Row {
    std::function<void(http::SftpOptions&)> change;
    ErrorCode code;
    std::vector<std::string> message, hint;
};

void check(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        Custom::change = row.change;
        Bench<Custom> bench;
        if (!bench.ready()) return;
        const auto error = bench.error_of([&] { bench.keys(); });
        INFO(error.message() << " / " << error.hint());
        CHECK(error.code() == row.code);
        CHECK_FALSE(error.is_passing());
        for (const auto& words : row.message) CHECK(error.message().find(words) != std::string::npos);
        for (const auto& words : row.hint) CHECK(error.hint().find(words) != std::string::npos);
        CHECK((error.message() + error.hint()).find(sftp_fact("passphrase")) == std::string::npos);
    }
}

void works(const std::function<void(http::SftpOptions&)>& change) {
    Custom::change = change;
    Bench<Custom> bench;
    if (!bench.ready()) return;
    bench.put("job/a", "content");
    CHECK(bench.get("job/a") == "content");
}

void works_or(const std::function<void(http::SftpOptions&)>& change, ErrorCode code, std::string_view words,
              std::string_view hint) {
    Custom::change = change;
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    try {
        bench.put("a", "x");
        CHECK(bench.get("a") == "x");
    } catch (const base::Error& error) {
        INFO(error.message() << " / " << error.hint());
        CHECK(error.code() == code);
        CHECK_FALSE(error.is_passing());
        CHECK(error.message().find(words) != std::string::npos);
        CHECK(error.hint().find(hint) != std::string::npos);
    }
}

std::filesystem::path copy_of_key(const std::string& name, const support::TemporaryDirectory& directory,
                                  unsigned mode) {
    std::filesystem::copy_file(sftp_file(name), directory / name);
    std::filesystem::permissions(directory / name, std::filesystem::perms(mode));
    return directory / name;
}

}  // namespace

TEST_CASE("SFTP: a host key that is not known, has changed or was revoked is refused, with what was seen") {
    if (!sftp_is_there()) return;
    const support::TemporaryDirectory directory;
    const auto seen = sftp_fact("fingerprint");
    const auto port = sftp_fact("port");
    std::ifstream known(sftp_file("known_hosts"));
    std::ofstream revoked(directory / "revoked");
    for (std::string line; std::getline(known, line);) revoked << "@revoked " << line << '\n';
    revoked.close();
    const auto with = [](const std::string& file) {
        return [file](http::SftpOptions& server) { server.known_hosts = file; };
    };
    check({
        {with(sftp_file("known_hosts_empty")),
         ErrorCode::authentication_failed,
         {"sftp://" + sftp_fact("user") + "@127.0.0.1:" + port, "not known", "SHA256:", "known_hosts_empty"},
         {"ssh-keyscan -p " + port + " 127.0.0.1 >>" + sftp_file("known_hosts_empty"), "SHA256:"}},
        {with(sftp_file("known_hosts_changed")),
         ErrorCode::authentication_failed,
         {"has changed", seen, sftp_fact("other_fingerprint")},
         {"ssh-keygen -f", "-R '[127.0.0.1]:" + port + "'"}},
        {with(directory / "revoked"), ErrorCode::authentication_failed, {"@revoked", "SHA256:"}, {"administrator"}},
        {with(directory / "none"), ErrorCode::invalid_configuration, {"no such known_hosts file"}, {"ssh-keyscan"}},
    });
}

TEST_CASE("SFTP: a host is known by hashed names, and by whichever type of key the file has") {
    if (!sftp_is_there()) return;
    for (const std::string file : {"known_hosts_hashed", "known_hosts"}) {
        INFO(file);
        works([&](http::SftpOptions& server) { server.known_hosts = sftp_file(file); });
    }
    // A key that the server has no longer, before one that it has.
    const support::TemporaryDirectory directory;
    const auto port = sftp_fact("port");
    std::ostringstream other, rsa;
    other << std::ifstream(sftp_file("other_host.pub")).rdbuf();
    rsa << std::ifstream(sftp_file("known_hosts_rsa")).rdbuf();
    Custom::change = [&](http::SftpOptions& server) { server.known_hosts = directory / "known"; };
    std::ofstream(directory / "known") << "[127.0.0.1]:" << port << " " << other.str() << rsa.str();
    Bench<Custom> bench;
    REQUIRE(bench.ready());
    const auto error = bench.error_of([&] { bench.keys(); });
    CHECK(error.message().find("has changed") != std::string::npos);
}

TEST_CASE(
    "SFTP: a key file is refused before it is shown where it is no secret, and told apart from one that is not "
    "accepted") {
    if (!sftp_is_there()) return;
    const support::TemporaryDirectory directory;
    const auto open_key = copy_of_key("key", directory, 0640);
    const auto public_key = directory / "key.pub";
    std::filesystem::copy_file(sftp_file("key.pub"), public_key);
    std::filesystem::permissions(public_key, std::filesystem::perms(0600));
    const auto with = [](const std::string& file, const std::string& passphrase = "") {
        return [file, passphrase](http::SftpOptions& server) {
            server.key_file = file;
            server.passphrase = base::Secret(passphrase);
        };
    };
    check({
        {with(open_key), ErrorCode::invalid_configuration, {open_key, "0640"}, {"chmod 600 " + open_key.native()}},
        {with(public_key), ErrorCode::invalid_configuration, {public_key}, {"without .pub"}},
        {with(directory / "none"), ErrorCode::invalid_configuration, {"no such key file"}, {"key_file"}},
        {with(sftp_file("key_stranger")),
         ErrorCode::authentication_failed,
         {"key_stranger is not accepted for user " + sftp_fact("user")},
         {"ssh-keygen -y -f", "authorized_keys"}},
        {with(sftp_file("key_encrypted")), ErrorCode::invalid_configuration, {"passphrase"}, {"key_passphrase"}},
        {with(sftp_file("key_encrypted"), "sesame close"),
         ErrorCode::invalid_configuration,
         {"key_encrypted", "cannot be read"},
         {"passphrase"}},
    });
    works(with(sftp_file("key_encrypted"), sftp_fact("passphrase")));
}

TEST_CASE("SFTP: RSA keys of both sides work, or it is said which kind to use instead") {
    if (!sftp_is_there()) return;
    // libssh2 has RSA with SHA-2 since 1.11.
    works_or([](http::SftpOptions& server) { server.key_file = sftp_file("key_rsa"); },
             ErrorCode::authentication_failed, "is an RSA key, which libssh2/1.", "ssh-keygen -t ed25519");
    works_or([](http::SftpOptions& server) { server.known_hosts = sftp_file("known_hosts_rsa"); },
             ErrorCode::unsupported, "has only its RSA key, which libssh2/1.", "ssh-keyscan -t ed25519,ecdsa");
}

TEST_CASE("SFTP: without a key file the agent's keys are used") {
    if (!sftp_is_there()) return;
    const auto without = [](http::SftpOptions& server) { server.key_file.clear(); };
    ::setenv("SSH_AUTH_SOCK", sftp_fact("agent").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    works(without);
    ::setenv("SSH_AUTH_SOCK", "/nonexistent", 1);  // NOLINT(concurrency-mt-unsafe)
    check({{without, ErrorCode::authentication_failed, {"there is no ssh-agent"}, {"SSH_AUTH_SOCK", "key_file"}}});
}
