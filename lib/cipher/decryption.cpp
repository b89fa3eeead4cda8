#include "cipher/decryption.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "cipher/decrypting_check.hpp"
#include "os/find_program.hpp"

namespace pgbakd::cipher {
namespace {

using base::Error;
using base::ErrorCode;

// age's cmd/age and internal/stream, gpg's g10/decrypt.c, g10/mainproc.c and common/iobuf.c.
constexpr std::array not_opened{"no identity matched", "No secret key", "no secret key",
                                "public key decryption failed"};
constexpr std::array damaged{
    "failed to decrypt and authenticate",
    "failed to read header",
    "bad header MAC",
    "failed to read nonce",
    "last chunk is empty",
    "trailing data after end of encrypted file",
    "unexpected EOF",
    "has been manipulated",
    "not integrity protected",
    "decrypt_message failed",
    "no valid OpenPGP data",
    "invalid packet",
    "Invalid packet",
    "pending bytes",
    "read error",
    "larger than indicated length",
};

template <class Words>
bool says_any(const std::string& text, const Words& all) {
    return std::any_of(all.begin(), all.end(),
                       [&text](const char* words) { return text.find(words) != std::string::npos; });
}

// age ends every failure with where to report it.
std::string without_advice(const std::string& words) {
    return words.substr(0, words.find("; age: report unexpected or unhelpful errors"));
}

}  // namespace

Error decrypting_failure(std::string_view method, const std::filesystem::path& place, const os::Child::Ending& ending,
                         const std::string& words) {
    const auto said = without_advice(words);
    const auto message = fmt::format("{} failed: {}{}{}", method, ending.text(), said.empty() ? "" : ": ", said);
    // The first packet may be whole, and what is behind it not.
    if (says_any(said, damaged)) return {ErrorCode::corrupt, "cannot be decrypted: " + message};
    if (says_any(said, not_opened))
        return {
            ErrorCode::authentication_failed, fmt::format("the keys of {} do not open it: {}", place.native(), said),
            method == "gpg" ? "pgbakctl show SET tells whose keys do; one with a passphrase must be unlocked in gpg's "
                              "agent before, as nobody is asked here"
                            : "pgbakctl show SET tells whose keys do"};
    return {ErrorCode::program_failed,
            message,
            {},
            ending.signal != 0 ? base::Persistence::passing : base::Persistence::lasting};
}

Decryption::Decryption(Identity identity, std::vector<std::filesystem::path> programs)
    : identity_(std::move(identity)), programs_(std::move(programs)) {}

os::Command Decryption::command(std::string_view method) const {
    const bool gpg = method == "gpg";
    // It comes of a manifest, and becomes a program's name.
    if (!gpg && method != "age")
        throw Error(ErrorCode::unsupported, fmt::format("it is encrypted by \"{}\", which is neither age nor gpg",
                                                        base::printable(base::clamp_utf8(method, 100))));
    const auto& place = identity_.place.native();
    if (gpg != identity_.is_keyring())
        throw Error(ErrorCode::invalid_argument,
                    gpg ? fmt::format("it is encrypted with gpg, and {} is for age", place)
                        : fmt::format("it is encrypted with age, and {} is a directory, as keyrings of gpg are", place),
                    gpg ? "name the directory of the keyring, as in --identity ~/.gnupg"
                        : "name the file that age-keygen wrote");
    const auto program = os::find_program(std::string(method), programs_);
    if (!program)
        throw Error(ErrorCode::client_missing, fmt::format("the program {} is not there", method),
                    fmt::format("install it: apt install {}", gpg ? "gnupg" : "age"));
    os::Command command;
    command.argv.push_back(program->native());
    command.feed_input = true;
    if (!gpg) {
        command.argv.insert(command.argv.end(), {"--decrypt", "--identity", os::Command::secret_file});
        command.secret_file_text = identity_.keys;
        return command;
    }
    if (::access(place.c_str(), R_OK | W_OK | X_OK) != 0)
        throw Error(ErrorCode::permission_denied, fmt::format("the keyring {} may not be used", place),
                    "it is used as the owner of the repository, unless the set is named by its path: then as whoever "
                    "you are");
    command.argv.insert(command.argv.end(), {"--homedir", place, "--batch", "--no-tty", "--quiet", "--decrypt"});
    return command;
}

Explain Decryption::explain(std::string_view method) const {
    return [method = std::string(method), place = identity_.place](const os::Child::Ending& ending,
                                                                   const std::string& words) {
        return decrypting_failure(method, place, ending, words);
    };
}

std::unique_ptr<Stage> Decryption::stage(const asio::any_io_executor& executor, std::string_view method) const {
    return std::make_unique<Stage>(executor, command(method), explain(method));
}

std::unique_ptr<codec::Check> Decryption::check(std::string_view method, std::unique_ptr<codec::Check> content) const {
    return std::make_unique<DecryptingCheck>(command(method), explain(method), std::move(content));
}

}  // namespace pgbakd::cipher
