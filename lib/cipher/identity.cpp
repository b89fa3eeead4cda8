#include "cipher/identity.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "os/file.hpp"

namespace pgbakd::cipher {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t most_bytes = std::size_t{60} << 10U;  // os::Command::secret_file_text takes a little more

bool contains(std::string_view text, std::string_view words) {
    return text.find(words) != std::string_view::npos;
}

Error refuse(std::string fact, std::string hint) {
    return {ErrorCode::invalid_argument, std::move(fact), std::move(hint)};
}

// OpenPGP's tag of a secret key packet (RFC 4880, 4.2), or its armour.
bool is_gpg_key(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.empty() ? 0 : text.front());
    return contains(text, "BEGIN PGP PRIVATE KEY") || (first >= 0x94 && first <= 0x97) || first == 0xc5;
}

// OpenSSH's PROTOCOL.key: "openssh-key-v1", NUL, and the length and name of a cipher, in base64; here that of none.
bool needs_passphrase(std::string_view text) {
    constexpr std::string_view unencrypted = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";
    if (contains(text, "BEGIN OPENSSH PRIVATE KEY")) return !contains(text, unencrypted);
    return contains(text, "ENCRYPTED");  // PEM
}

}  // namespace

base::Status check_age_identity(std::string_view text) {
    if (is_gpg_key(text))
        return refuse("it is a secret key of gpg",
                      "import it and name the keyring, a directory: gpg --homedir DIR --import FILE");
    if (contains(text, "age-encryption.org/v1") || contains(text, "BEGIN AGE ENCRYPTED FILE"))
        return refuse("it is encrypted with a passphrase, and nobody is asked for one here",
                      "decrypt it for a moment: age --decrypt --output KEYS FILE");
    if (contains(text, "AGE-PLUGIN-"))
        return refuse("its keys are a plugin's, which may ask for something, and nobody is asked here",
                      "decrypt the artifact by hand: age --decrypt --identity FILE");
    if (contains(text, "AGE-SECRET-KEY-")) return {};
    if (contains(text, "PRIVATE KEY-----")) {
        if (!needs_passphrase(text)) return {};
        return refuse("it needs a passphrase, and nobody is asked for one here",
                      "take it off a copy of it: ssh-keygen -p -N '' -f COPY");
    }
    if (contains(text, "age1") || contains(text, "ssh-") || contains(text, "BEGIN PGP PUBLIC KEY"))
        return refuse("it holds public keys only", "what decrypts is the secret key that belongs to one of them");
    return refuse("it holds no secret key", "a file as age-keygen writes it, or a directory with a keyring of gpg");
}

Identity read_identity(const std::filesystem::path& place) {
    const auto found = os::target_status(place);
    if (!found) throw Error(ErrorCode::not_found, fmt::format("there is no identity {}", place.native()));
    if (found->is_directory) return {std::filesystem::absolute(place), {}};
    Identity identity{place, base::Secret(os::read_file(place, most_bytes))};
    const auto status = check_age_identity(identity.keys.reveal());
    if (!status) throw Error(status.error().during(place.native()));
    return identity;
}

}  // namespace pgbakd::cipher
