// Places off this disk, as an administrator declared them. Immutable after the configuration is loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/secret_reference.hpp"

namespace pgbakd::model {

// A directory of this host: a mounted NFS or CIFS export, a second disk.
struct RequiredMount {
    bool required = false;
    std::filesystem::path point;  // that something has to be mounted on; empty: any but "/" and the repository's
};

struct DirectoryPlace {
    std::filesystem::path path;
    RequiredMount require_mount;
    std::filesystem::path repository;  // whose file system is not meant, whatever is required
};

struct SftpPlace {
    std::string host;
    std::uint16_t port = 22;
    std::string user;
    std::filesystem::path key_file;  // empty: the keys of the agent
    SecretReference key_passphrase;
    std::filesystem::path known_hosts;
    std::string path;  // on the server: absolute, or below the user's home directory
};

struct RclonePlace {
    std::string remote;                 // "gdrive:backups"
    std::filesystem::path config_file;  // empty: remotes come from the environment alone
    SecretReference config_password;    // of an encrypted configuration file
};

enum class S3Addressing { path, virtual_host };

struct S3Place {
    std::string provider;  // a name of target::find_s3_profile()
    std::string endpoint;  // "https://…"; empty: AWS's own for the region
    std::string region;    // empty: the provider's
    std::string bucket;
    std::string prefix;
    SecretReference access_key_id;  // none: the environment's, or those of the instance's role
    SecretReference secret_access_key;
    SecretReference session_token;
    std::string storage_class;           // empty: the bucket's own
    std::string server_side_encryption;  // "AES256", "aws:kms"; empty: the bucket's own
    std::optional<S3Addressing> addressing;
    std::filesystem::path ca_file;
    std::uint64_t part_size = 0;  // bytes; 0: as needed
    int concurrent_parts = 4;
};

struct TargetSpec {
    std::string name;
    std::variant<DirectoryPlace, SftpPlace, RclonePlace, S3Place> place;
};

// "directory", "sftp", "rclone", "s3"
[[nodiscard]] std::string_view type_text(const TargetSpec& target) noexcept;
// All secrets it may need, those that are not given included.
[[nodiscard]] std::vector<SecretReference> secrets_of(const TargetSpec& target);

}  // namespace pgbakd::model
