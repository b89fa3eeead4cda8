// The section `targets`: each kind of place with its keys, and what must hold between them.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;
using SecretKind = model::SecretReference::Kind;

namespace {

constexpr std::string_view sftp =
    "type: sftp, host: vault.example.com, user: backup, known_hosts: /etc/known_hosts, path: backups";
constexpr std::string_view s3 = "type: s3, provider: minio, endpoint: \"https://s3.example.com\", bucket: backups";

// A target "t" with these keys; they begin in column 15 of the first line.
std::string with_target(std::string_view keys) {
    return "targets: {t: {" + std::string(keys) + "}}\n" + with_job("");
}
std::string with(std::string_view kind, const std::string& more) {
    return with_target(std::string(kind) + ", " + more);
}

template <class Place>
Place place_of(const std::string& text) {
    const auto config = config_of(text);
    CHECK(config->targets.at("t").name == "t");
    return std::get<Place>(config->targets.at("t").place);
}

const std::string whole = "\n  hint: write the whole path from \"/\" on; \"~\" and variables are not expanded";

}  // namespace

TEST_CASE("no target is called as the repository is") {
    check_problems(
        {{"targets: {local: {type: directory, path: /mnt/nas}}\n" + with_job(""),
          "1:11: targets.local: the name is taken: it means the repository on this host\n  hint: call it by what it "
          "is, as in nas or r2"}});
}

TEST_CASE("a directory") {
    const auto least = place_of<model::DirectoryPlace>(with_target("type: directory, path: /mnt/nas/pgbakd"));
    CHECK(least.path == "/mnt/nas/pgbakd");
    CHECK_FALSE(least.require_mount.required);
    CHECK(least.repository == "/var/lib/pgbakd/repository");
    const auto any =
        place_of<model::DirectoryPlace>(with_target("type: directory, path: /mnt/nas, require_mount: true"));
    CHECK(any.require_mount.required);
    CHECK(any.require_mount.point.empty());
    const auto named =
        place_of<model::DirectoryPlace>(with_target("type: directory, path: /mnt/nas/x, require_mount: /mnt/nas/"));
    CHECK(named.require_mount.required);
    CHECK(named.require_mount.point == "/mnt/nas");
    check_problems({
        {with_target("type: directory"),
         "1:11: targets.t.path: this key is required\n  hint: as in path: /mnt/nas/pgbakd"},
        {with_target("type: directory, path: mnt"),
         "1:38: targets.t.path: must be an absolute path (got \"mnt\")" + whole},
        {with_target("type: directory, path: /"),
         "1:38: targets.t.path: must not be the root directory\n  hint: give it a directory of its own"},
        {with_target("type: directory, path: /mnt, require_mount: maybe"),
         "1:59: targets.t.require_mount: must be true, false or the mount point (got \"maybe\")\n"
         "  hint: the default is false"},
        {with_target("type: directory, path: /mnt, require_mount: /"),
         "1:59: targets.t.require_mount: must not be the root directory\n"
         "  hint: the root file system is what it is to be kept off"},
        {with_target("type: directory, path: /mnt/nas, require_mount: /mnt/nasx"),
         "1:63: targets.t.require_mount: must be the path or lie above it (got /mnt/nasx)\n"
         "  hint: it is the directory that the copies' file system is mounted on"},
        {with_target("type: directory, path: /mnt, bucket: x"),
         "1:44: targets.t.bucket: unknown key\n  hint: keys here: type, path, require_mount"},
    });
}

TEST_CASE("a directory that lies inside the repository or around it is no copy") {
    const auto inside = [](const std::string& path, const std::string& directory = "/srv/sets") {
        return "repository: {directory: " + directory + "}\n" + with_target("type: directory, path: " + path);
    };
    const std::string hint = "\n  hint: give the copies a directory of their own, on another disk";
    const std::string message = "2:38: targets.t.path: must not lie inside the repository (/srv/sets) or around it";
    check_problems({
        {inside("/srv/sets"), message + hint},
        {inside("/srv/sets/copies"), message + hint},
        {inside("/srv"), message + hint},
        {inside("/srv/setsx"), ""},
        {inside("/srv/copies"), ""},
        {inside("/mnt/srv/sets"), ""},
        {with_target("type: directory, path: /var/lib/pgbakd/repository/nas"),
         "1:38: targets.t.path: must not lie inside the repository (/var/lib/pgbakd/repository) or around it" + hint},
    });
}

