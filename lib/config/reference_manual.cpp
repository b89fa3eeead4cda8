// The reference of keys for the manual page pgbakd.yaml(5): the same table as the one in docs/configuration.md.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/roff.hpp"
#include "config/keys.hpp"
#include "config/manual.hpp"

namespace pgbakd::config {
namespace {

std::string default_words(const KeyFacts& key) {
    if (key.fallback.required) return "Required.";
    if (!key.fallback.yaml.empty()) return fmt::format("Default: `{}`.", key.fallback.yaml);
    return key.fallback.words.empty() ? std::string() : fmt::format("Default: {}.", key.fallback.words);
}

std::string path_below(const std::string& path, const KeyFacts& key) {
    auto below = path.empty() ? key.name : fmt::format("{}.{}", path, key.name);
    if (!key.placeholder.empty()) below += "." + key.placeholder;
    return below;
}

void describe(const std::string& path, const SectionFacts& section, base::Roff& out) {
    out.subheading(path.empty() ? "The whole file" : path);
    for (const auto& key : section.keys) {
        if (key.inside) {
            out.term(fmt::format("`{}`", key.name), key.help);
            out.continued(fmt::format("{}, see below.{}", key.placeholder.empty() ? "A section" : "A section per name",
                                      key.fallback.required ? " Required." : ""));
            continue;
        }
        out.term(fmt::format("`{}`: {}", key.name, key.words), key.help);
        if (const auto otherwise = default_words(key); !otherwise.empty()) out.continued(otherwise);
    }
    for (const auto& key : section.keys) {
        if (!key.inside) continue;
        const auto below = path_below(path, key);
        if (key.kinds.empty()) describe(below, *key.inside, out);
        for (const auto& [word, keys] : key.kinds) describe(fmt::format("{} of type {}", below, word), *keys, out);
    }
}

}  // namespace

void describe_keys(base::Roff& page) {
    describe({}, *all_keys().facts(), page);
}

}  // namespace pgbakd::config
