#include "cipher/identity.hpp"

#include <fstream>

#include "base/error.hpp"
#include "cipher/decryption.hpp"
#include "support/common.hpp"
#include "support/temporary_directory.hpp"

using namespace pgbakd;
using base::ErrorCode;

TEST_CASE("what age can use without asking anybody is taken, and of all else is said what it is") {
    struct Row {
        const char* text;
        const char* fact;  // null: taken
    };
    const Row rows[] = {
        {"# created: 2026-01-01\n# public key: age1abc\nAGE-SECRET-KEY-1ABC\n", nullptr},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n-----END", nullptr},
        {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", nullptr},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI=\n", "it needs a passphrase"},
        {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "it needs a passphrase"},
        {"age-encryption.org/v1\n-> scrypt", "it is encrypted with a passphrase"},
        {"-----BEGIN AGE ENCRYPTED FILE-----\n", "it is encrypted with a passphrase"},
        {"AGE-PLUGIN-YUBIKEY-1ABC\n", "its keys are a plugin's"},
        {"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "it is a secret key of gpg"},
        {"\x95\x05\x58\x04", "it is a secret key of gpg"},
        {"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n", "it holds public keys only"},
        {"ssh-ed25519 AAAA someone\n", "it holds public keys only"},
        {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "it holds public keys only"},
        {"secret\n", "it holds no secret key"},
        {"", "it holds no secret key"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto status = cipher::check_age_identity(row.text);
        REQUIRE(bool(status) == (row.fact == nullptr));
        if (row.fact == nullptr) continue;
        CHECK(status.error().message().starts_with(row.fact));
        CHECK_FALSE(status.error().hint().empty());
    }
}

TEST_CASE("a file is read at once, a directory is a keyring, and neither does for the other program") {
    const support::TemporaryDirectory directory;
    const auto file = directory / "key";
    std::ofstream(file) << "AGE-SECRET-KEY-1ABC\n";
    const auto age = cipher::read_identity(file);
    std::filesystem::remove(file);
    CHECK(age.keys.reveal() == "AGE-SECRET-KEY-1ABC\n");
    const auto gpg = cipher::read_identity(directory.path());
    CHECK(gpg.is_keyring());
    const std::vector<std::filesystem::path> programs{directory.path()};
    for (const auto* name : {"age", "gpg"}) {
        std::ofstream(directory / name) << "#!/bin/sh\n";
        std::filesystem::permissions(directory / name, std::filesystem::perms::owner_all);
    }
    const auto error_of = [](const auto& call) {
        try {
            call();
        } catch (const base::Error& error) {
            return error;
        }
        return base::Error(ErrorCode::internal, "none");
    };
    CHECK(error_of([&] { (void)cipher::read_identity(file); }).code() == ErrorCode::not_found);
    CHECK(error_of([&] { (void)cipher::Decryption(age, programs).command("gpg"); }).code() ==
          ErrorCode::invalid_argument);
    CHECK(error_of([&] { (void)cipher::Decryption(gpg, programs).command("age"); }).code() ==
          ErrorCode::invalid_argument);
    CHECK(error_of([&] { (void)cipher::Decryption(age, {}).command("age"); }).code() == ErrorCode::client_missing);
    CHECK(error_of([&] { (void)cipher::Decryption(age, {"/bin"}).command("sh"); }).code() == ErrorCode::unsupported);
    const auto command = cipher::Decryption(age, programs).command("age");
    for (const auto& word : command.argv) CHECK(word.find("SECRET") == std::string::npos);
    CHECK(cipher::Decryption(gpg, programs).command("gpg").argv.at(2) == directory.path().native());
}

TEST_CASE("what age and gpg failed of: keys that do not fit, damage, or neither") {
    struct Row {
        const char* method;
        const char* words;
        ErrorCode code;
    };
    // As age 1.1.1 and gpg 2.2.40 said them.
    const Row rows[] = {
        {"age", "age: error: no identity matched any of the recipients", ErrorCode::authentication_failed},
        {"age", "age: error: failed to decrypt and authenticate payload chunk", ErrorCode::corrupt},
        {"age", "age: error: failed to read header: parsing age header: failed to read intro: EOF", ErrorCode::corrupt},
        {"age", "age: error: failed to read header: failed to parse header: failed to read line: EOF",
         ErrorCode::corrupt},
        {"age", "age: error: something else", ErrorCode::program_failed},
        {"age", "", ErrorCode::program_failed},
        {"gpg", "gpg: decryption failed: No secret key", ErrorCode::authentication_failed},
        {"gpg", "gpg: WARNING: encrypted message has been manipulated!", ErrorCode::corrupt},
        {"gpg", "gpg: block_filter: pending bytes!", ErrorCode::corrupt},
        {"gpg", "gpg: block_filter 0x1: read error (size=16330,a->size=16330)", ErrorCode::corrupt},
        {"gpg", "gpg: mpi larger than indicated length (1040 bits)", ErrorCode::corrupt},
        {"gpg", "gpg: decrypt_message failed: Unknown system error", ErrorCode::corrupt},
        {"gpg", "gpg: keyblock resource '/x/pubring.kbx': Permission denied", ErrorCode::program_failed},
    };
    for (const auto& row : rows) {
        CAPTURE(row.words);
        const auto error = cipher::decrypting_failure(
            row.method, "KEY", {.exit_code = 1, .signal = 0},
            std::string(row.words) + "; age: report unexpected or unhelpful errors at https://x");
        CHECK(error.code() == row.code);
        CHECK(error.message().find("report unexpected") == std::string::npos);
        CHECK_FALSE(error.is_passing());
    }
    CHECK(cipher::decrypting_failure("age", "KEY", {.exit_code = 0, .signal = 9}, "").is_passing());
}