TEST_CASE("a directory that leads into the repository is no copy, and a disk of this host may not be the mount meant") {
    auto around = host();
    around.resolve = [](const std::filesystem::path& path) {
        return path == "/mnt/link" ? std::filesystem::path("/srv/sets/nas") : path;
    };
    around.disk_of = [](const std::filesystem::path& path) {
        return std::filesystem::path(path.native().starts_with("/data") ? "/data" : "");
    };
    const auto told = [&](const std::string& keys, const std::string& repository = "/srv/sets") {
        return texts(load(
            {{"/etc/pgbakd.yaml",
              "repository: {directory: " + repository + "}\n" + with_target("type: directory, path: " + keys), false}},
            around));
    };
    CHECK(told("/mnt/link") ==
          "/etc/pgbakd.yaml:2:38: targets.t.path: leads to /srv/sets/nas, which must not lie inside the repository "
          "(/srv/sets) or around it\n  hint: give the copies a directory of their own, on another disk\n");
    CHECK(told("/data/nas/x, require_mount: true") ==
          "/etc/pgbakd.yaml:2:66: warning: targets.t.require_mount: true is met by /data, a disk of this host\n"
          "  hint: name the mount point that is meant, as in require_mount: /data/nas\n");
    CHECK(told("/data/x, require_mount: true").ends_with("as in require_mount: /data\n"));
    CHECK(told("/data/nas/x, require_mount: /data/nas").empty());
    CHECK(told("/data/nas/x, require_mount: false").empty());
    CHECK(told("/data, require_mount: true").empty());
    CHECK(told("/mnt/nas, require_mount: true").empty());
    // There it is refused.
    CHECK(told("/data/nas, require_mount: true", "/data/sets").empty());
}

