#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/keys.hpp"

namespace pgbakd::config {
namespace {

std::string cell(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '|') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string fallback_cell(const KeyFacts& key) {
    if (key.fallback.required) return "required";
    if (!key.fallback.yaml.empty()) return fmt::format("`{}`", key.fallback.yaml);
    return key.fallback.words;
}

// One table per section, the sections inside it behind it.
void describe(const std::string& path, const std::string& help, const SectionFacts& section, std::string& out) {
    out += fmt::format("\n### {}\n\n", path.empty() ? "The whole file" : fmt::format("`{}`", path));
    if (!help.empty()) out += help + "\n\n";
    out += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
    std::vector<const KeyFacts*> inner;
    for (const auto& key : section.keys) {
        if (key.inside) {
            inner.push_back(&key);
            out += fmt::format("| `{}` | {} | {} | {} |\n", key.name,
                               key.placeholder.empty() ? "a section, see below" : "a section per name, see below",
                               key.fallback.required ? "required" : "", cell(key.help));
        } else {
            out += fmt::format("| `{}` | {} | {} | {} |\n", key.name, cell(key.words), cell(fallback_cell(key)),
                               cell(key.help));
        }
    }
    for (const auto* key : inner) {
        auto below = path.empty() ? key->name : fmt::format("{}.{}", path, key->name);
        if (!key->placeholder.empty()) below += "." + key->placeholder;
        if (key->kinds.empty()) describe(below, {}, *key->inside, out);
        for (const auto& [word, keys] : key->kinds) describe(below + " of type " + word, {}, *keys, out);
    }
}

}  // namespace

std::string reference_markdown() {
    std::string out;
    describe({}, {}, *all_keys().facts(), out);
    return out.substr(1);
}

}  // namespace pgbakd::config
