#include "model/recipients.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace pgbakd::model {
namespace {

constexpr std::size_t most_recipients = 100;
constexpr std::size_t longest = 2000;  // an RSA key of 8,192 bits has 1,400

base::Error wrong(std::string message, std::string hint) {
    return {base::ErrorCode::invalid_configuration, std::move(message), std::move(hint)};
}

bool looks_secret(std::string_view text) {
    return base::to_lower(text).find("secret-key") != std::string::npos ||
           text.find("PRIVATE KEY") != std::string_view::npos;
}

base::Error secret_key() {
    return wrong("this is a secret key: it belongs to whoever restores, and nowhere near the backups",
                 "put the public key here; age-keygen -y FILE prints it. If this file was seen by others, make a new "
                 "pair");
}

// BIP 173: the data of Bech32.
bool is_bech32(std::string_view text) {
    static constexpr std::string_view characters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return characters.find(c) != std::string_view::npos; });
}

bool is_age_key(std::string_view text) {
    if (!text.starts_with("age1") || text.size() < 50) return false;
    const auto separator = text.rfind('1');
    const auto name = text.substr(0, separator);
    const bool named_well = std::all_of(name.begin(), name.end(),
                                        [](char c) { return base::is_digit(c) || c == '-' || (c >= 'a' && c <= 'z'); });
    return named_well && is_bech32(text.substr(separator + 1));
}

bool is_ssh_key(std::string_view text) {
    return (text.starts_with("ssh-ed25519 AAAA") || text.starts_with("ssh-rsa AAAA")) &&
           std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
}

}  // namespace

base::Status check_age_recipient(std::string_view text) {
    if (looks_secret(text)) return secret_key();
    if (text.size() <= longest && (is_age_key(text) || is_ssh_key(text))) return {};
    return wrong("is no recipient of age", "as in age1…, which age-keygen prints as the public key, or an SSH key");
}

base::Status check_gpg_recipient(std::string_view text) {
    if (looks_secret(text)) return secret_key();
    auto digits = text;
    if (digits.starts_with("0x")) digits.remove_prefix(2);
    const bool hex = std::all_of(digits.begin(), digits.end(), [](char c) {
        return base::is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
    if (hex && (digits.size() == 16 || digits.size() == 40)) return {};
    return wrong("is no fingerprint of a key, nor a long key id",
                 "the 40 digits that gpg --list-keys prints; names and short ids can be somebody else's");
}

base::Result<std::vector<std::string>> parse_recipients_file(std::string_view text) {
    std::vector<std::string> recipients;
    std::size_t number = 0;
    for (const auto each : base::split(text, '\n')) {
        ++number;
        const auto line = base::trim(each);
        if (line.empty() || line.starts_with('#')) continue;
        const auto status = check_age_recipient(line);
        if (!status)
            return base::Error(status.error().code(), fmt::format("line {}: {}", number, status.error().message()),
                               status.error().hint());
        recipients.emplace_back(line);
        if (recipients.size() > most_recipients)
            return wrong(fmt::format("more than {} recipients", most_recipients),
                         "encrypt to a key that several share");
    }
    if (recipients.empty()) return wrong("there is no recipient in it", "a line each: age1…");
    return recipients;
}

}  // namespace pgbakd::model