TEST_CASE("two targets that are one place are told, and no job may have both") {
    auto around = host();
    around.resolve = [](const std::filesystem::path& path) {
        return path == "/mnt/link" ? std::filesystem::path("/mnt/nas") : path;
    };
    const auto told = [&](const std::string& one, const std::string& other, const std::string& job = {}) {
        return texts(load(
            {{"/etc/pgbakd.yaml", "targets:\n  one: {" + one + "}\n  other: {" + other + "}\n" + with_job(job), false}},
            around));
    };
    const std::string hosts = "type: sftp, user: u, known_hosts: /k, host: ";
    const std::string home = "type: sftp, host: h, known_hosts: /k, path: b, user: ";
    const std::string minio = "type: s3, provider: minio, bucket: backups, endpoint: ";
    const auto in_cos = [](const std::string& name) { return "\"https://" + name + "\""; };
    const auto in_oss = [&in_cos](const std::string& name) { return in_cos(name + ".aliyuncs.com"); };
    const std::string aws = "type: s3, provider: aws, bucket: backups, region: ";
    const std::string remote = "type: rclone, config_file: /r.conf, remote: ";
    struct Pair {
        std::string one, other;
        bool same;
    };
    for (const auto& [one, other, same] : std::vector<Pair>{
             {"type: directory, path: /mnt/nas", "type: directory, path: /mnt/x/../nas/.", true},
             {"type: directory, path: /mnt/nas", "type: directory, path: /mnt/link", true},
             {"type: directory, path: /mnt/nas", "type: directory, path: /mnt/nas/x", false},
             {hosts + "h, path: /b", hosts + "H, path: /b/", true},
             {hosts + "h, path: /b", hosts + "h, path: /c", false},
             {hosts + "h, path: /b", hosts + "h, port: 23, path: /b", false},
             {hosts + "h, path: /b", hosts + "h., port: 22, path: //b/./", true},
             {hosts + "h, path: b", hosts + "h, path: ~/b", true},
             {hosts + "h, path: b", hosts + "h, path: ./b//", true},
             {hosts + "h, path: b/c", hosts + "h, path: ~/./b//c", true},
             {hosts + "h, path: \"~\"", hosts + "h, path: .", true},
             {hosts + "h, path: ~/", hosts + "h, path: ./", true},
             {hosts + "h, path: b", hosts + "h, path: ~b", false},
             {hosts + "h, path: b", hosts + "h, path: /b", false},
             {hosts + "h, path: b", hosts + "h, path: /home/u/b", false},
             {home + "u", home + "v", false},
             {minio + "\"https://s3\", prefix: a", minio + "\"https://S3/\", prefix: a, concurrent_parts: 8", true},
             {minio + "\"https://s3\", prefix: a", minio + "\"https://s3\", prefix: b", false},
             {minio + "\"https://s3\"", minio + "\"https://s4\"", false},
             {minio + "\"https://s3.x.org\"", minio + "\"https://s3.x.org:443\"", true},
             {minio + "\"https://s3.x.org\"", minio + "\"https://S3.x.org.:443/\"", true},
             {minio + "\"http://s3.x.org\"", minio + "\"http://s3.x.org:80\"", true},
             {minio + "\"http://[2001:db8::1]\"", minio + "\"http://[2001:DB8::1]:80\"", true},
             {minio + "\"http://[2001:db8::80]\"", minio + "\"http://[2001:db8::]\"", false},
             {minio + "\"https://s3.x.org\"", minio + "\"https://s3.x.org:80\"", false},
             {minio + "\"https://s3.x.org\"", minio + "\"https://s3.x.org:0443\"", true},
             {minio + "\"http://s3:9000\"", minio + "\"http://s3:09000\"", true},
             {minio + "\"http://[::1]\"", minio + "\"http://[0:0:0:0:0:0:0:1]\"", true},
             {minio + "\"http://[::1]\"", minio + "\"http://[::2]\"", false},
             {hosts + "\"::1\", path: /b", hosts + "\"0:0::1\", path: /b", true},
             {minio + "\"https://s3.x.org:9000\"", minio + "\"https://s3.x.org.:9000\"", true},
             {minio + "\"https://s3\", prefix: a/b", minio + "\"https://s3\", prefix: ab", false},
             {aws + "eu-1", aws + "eu-2", true},
             {aws + "eu-1", aws + "cn-north-1", false},
             {aws + "eu-1", aws + "us-gov-west-1", false},
             {aws + "eu-1", aws + "eu-1, endpoint: \"https://s3.dualstack.eu-1.amazonaws.com\"", true},
             {aws + "eu-1", aws + "eu-1, endpoint: \"https://s3-eu-1.amazonaws.com\"", true},
             {aws + "eu-1", aws + "eu-1, endpoint: \"https://s3-accelerate.amazonaws.com\"", true},
             {aws + "eu-1", aws + "eu-1, endpoint: \"https://bucket.vpce-1.s3.eu-1.vpce.amazonaws.com\"", true},
             {aws + "eu-1", aws + "eu-1, endpoint: \"https://1.s3-outposts.eu-1.amazonaws.com\"", false},
             {aws + "eu-1", aws + "eu-1, endpoint: \"https://s3.example.com\"", false},
             {aws + "cn-1", aws + "cn-1, endpoint: \"https://s3.cn-1.amazonaws.com.cn:443/\"", true},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("oss-cn-hangzhou-internal"), true},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("s3.oss-cn-hangzhou-internal"), true},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("cn-hangzhou.oss"), true},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("oss-accelerate"), true},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("vpc100-oss-cn-hangzhou"), true},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("oss-console"), false},
             {minio + in_oss("oss-cn-hangzhou"), minio + "\"https://oss-cn-hangzhou.example.com\"", false},
             {minio + in_oss("oss-cn-hangzhou"), minio + in_oss("oss-cn-hangzhou-internal") + ", prefix: b", false},
             {minio + in_cos("cos.ap-1.myqcloud.com"), minio + in_cos("cos-internal.ap-1.tencentcos.cn"), true},
             {minio + in_cos("cos.ap-1.myqcloud.com"), minio + in_cos("cos.accelerate.myqcloud.com"), true},
             {minio + in_cos("cos.ap-1.myqcloud.com"), minio + in_cos("cos.ap-1-fsi.myqcloud.com"), false},
             {minio + in_cos("cos.ap-1-fsi.myqcloud.com"), minio + in_cos("cos-internal.ap-1-fsi.tencentcos.cn"), true},
             {minio + in_cos("cos.ap-1.myqcloud.com"), minio + in_cos("cos.ap-1.example.com"), false},
             {remote + "\"a:b\"", remote + "\"a:b/\"", true},
             {remote + "\"a:b\"", remote + "\"a:./b\"", true},
             {remote + "\"a:b/c\"", remote + "\"a:b//./c/\"", true},
             {remote + "\"a:\"", remote + "\"a:./\"", true},
             {remote + "\"a:/b\"", remote + "\"a:/b//\"", true},
             {remote + "\"a:b:c\"", remote + "\"a:./b:c\"", true},
             {remote + "\"/a:b\"", remote + "\"//a:b/\"", true},
             {remote + "\"a:b\"", remote + "\"a:/b\"", false},
             {remote + "\"a:b\"", remote + "\"A:b\"", false},
             {remote + "\"a:b\"", remote + "\"a:c\"", false},
             {remote + "\"a:b\"", "type: directory, path: /mnt/nas", false},
         }) {
        CAPTURE(one, other);
        CHECK(told(one, other) == (same ? "/etc/pgbakd.yaml:3:10: warning: targets.other: this is the same place as "
                                          "target one\n  hint: each lists the other's sets; no job may have both\n"
                                        : ""));
        const auto of_a_job = told(one, other, "targets: [other, one]");
        if (same)
            CHECK(of_a_job.find(": one is the same place as other\n  hint: each would prune the other's copies: name "
                                "one of them, or give them places of their own\n") != std::string::npos);
        CHECK(of_a_job.find("warning") == std::string::npos);
        CHECK(of_a_job.empty() != same);
    }
}

