#include "http/ssh_key.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "codec/hmac.hpp"
#include "http/known_hosts.hpp"
#include "os/file.hpp"

namespace pgbakd::http {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_key_bytes = 256UL * 1024;

// Strings of RFC 4251: four bytes of length, then that many bytes.
class Fields {
  public:
    explicit Fields(std::span<const std::byte> bytes) : rest_(bytes) {}
    std::span<const std::byte> next() {
        const auto length = number();
        if (length > rest_.size()) return rest_ = {};
        const auto field = rest_.first(length);
        rest_ = rest_.subspan(length);
        return field;
    }
    std::size_t number() {
        if (rest_.size() < 4) {
            rest_ = {};
            return 0;
        }
        std::size_t value = 0;
        for (const auto byte : rest_.first(4)) value = value << 8U | std::to_integer<std::size_t>(byte);
        rest_ = rest_.subspan(4);
        return value;
    }

  private:
    std::span<const std::byte> rest_;
};

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

base::Result<ClientKey> read_openssh_key(std::string_view body) {
    std::string letters;
    std::copy_if(body.begin(), body.end(), std::back_inserter(letters), [](char c) { return c > ' '; });
    const auto bytes = codec::from_base64(letters);
    static constexpr std::string_view magic("openssh-key-v1\0", 15);
    if (!bytes || !text_of(*bytes).starts_with(magic))
        return Error(ErrorCode::invalid_configuration, "the private key is damaged");
    Fields fields{std::span(*bytes).subspan(magic.size())};
    const auto cipher = text_of(fields.next());
    fields.next();    // the name of the function that makes a key of the passphrase
    fields.next();    // and its options
    fields.number();  // of keys: one
    return ClientKey{.type = key_type(fields.next()), .encrypted = cipher != "none"};
}

}  // namespace

base::Result<ClientKey> read_client_key(std::string_view text) {
    static constexpr std::string_view begin = "-----BEGIN ";
    const auto found = text.find(begin);
    const auto label_at = found == std::string_view::npos ? text.size() : found + begin.size();
    const auto label_end = text.find("-----", label_at);
    if (found == std::string_view::npos || label_end == std::string_view::npos)
        return Error(ErrorCode::invalid_configuration, "there is no private key in it",
                     text.starts_with("ssh-") || text.starts_with("ecdsa-")
                         ? "this is the public key: name the file without .pub"
                         : "make one with: ssh-keygen -t ed25519");
    const auto label = text.substr(label_at, label_end - label_at);
    const auto rest = text.substr(label_end + 5);
    const auto body = rest.substr(0, rest.find("-----END"));
    if (label == "OPENSSH PRIVATE KEY") return read_openssh_key(body);
    if (!label.ends_with("PRIVATE KEY"))
        return Error(ErrorCode::invalid_configuration,
                     fmt::format("it holds a {} and no private key", base::to_lower(base::printable(label))));
    ClientKey key{.type = {}, .encrypted = body.find("ENCRYPTED") != std::string_view::npos};
    if (label.starts_with("RSA")) key.type = "ssh-rsa";
    if (label.starts_with("EC ")) key.type = "ecdsa";
    if (label.starts_with("ENCRYPTED")) key.encrypted = true;
    return key;
}

ClientKey check_client_key(const std::filesystem::path& path, bool has_passphrase) {
    const auto refuse = [&path](std::string_view fact, std::string hint) {
        return Error(ErrorCode::invalid_configuration, fmt::format("{}: {}", path.native(), fact), std::move(hint));
    };
    const auto status = os::target_status(path);
    if (!status || !status->is_regular) throw refuse("there is no such key file", "name the private key in key_file");
    if (status->owner == ::geteuid() && (status->mode & 077U) != 0)
        throw refuse(fmt::format("others may read this private key (its mode is {:04o})", status->mode & 07777U),
                     fmt::format("chmod 600 {}", path.native()));
    const auto key = read_client_key(os::read_file(path, most_key_bytes));
    if (!key) throw refuse(key.error().message(), key.error().hint());
    if (key->encrypted && !has_passphrase)
        throw refuse("this private key needs a passphrase", "give it in key_passphrase, or put the key into an agent");
    return *key;
}

}  // namespace pgbakd::http
