// Where a secret is found; resolved by whoever needs it, as late as possible.
#pragma once

#include <string>

#include "base/secret.hpp"

namespace pgbakd::model {

struct SecretReference {
    enum class Kind { none, literal, environment, file, credential };
    Kind kind = Kind::none;
    std::string name;      // of the variable, the file (absolute) or the credential; empty for a literal
    base::Secret literal;  // only for Kind::literal
    std::string location;  // "/etc/pgbakd.yaml:12:15: servers.main.password", for messages
};

}  // namespace pgbakd::model