TEST_CASE("an account on an SSH server") {
    const auto least = place_of<model::SftpPlace>(with_target(sftp));
    CHECK(least.host == "vault.example.com");
    CHECK(least.port == 22);
    CHECK(least.user == "backup");
    CHECK(least.key_file.empty());
    CHECK(least.key_passphrase.kind == SecretKind::none);
    CHECK(least.known_hosts == "/etc/known_hosts");
    CHECK(least.path == "backups");
    const auto all = place_of<model::SftpPlace>(
        with(sftp, "port: 2222, key_file: /etc/id_ed25519, key_passphrase: {credential: vault}"));
    CHECK(all.port == 2222);
    CHECK(all.key_file == "/etc/id_ed25519");
    CHECK(all.key_passphrase.name == "vault");
    CHECK(place_of<model::SftpPlace>(
              with_target("type: sftp, host: \"2001:db8::1\", user: u, known_hosts: /k, path: /srv/b"))
              .host == "2001:db8::1");
    check_problems({
        {with_target("type: sftp"),
         "1:11: targets.t.host: this key is required\n  hint: as in host: vault.example.com\n"
         "/etc/pgbakd.yaml:1:11: targets.t.user: this key is required\n  hint: as in user: backup\n"
         "/etc/pgbakd.yaml:1:11: targets.t.known_hosts: this key is required\n"
         "  hint: as in known_hosts: /etc/pgbakd/known_hosts, filled by: ssh-keyscan HOST\n"
         "/etc/pgbakd.yaml:1:11: targets.t.path: this key is required\n  hint: as in path: backups"},
        {with_target("type: sftp, host: backup@vault, user: u, known_hosts: /k, path: p"),
         "1:33: targets.t.host: must be a host name or an address (got \"backup@vault\")\n"
         "  hint: port, user and path are keys of their own"},
        {with_target("type: sftp, host: vault/srv, user: u, known_hosts: /k, path: p"),
         "1:33: targets.t.host: must be a host name or an address (got \"vault/srv\")\n"
         "  hint: port, user and path are keys of their own"},
        {with(sftp, "port: 0"), "1:118: targets.t.port: must be at least 1 (got 0)\n  hint: the default is 22"},
        {with(sftp, "port: 65536"),
         "1:118: targets.t.port: must be at most 65535 (got 65536)\n  hint: the default is 22"},
        {with(sftp, "key_file: id"), "1:122: targets.t.key_file: must be an absolute path (got \"id\")" + whole},
        {with(sftp, "key_passphrase: {vault: x}"),
         "1:129: targets.t.key_passphrase.vault: unknown key\n  hint: keys here: env, file, credential"},
        {with_target("type: sftp, host: h, user: '', known_hosts: /k, path: p"),
         "1:42: targets.t.user: must be the name of an account (got \"\")"},
        {with_target("type: sftp, host: h, user: u, known_hosts: k, path: p"),
         "1:58: targets.t.known_hosts: must be an absolute path (got \"k\")" + whole},
        {with(sftp, "password: x"),
         "1:112: targets.t.password: unknown key\n  hint: keys here: type, host, port, user, key_file, key_passphrase, "
         "known_hosts, path"},
    });
}

