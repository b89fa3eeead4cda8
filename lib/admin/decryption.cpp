#include "admin/decryption.hpp"

#include <utility>

#include "postgres/programs.hpp"

namespace pgbakd::admin {

std::optional<cipher::Decryption> read_decryption(const Context& context, const Arguments& arguments) {
    const auto identity = arguments.find("--identity");
    if (!identity) return std::nullopt;
    const auto path = context.around.environment ? context.around.environment("PATH") : std::nullopt;
    auto programs = postgres::ProgramSearch::standard(path.value_or("/usr/bin:/bin")).plain;
    return cipher::Decryption(cipher::read_identity(*identity), std::move(programs));
}

repository::Decrypt decrypt_by(const std::optional<cipher::Decryption>& decryption) {
    if (!decryption) return {};
    return [decryption = *decryption](std::string_view method, std::unique_ptr<codec::Check> content) {
        return decryption.check(method, std::move(content));
    };
}

}  // namespace pgbakd::admin
