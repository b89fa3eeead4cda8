#include "config/encryption_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "config/types.hpp"
#include "model/recipients.hpp"

namespace pgbakd::config {
namespace {

using model::Encryption;

// No message repeats the text: it may be a secret key that was put here by mistake.
Type<std::string> recipient(std::string words, base::Status (*check)(std::string_view)) {
    auto read = [words, check](Problems& problems, const Node& node, std::string& value) {
        const auto text = read_text(problems, node, words);
        if (!text) return;
        const auto status = check(*text);
        if (status)
            value = *text;
        else
            problems.error(node, status.error().message(), status.error().hint());
    };
    return {std::move(words), std::move(read), [](const std::string& value) { return yaml_scalar(value); }};
}

}  // namespace

const Section<Encryption>& encryption_keys() {
    static const Section<Encryption> section(
        {},
        {
            key<Encryption>(
                "age", &Encryption::age,
                set_of(recipient("a recipient of age", model::check_age_recipient), "a list of recipients of age"),
                absent("none"),
                "Public keys of `age` (`age1…`, or SSH keys): whoever has one of the secret keys can "
                "decrypt, with `age --decrypt`."),
            key<Encryption>("age_recipients_file", &Encryption::age_recipients_file, absolute_path(), absent("none"),
                            "The same in a file, a line each; read anew at each run."),
            key<Encryption>("gpg", &Encryption::gpg,
                            set_of(recipient("a fingerprint", model::check_gpg_recipient), "a list of fingerprints"),
                            absent("none"),
                            "Keys of GnuPG, by fingerprint or long key id, in the keyring of the daemon's account."),
        });
    return section;
}

void check_encryption(Problems& problems, const Node& node, const Encryption& encryption) {
    if (node.refused || node.children.empty()) {
        if (!node.refused) problems.error(node, "names nobody who could decrypt", "as in encryption: {age: [age1…]}");
        return;
    }
    if (node.children.size() > 1 &&
        std::none_of(node.children.begin(), node.children.end(), [](const Node& child) { return child.refused; }))
        return problems.error(node, "must have one of the keys age, age_recipients_file and gpg", "remove the others");
    for (const char* name : {"age", "gpg"}) {
        const auto* list = node.usable(name);
        if (list != nullptr && list->kind == Node::Kind::list && list->children.empty())
            problems.error(*list, "an empty list: nobody could decrypt", "as in encryption: {age: [age1…]}");
    }
    constexpr std::size_t most = 100;
    if (std::max(encryption.age.size(), encryption.gpg.size()) > most)
        problems.error(node, fmt::format("more than {} recipients", most), "encrypt to a key that several share");
}

}  // namespace pgbakd::config