TEST_CASE("a remote of rclone") {
    const auto least = place_of<model::RclonePlace>(with_target("type: rclone, remote: \"gdrive:backups\""));
    CHECK(least.remote == "gdrive:backups");
    CHECK(least.config_file.empty());
    const auto all = place_of<model::RclonePlace>(with_target(
        "type: rclone, remote: \"gdrive:\", config_file: /etc/rclone.conf, config_password: {env: RCLONE}"));
    CHECK(all.config_file == "/etc/rclone.conf");
    CHECK(all.config_password.kind == SecretKind::environment);
    const std::string hint = "\n  hint: as in remote: \"gdrive:backups\"; for a local directory use type: directory";
    check_problems({
        {with_target("type: rclone"),
         "1:11: targets.t.remote: this key is required\n  hint: as in remote: \"gdrive:backups\""},
        {with_target("type: rclone, remote: /mnt/nas"),
         "1:37: targets.t.remote: must be a remote of rclone (got \"/mnt/nas\")" + hint},
        {with_target("type: rclone, remote: \"--config:y\""),
         "1:37: targets.t.remote: must be a remote of rclone (got \"--config:y\")" + hint},
        {with_target("type: rclone, remote: \"a:b\", config_file: rclone.conf"),
         "1:57: targets.t.config_file: must be an absolute path (got \"rclone.conf\")" + whole},
    });
}

TEST_CASE("a remote of rclone with options in it is refused, and not repeated") {
    for (const auto* text : {":sftp,host=127.0.0.1,pass=S3cretWord:backups", "drive,pass=S3cretWord:x",
                             "drive,pass=S3cretWord", "drive, pass='S3cretWord/x':x", "pass=S3cretWord:x",
                             ":local:/S3cretWord", " :sftp,pass=S3cretWord:x", "-drive,pass=S3cretWord:x"}) {
        CAPTURE(text);
        CHECK(problems_of(with_target("type: rclone, remote: \"" + std::string(text) + "\"")) ==
              "/etc/pgbakd.yaml:1:37: targets.t.remote: must be the name of a remote and a path: with options in it, "
              "what they tell would be in command lines, logs and reports\n"
              "  hint: make a remote with those options in rclone's configuration (config_file), or by RCLONE_CONFIG_… "
              "variables, and name it, as in remote: \"gdrive:backups\"\n");
    }
    for (const auto* text : {"drive:a,b=c", "drive:", "my drive:a:b", "/srv/a,b=c:d", "drive:/a=b"}) {
        CAPTURE(text);
        CHECK(problems_of(with_target("type: rclone, remote: \"" + std::string(text) + "\"")) == "");
    }
}

TEST_CASE("a bucket") {
    const auto least = place_of<model::S3Place>(with_target(s3));
    CHECK(least.provider == "minio");
    CHECK(least.endpoint == "https://s3.example.com");
    CHECK(least.bucket == "backups");
    CHECK(least.region.empty());
    CHECK(least.prefix.empty());
    CHECK(least.access_key_id.kind == SecretKind::none);
    CHECK_FALSE(least.addressing);
    CHECK(least.part_size == 0);
    CHECK(least.concurrent_parts == 4);
    const auto all = place_of<model::S3Place>(with(
        s3,
        "region: eu-1, prefix: a/b, access_key_id: {env: ID}, secret_access_key: {credential: key}, session_token: "
        "{file: /t}, storage_class: STANDARD_IA, server_side_encryption: \"aws:kms\", addressing: virtual, ca_file: "
        "/ca.pem, part_size: 64 MiB, concurrent_parts: 32"));
    CHECK(all.region == "eu-1");
    CHECK(all.prefix == "a/b");
    CHECK(all.access_key_id.name == "ID");
    CHECK(all.secret_access_key.name == "key");
    CHECK(all.session_token.name == "/t");
    CHECK(all.storage_class == "STANDARD_IA");
    CHECK(all.server_side_encryption == "aws:kms");
    CHECK(all.addressing == model::S3Addressing::virtual_host);
    CHECK(all.ca_file == "/ca.pem");
    CHECK(all.part_size == std::uint64_t{64} << 20U);
    CHECK(all.concurrent_parts == 32);
    for (const auto* url : {"https://s3.example.com/", "http://127.0.0.1:9000", "https://[2001:db8::1]:9000"}) {
        CAPTURE(url);
        CHECK(problems_of(with_target("type: s3, provider: other, bucket: backups, endpoint: \"" + std::string(url) +
                                      "\"")) == "");
    }
}

