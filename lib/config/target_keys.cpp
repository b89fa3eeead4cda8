#include "config/target_keys.hpp"

#include "config/domain_types.hpp"
#include "config/target_types.hpp"

namespace pgbakd::config {
namespace {

using model::DirectoryPlace;
using model::RclonePlace;
using model::S3Place;
using model::SftpPlace;
using model::TargetSpec;

// From a target to a setting of its kind of place.
template <class Place, class Value>
auto of(Value Place::*member) {
    return [member](auto& target) -> auto& {
        return std::get<Place>(target.place).*member;
    };
}

Fallback type_is(const std::string& word) {
    return required("type: " + word);
}

const Section<TargetSpec>& directory_keys() {
    static const Section<TargetSpec> section(
        {.name = {}, .place = DirectoryPlace{}},
        {
            kind_key<TargetSpec>("type", "directory", {}, type_is("directory"), "A directory of this host."),
            key<TargetSpec>("path", of(&DirectoryPlace::path), own_directory(), required("as in path: /mnt/nas/pgbakd"),
                            "Where the copies lie: a mounted NFS or CIFS export, another disk."),
            key<TargetSpec>("require_mount", of(&DirectoryPlace::require_mount), yes_or_no(), is("false"),
                            "`true`: refuse it while nothing is mounted there, so that the root file system is never "
                            "filled in its place."),
        });
    return section;
}

const Section<TargetSpec>& sftp_keys() {
    static const Section<TargetSpec> section(
        {.name = {}, .place = SftpPlace{}},
        {
            kind_key<TargetSpec>("type", "sftp", {}, type_is("sftp"), "An account on an SSH server."),
            key<TargetSpec>("host", of(&SftpPlace::host), tcp_host(), required("as in host: vault.example.com"),
                            "Host name or address."),
            key<TargetSpec>("port", of(&SftpPlace::port), whole_number<std::uint16_t>(1, 65535), is("22"), "TCP port."),
            key<TargetSpec>("user", of(&SftpPlace::user), text("the name of an account", 255),
                            required("as in user: backup"), "Account to log in as."),
            key<TargetSpec>("key_file", of(&SftpPlace::key_file), absolute_path(), absent("the keys of the SSH agent"),
                            "Private key (ed25519 or ECDSA), mode 0600."),
            key<TargetSpec>("key_passphrase", of(&SftpPlace::key_passphrase), secret(), absent("none"),
                            "Passphrase of the private key; see \"Secrets\" above."),
            key<TargetSpec>("known_hosts", of(&SftpPlace::known_hosts), absolute_path(),
                            required("as in known_hosts: /etc/pgbakd/known_hosts, filled by: ssh-keyscan HOST"),
                            "The host keys that are trusted. An unknown or changed key is refused."),
            key<TargetSpec>("path", of(&SftpPlace::path), text("a path on the server", 1024),
                            required("as in path: backups"),
                            "Directory on the server: absolute, or below the account's home."),
        });
    return section;
}

const Section<TargetSpec>& rclone_keys() {
    static const Section<TargetSpec> section(
        {.name = {}, .place = RclonePlace{}},
        {
            kind_key<TargetSpec>("type", "rclone", {}, type_is("rclone"), "A remote of the program `rclone`."),
            key<TargetSpec>("remote", of(&RclonePlace::remote), text("a remote, as `gdrive:backups`", 1024),
                            required("as in remote: \"gdrive:backups\""), "Remote and path, as `rclone` takes them."),
            key<TargetSpec>("config_file", of(&RclonePlace::config_file), absolute_path(),
                            absent("remotes come from environment variables alone"),
                            "rclone's configuration; it is read and never written."),
            key<TargetSpec>("config_password", of(&RclonePlace::config_password), secret(), absent("none"),
                            "Password of an encrypted rclone configuration; see \"Secrets\" above."),
        });
    return section;
}

const Section<TargetSpec>& s3_keys() {
    const auto provider = [](const char* name) { return Choice<std::string>{name, name}; };
    static const Section<TargetSpec> section(
        {.name = {}, .place = S3Place{}},
        {
            kind_key<TargetSpec>("type", "s3", {}, type_is("s3"), "A bucket of an S3-compatible service."),
            key<TargetSpec>("provider", of(&S3Place::provider),
                            choice<std::string>({provider("aws"), provider("r2"), provider("oss"), provider("cos"),
                                                 provider("minio"), provider("other")}),
                            required("one of aws, r2, oss, cos, minio, other"),
                            "Whose service it is: decides limits of parts, addressing, headers. See `docs/targets/`."),
            key<TargetSpec>("endpoint", of(&S3Place::endpoint), endpoint(), absent("AWS's for the region"),
                            "The service's URL, without the bucket."),
            key<TargetSpec>("region", of(&S3Place::region), text("the name of a region", 63),
                            absent("the provider's usual one"), "Region of the bucket."),
            key<TargetSpec>("bucket", of(&S3Place::bucket), bucket(), required("as in bucket: cs-backups"),
                            "The bucket; it has to be there."),
            key<TargetSpec>("prefix", of(&S3Place::prefix), prefix(), absent("none"),
                            "What stands before every key in the bucket. Hosts that share a bucket need one each."),
            key<TargetSpec>("access_key_id", of(&S3Place::access_key_id), secret(),
                            absent("the environment's, or those of the instance's role"),
                            "Access key; see \"Secrets\" above."),
            key<TargetSpec>("secret_access_key", of(&S3Place::secret_access_key), secret(), absent("as above"),
                            "Secret of the access key."),
            key<TargetSpec>("session_token", of(&S3Place::session_token), secret(), absent("none"),
                            "Session token of temporary keys."),
            key<TargetSpec>("storage_class", of(&S3Place::storage_class), text("a storage class", 63),
                            absent("the bucket's own"), "Storage class of artifacts: `STANDARD_IA`."),
            key<TargetSpec>("server_side_encryption", of(&S3Place::server_side_encryption),
                            choice<std::string>({{"AES256", "AES256"}, {"aws:kms", "aws:kms"}}),
                            absent("the bucket's own"), "Encryption by the service."),
            key<TargetSpec>("addressing", of(&S3Place::addressing),
                            maybe(choice<model::S3Addressing>(
                                {{"path", model::S3Addressing::path}, {"virtual", model::S3Addressing::virtual_host}})),
                            absent("the provider's"), "Whether the bucket stands in the path or in the host name."),
            key<TargetSpec>("ca_file", of(&S3Place::ca_file), absolute_path(), absent("the system's"),
                            "Certificates of the authorities that may vouch for the server."),
            key<TargetSpec>("part_size", of(&S3Place::part_size), part_size(), is("auto"),
                            "Size of the parts of an upload; `auto` grows with what was sent."),
            key<TargetSpec>(
                "concurrent_parts", of(&S3Place::concurrent_parts), whole_number<int>(1, 32), is("4"),
                "Parts of one upload that are sent at a time; of the short files of a set four times as many."),
        });
    return section;
}

template <class Place>
bool is_a(const TargetSpec& target) {
    return std::holds_alternative<Place>(target.place);
}

}  // namespace

std::vector<Kind<TargetSpec>> target_kinds() {
    return {{"directory", &directory_keys(), is_a<DirectoryPlace>},
            {"s3", &s3_keys(), is_a<S3Place>},
            {"sftp", &sftp_keys(), is_a<SftpPlace>},
            {"rclone", &rclone_keys(), is_a<RclonePlace>}};
}

}  // namespace pgbakd::config
