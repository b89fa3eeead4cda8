// Decrypting with somebody's keys, by the program that made the artifact.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cipher/identity.hpp"
#include "cipher/stage.hpp"
#include "codec/check.hpp"

namespace pgbakd::cipher {

// What age or gpg failed of. Codes: authentication_failed where the keys do not open it; corrupt where what it was
// given is damaged; else program_failed, which says nothing of the artifact. Pure.
[[nodiscard]] base::Error decrypting_failure(std::string_view method, const std::filesystem::path& place,
                                             const os::Child::Ending& ending, const std::string& words);

// A value; what it makes stands alone. `method` is "age" or "gpg", as manifests and the ends of file names say. Errors
// of all: invalid_argument where the identity is for the other method; unsupported where it is none of the two;
// client_missing; permission_denied where the keyring may not be used.
class Decryption {
  public:
    // The programs are looked for in these directories.
    Decryption(Identity identity, std::vector<std::filesystem::path> programs);

    // Reads the encrypted bytes from its standard input, and writes what they are to its output.
    [[nodiscard]] os::Command command(std::string_view method) const;
    // That on the reactor.
    [[nodiscard]] std::unique_ptr<Stage> stage(const asio::any_io_executor& executor, std::string_view method) const;
    // That as a check: it is handed encrypted bytes, and `content` is handed what they are. Fails with `corrupt` as
    // `content` does; throws where the keys do not open it or the program fails for reasons of its own. Blocks.
    [[nodiscard]] std::unique_ptr<codec::Check> check(std::string_view method,
                                                      std::unique_ptr<codec::Check> content) const;

  private:
    [[nodiscard]] Explain explain(std::string_view method) const;
    Identity identity_;
    std::vector<std::filesystem::path> programs_;
};

}  // namespace pgbakd::cipher