TEST_CASE("what a bucket may not be given") {
    const std::string url = "\n  hint: as in endpoint: https://s3.example.com";
    const auto endpoint = [](const std::string& value) {
        return with_target("type: s3, provider: other, bucket: backups, endpoint: \"" + value + "\"");
    };
    const std::string name = "\n  hint: 3 to 63 of a-z, 0-9, \"-\" and \".\"; what is below it goes into prefix";
    const auto bucket = [](const std::string& value) {
        return with_target("type: s3, provider: aws, region: eu-1, bucket: " + value);
    };
    const auto prefix = [](const std::string& value) { return with(s3, "prefix: " + value); };
    check_problems({
        {with_target("type: s3"),
         "1:11: targets.t.provider: this key is required\n  hint: one of aws, r2, oss, cos, minio, other\n"
         "/etc/pgbakd.yaml:1:11: targets.t.bucket: this key is required\n  hint: as in bucket: cs-backups"},
        {with_target("type: s3, provider: amazon, region: eu-1, bucket: backups"),
         "1:35: targets.t.provider: must be one of aws, r2, oss, cos, minio, other (got \"amazon\")"},
        {endpoint("s3.example.com"),
         "1:69: targets.t.endpoint: must be the URL of a server (got \"s3.example.com\")" + url},
        {endpoint("ftp://s3.example.com"),
         "1:69: targets.t.endpoint: must be the URL of a server (got \"ftp://s3.example.com\")" + url},
        {endpoint("https://"), "1:69: targets.t.endpoint: must be the URL of a server (got \"https://\")" + url},
        {endpoint("https://me:secret@s3.example.com"),
         "1:69: targets.t.endpoint: must not contain a user or a password\n"
         "  hint: access_key_id and secret_access_key are keys of their own"},
        {endpoint("https://s3.example.com/backups"),
         "1:69: targets.t.endpoint: must end behind the host (got \"https://s3.example.com/backups\")\n"
         "  hint: the bucket and what is below it go into bucket and prefix"},
        {bucket("ab"), "1:62: targets.t.bucket: must be the name of a bucket (got \"ab\")" + name},
        {bucket("a/b"), "1:62: targets.t.bucket: must be the name of a bucket (got \"a/b\")" + name},
        {bucket("'s3://backups'"),
         "1:62: targets.t.bucket: must be the name of a bucket (got \"s3://backups\")" + name},
        {prefix("/a"),
         "1:103: targets.t.prefix: must be names with \"/\" between them (got \"/a\")\n"
         "  hint: as in prefix: backups/postgres"},
        {prefix("a/"),
         "1:103: targets.t.prefix: must be names with \"/\" between them (got \"a/\")\n"
         "  hint: as in prefix: backups/postgres"},
        {prefix("a/../b"),
         "1:103: targets.t.prefix: must be names with \"/\" between them (got \"a/../b\")\n"
         "  hint: as in prefix: backups/postgres"},
        {with(s3, "server_side_encryption: DES"),
         "1:119: targets.t.server_side_encryption: must be one of AES256, aws:kms (got \"DES\")"},
        {with(s3, "addressing: host"), "1:107: targets.t.addressing: must be one of path, virtual (got \"host\")"},
        {with(s3, "part_size: 1 MiB"),
         "1:106: targets.t.part_size: must be auto, or from 5 MiB to 5 GiB (got 1 MiB)\n  hint: the default is auto"},
        {with(s3, "part_size: 6 GiB"),
         "1:106: targets.t.part_size: must be auto, or from 5 MiB to 5 GiB (got 6 GiB)\n  hint: the default is auto"},
        {with(s3, "concurrent_parts: 0"),
         "1:113: targets.t.concurrent_parts: must be at least 1 (got 0)\n  hint: the default is 4"},
        {with(s3, "concurrent_parts: 33"),
         "1:113: targets.t.concurrent_parts: must be at most 32 (got 33)\n  hint: the default is 4"},
        {with(s3, "ca_file: ca.pem"), "1:104: targets.t.ca_file: must be an absolute path (got \"ca.pem\")" + whole},
    });
}

TEST_CASE("which services need an endpoint, and which a region") {
    for (const auto* provider : {"r2", "oss", "cos", "minio", "other"}) {
        const std::string keys = "type: s3, bucket: backups, provider: " + std::string(provider);
        check_problems(
            {{with_target(keys),
              "1:11: targets.t.endpoint: this key is required\n  hint: the URL of the service, which provider: " +
                  std::string(provider) + " does not tell"},
             {with_target(keys + ", endpoint: \"https://x.example.com\""), ""}});
    }
    check_problems({{with_target("type: s3, bucket: backups, provider: aws"),
                     "1:11: targets.t.region: this key is required\n  hint: as in region: eu-central-1"},
                    {with_target("type: s3, bucket: backups, provider: aws, region: eu-central-1"), ""},
                    // What is wrong is told once.
                    {with_target("type: s3, bucket: backups, provider: r2, endpoint: x"),
                     "1:66: targets.t.endpoint: must be the URL of a server (got \"x\")\n"
                     "  hint: as in endpoint: https://s3.example.com"}});
}

