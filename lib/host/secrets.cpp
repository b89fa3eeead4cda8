#include "host/secrets.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "os/file.hpp"
#include "systemd/credentials.hpp"

namespace pgbakd::host {
namespace {

constexpr std::size_t largest_secret = std::size_t{1} << 20U;

base::Secret from_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing here calls setenv
    if (value == nullptr)
        throw base::Error(base::ErrorCode::not_found, fmt::format("the environment variable {} is not set", name),
                          "set it for the service: Environment= or EnvironmentFile= in a drop-in of the unit");
    return base::Secret(value);
}

// A file made by an editor or by echo ends with a line end that is no part of the secret.
base::Secret without_line_end(const base::Secret& secret) {
    auto text = secret.reveal();
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return base::Secret(std::string(text));
}

}  // namespace

base::Secret resolve_secret(const model::SecretReference& reference, const systemd::Environment& environment) {
    using Kind = model::SecretReference::Kind;
    try {
        switch (reference.kind) {
            case Kind::none: return {};
            case Kind::literal: return reference.literal;
            case Kind::environment: return from_environment(reference.name);
            case Kind::file: return without_line_end(base::Secret(os::read_file(reference.name, largest_secret)));
            case Kind::credential: return without_line_end(systemd::credential(reference.name, environment).value());
        }
    } catch (const base::Error& error) {
        throw error.during(reference.location);
    }
    return {};
}

}  // namespace pgbakd::host
