// Any bytes as a configuration file whose secrets are taken out. What yaml-cpp reads in it, and stands under a secret
// key, must be gone, and the rest must still be there.
#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/redact.hpp"

namespace {

using namespace pgbakd::source;

void require(bool holds, std::string_view what, std::string_view before, std::string_view after) {
    if (holds) return;
    std::cerr << what << "\n--- before\n" << before << "\n--- after\n" << after << '\n';
    std::abort();
}

std::optional<std::vector<YAML::Node>> parsed(std::string_view text) {
    try {
        return YAML::LoadAll(std::string(text));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

bool is_gone(const YAML::Node& node) {
    if (!node.IsScalar()) return node.IsNull();
    return node.Scalar().starts_with("***") || node.Scalar().find_first_not_of(" \n") == std::string::npos;
}

// Whether `after` is `before` without its secrets.
bool corresponds(const YAML::Node& before, const YAML::Node& after, const KeyPatterns& keys, int& left) {
    if (--left < 0) return true;  // aliases of what they stand in
    // An anchor that a secret refers to is taken out itself.
    if (after.IsScalar() && after.Scalar() == "***") return true;
    if (before.Type() != after.Type() || before.size() != after.size()) return false;
    if (before.IsScalar()) {
        const auto cut = after.Scalar().find("***");
        return before.Scalar() == after.Scalar() ||
               (cut != std::string::npos && before.Scalar().starts_with(after.Scalar().substr(0, cut)));
    }
    if (before.IsSequence()) {
        for (std::size_t i = 0; i < before.size(); ++i)
            if (!corresponds(before[i], after[i], keys, left)) return false;
    } else if (before.IsMap()) {
        auto other = after.begin();
        for (auto one = before.begin(); one != before.end(); ++one, ++other) {
            // A key without a value may itself be an assignment.
            if (one->first.IsScalar() && !corresponds(one->first, other->first, keys, left)) return false;
            if (one->first.IsScalar() && keys.match(one->first.Scalar())) {
                if (!is_gone(other->second)) return false;
            } else if (!corresponds(one->second, other->second, keys, left)) {
                return false;
            }
        }
    }
    return true;
}

void check_yaml(std::string_view before, std::string_view after, const KeyPatterns& keys) {
    const auto nodes = parsed(before);
    if (!nodes) return;
    const auto others = parsed(after);
    require(others.has_value(), "no YAML any more", before, after);
    require(nodes->size() == others->size(), "other documents", before, after);
    int left = 2'000;
    for (std::size_t i = 0; i < nodes->size(); ++i)
        require(corresponds((*nodes)[i], (*others)[i], keys, left), "a secret, or something that is missing", before,
                after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const KeyPatterns keys = KeyPatterns::parse(std::vector<std::string>{"*PASSWORD*", "*_KEY", "p"}).value();
    if (size == 0 || size > 4096) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const RedactKind kind =
        std::vector{RedactKind::yaml, RedactKind::env, RedactKind::json, RedactKind::ini}[data[0] % 4];
    const auto once = redact(kind, text, keys);
    if (!once) return 0;
    const auto twice = redact(kind, *once, keys);
    require(twice && *twice == *once, "another text the second time", text, *once);
    if (kind == RedactKind::yaml || kind == RedactKind::json) check_yaml(text, *once, keys);
    return 0;
}
