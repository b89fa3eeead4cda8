#include "model/target.hpp"

#include <array>

namespace pgbakd::model {
namespace {

std::vector<SecretReference> secrets(const DirectoryPlace& /*place*/) {
    return {};
}
std::vector<SecretReference> secrets(const SftpPlace& place) {
    return {place.key_passphrase};
}
std::vector<SecretReference> secrets(const RclonePlace& place) {
    return {place.config_password};
}
std::vector<SecretReference> secrets(const S3Place& place) {
    return {place.access_key_id, place.secret_access_key, place.session_token};
}

}  // namespace

std::string_view type_text(const TargetSpec& target) noexcept {
    constexpr std::array<std::string_view, std::variant_size_v<decltype(TargetSpec::place)>> names{"directory", "sftp",
                                                                                                   "rclone", "s3"};
    return names.at(target.place.index());
}

std::vector<SecretReference> secrets_of(const TargetSpec& target) {
    return std::visit([](const auto& place) { return secrets(place); }, target.place);
}

}  // namespace pgbakd::model
