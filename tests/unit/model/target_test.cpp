#include "model/target.hpp"

#include "support/common.hpp"

using namespace pgbakd::model;

namespace {

SecretReference named(const std::string& name) {
    SecretReference reference;
    reference.kind = SecretReference::Kind::credential;
    reference.name = name;
    return reference;
}

std::vector<std::string> names_of(const TargetSpec& target) {
    std::vector<std::string> names;
    for (const auto& secret : secrets_of(target)) names.push_back(secret.name);
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("each kind of target has its word, and names all secrets that it needs") {
    CHECK(type_text({"t", DirectoryPlace{}}) == "directory");
    CHECK(type_text({"t", SftpPlace{}}) == "sftp");
    CHECK(type_text({"t", RclonePlace{}}) == "rclone");
    CHECK(type_text({"t", S3Place{}}) == "s3");
    CHECK(names_of({"t", DirectoryPlace{}}).empty());
    SftpPlace sftp;
    sftp.key_passphrase = named("passphrase");
    CHECK(names_of({"t", sftp}) == Names{"passphrase"});
    RclonePlace rclone;
    rclone.config_password = named("password");
    CHECK(names_of({"t", rclone}) == Names{"password"});
    S3Place s3;
    s3.access_key_id = named("id");
    s3.secret_access_key = named("key");
    CHECK(names_of({"t", s3}) == Names{"id", "key", ""});
}
