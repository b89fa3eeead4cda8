// Who may read a job's artifacts, as an administrator declared it. Public keys only: pgbakd cannot decrypt.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::model {

// At most one of the three is given.
struct Encryption {
    std::vector<std::string> age;               // recipients: "age1…", "ssh-ed25519 AAAA…"
    std::filesystem::path age_recipients_file;  // the same, a line each
    std::vector<std::string> gpg;               // fingerprints or long key ids, in the keyring of the daemon's account

    [[nodiscard]] bool is_on() const noexcept { return !age.empty() || !age_recipients_file.empty() || !gpg.empty(); }
    // As the manifest names it, and the extension of files without its dot: "age", "gpg"; empty: none.
    [[nodiscard]] std::string_view method() const noexcept {
        if (!gpg.empty()) return "gpg";
        return is_on() ? "age" : "";
    }
};

}  // namespace pgbakd::model