TEST_CASE("an access key and its secret come together, a token only with them") {
    check_problems({
        {with(s3, "access_key_id: {env: ID}"),
         "1:11: targets.t.secret_access_key: this key is required\n  hint: an access key needs its secret, as "
         "{credential: NAME}"},
        {with(s3, "secret_access_key: {env: KEY}"),
         "1:11: targets.t.access_key_id: this key is required\n  hint: a secret needs its access key"},
        {with(s3, "session_token: {env: TOKEN}"),
         "1:110: targets.t.session_token: a session token belongs to an access key\n"
         "  hint: give access_key_id and secret_access_key"},
        {with(s3, "access_key_id: AKIA, secret_access_key: literal"), ""},
        {with_target(s3), ""},  // the environment's, or those of a role
    });
    const auto result = load({{"/etc/pgbakd.yaml", with(s3, "access_key_id: {env: ID}, secret_access_key: hunter2"),
                               /*readable_by_others=*/true}},
                             host());
    CHECK_FALSE(result.config);
    CHECK(texts(result).find("targets.t.secret_access_key: ") != std::string::npos);
    CHECK(texts(result).find("hunter2") == std::string::npos);
}

TEST_CASE("the type of a target decides its keys, and a slip in it is told") {
    check_problems({
        {with_target("type: s4, bucket: backups"),
         "1:21: targets.t.type: must be one of directory, s3, sftp, rclone (got \"s4\")\n  hint: did you mean \"s3\"?"},
        {with_target("type: ftp"),
         "1:21: targets.t.type: must be one of directory, s3, sftp, rclone (got \"ftp\")\n"
         "  hint: did you mean \"sftp\"?"},
        {with_target("type: tape"), "1:21: targets.t.type: must be one of directory, s3, sftp, rclone (got \"tape\")"},
        {with_target("type: [s3]"), "1:21: targets.t.type: must be one of directory, s3, sftp, rclone (got a list)"},
        {with_target("path: /mnt/nas"),
         "1:11: targets.t.type: this key is required\n  hint: one of directory, s3, sftp, rclone"},
        {with_target(""), "1:11: targets.t.type: this key is required\n  hint: one of directory, s3, sftp, rclone"},
        {"targets: {t: nas}\n" + with_job(""),
         "1:14: targets.t: must be a mapping (got \"nas\")\n"
         "  hint: as in {type: directory, …}; types: directory, s3, sftp, rclone"},
        {"targets: [nas]\n" + with_job(""),
         "1:10: targets: must be a mapping of target names to their settings (got a list)"},
        {"targets: {\"a b\": {type: directory, path: /mnt/nas}}\n" + with_job(""),
         "1:11: targets.a b: target name \"a b\" has a character that names cannot have\n"
         "  hint: names have 1 to 63 of A-Z a-z 0-9 _ . - and begin with a letter or a digit"},
        {"targets: {}\n" + with_job(""), ""},
        {"targets:\n" + with_job(""), ""},
    });
}

TEST_CASE("a target that two files define is an error") {
    const auto result = load({{"/etc/pgbakd.yaml", with_target("type: directory, path: /mnt/nas"), false},
                              {"/etc/pgbakd.d/b.yaml", "targets: {t: {type: directory, path: /mnt/b}}\n", false}},
                             host());
    CHECK_FALSE(result.config);
    CHECK(texts(result).find("/etc/pgbakd.d/b.yaml:1:11: targets.t: ") != std::string::npos);
    const auto both = load({{"/etc/pgbakd.yaml", with_target("type: directory, path: /mnt/nas"), false},
                            {"/etc/pgbakd.d/b.yaml", "targets: {u: {type: directory, path: /mnt/b}}\n", false}},
                           host());
    REQUIRE(both.config);
    CHECK(both.config->targets.size() == 2);
}

TEST_CASE("the rate of all uploads together") {
    const auto rate = [](const std::string& value) { return with_top("limits: {upload_rate: " + value + "}"); };
    CHECK(config_of(with_job(""))->limits.upload_rate == 0);
    CHECK(config_of(rate("50 MiB/s"))->limits.upload_rate == std::uint64_t{50} << 20U);
    CHECK(config_of(rate("1 MB/s"))->limits.upload_rate == 1'000'000);
    CHECK(config_of(rate("16 KiB/s"))->limits.upload_rate == std::uint64_t{16} << 10U);
    const std::string hint = "\n  hint: as in 50 MiB/s; leave the key out for no limit";
    check_problems({
        {rate("50 MiB"), "1:23: limits.upload_rate: must be a rate (got \"50 MiB\")" + hint},
        {rate("fast/s"), "1:23: limits.upload_rate: must be a rate (got \"fast/s\")" + hint},
        {rate("0/s"), "1:23: limits.upload_rate: must be at least 16 KiB/s (got 0 B/s)" + hint},
        {rate("1 KiB/s"), "1:23: limits.upload_rate: must be at least 16 KiB/s (got 1.00 KiB/s)" + hint},
        {rate("50"), "1:23: limits.upload_rate: must be a rate (got \"50\")" + hint},
    });
}

TEST_CASE("a configuration with every kind of target is written and loads again without loss") {
    const auto text =
        "limits: {upload_rate: 1500000/s}\n"
        "targets:\n"
        "  nas: {type: directory, path: /mnt/nas, require_mount: true}\n"
        "  named: {type: directory, path: /mnt/x/y, require_mount: /mnt/x}\n"
        "  plain: {type: directory, path: \"/mnt/with # odd: characters\"}\n"
        "  vault: {type: sftp, host: vault, port: 2222, user: u, key_file: /k, key_passphrase: {file: /p}, "
        "known_hosts: "
        "/h, path: \"1e5\"}\n"
        "  drive: {type: rclone, remote: \"gdrive:\", config_file: /r.conf, config_password: topsecret}\n"
        "  r2: {type: s3, provider: r2, endpoint: \"https://x.example.com/\", region: auto, bucket: cs-backups, "
        "prefix: "
        "a/b, access_key_id: {env: ID}, secret_access_key: {credential: key}, session_token: {env: T}, storage_class: "
        "STANDARD_IA, server_side_encryption: \"aws:kms\", addressing: path, ca_file: /ca.pem, part_size: 6 MiB, "
        "concurrent_parts: 8}\n"
        "  least: {type: s3, provider: aws, region: eu-1, bucket: backups}\n" +
        with_job(
            "targets: [r2, nas]\n    keep_local: false\n    retention: {local: {days: 3}, targets: {r2: {days: 90, "
            "at_least: 5}}}");
    const auto config = config_of(text);
    const auto written = effective_yaml(*config);
    CAPTURE(written);
    CHECK(written.find("topsecret") == std::string::npos);
    CHECK(written.find("upload_rate: \"1500000/s\"") != std::string::npos);
    const auto again = config_of(written);
    CHECK(effective_yaml(*again) == written);
    REQUIRE(again->targets.size() == 7);
    CHECK(std::get<model::DirectoryPlace>(again->targets.at("named").place).require_mount.point == "/mnt/x");
    CHECK(again->limits.upload_rate == 1'500'000);
    for (const auto& [name, target] : config->targets) {
        CAPTURE(name);
        CHECK(again->targets.at(name).place.index() == target.place.index());
        CHECK(model::type_text(again->targets.at(name)) == model::type_text(target));
    }
    const auto& bucket = std::get<model::S3Place>(again->targets.at("r2").place);
    CHECK(bucket.endpoint == "https://x.example.com");
    CHECK(bucket.addressing == model::S3Addressing::path);
    CHECK(bucket.part_size == std::uint64_t{6} << 20U);
    CHECK(std::get<model::DirectoryPlace>(again->targets.at("plain").place).path == "/mnt/with # odd: characters");
    const auto& job = *again->jobs.at(0);
    CHECK(job.targets == std::vector<std::string>{"r2", "nas"});
    CHECK(job.keep_local == model::KeepLocal::until_copied);
    CHECK(job.target_retention.at("r2").days == 90);
    CHECK(job.target_retention.at("r2").at_least == 5);
    CHECK(job.target_retention.at("nas").days == 30);
}

TEST_CASE("the reference tells of each kind of target") {
    const auto reference = reference_markdown();
    for (const auto* kind : {"directory", "s3", "sftp", "rclone"})
        CHECK(reference.find("### `targets.NAME of type " + std::string(kind) + "`\n") != std::string::npos);
    for (const auto* key : {"require_mount", "known_hosts", "config_password", "concurrent_parts", "upload_rate"})
        CHECK(reference.find("| `" + std::string(key) + "` |") != std::string::npos);
}

}  // namespace pgbakd::config
