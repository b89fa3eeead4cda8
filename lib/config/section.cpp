#include "config/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "config/parse.hpp"
#include "model/names.hpp"

namespace pgbakd::config {
namespace {

std::vector<std::string> names_of(const SectionFacts& facts) {
    std::vector<std::string> names;
    for (const auto& key : facts.keys) names.push_back(key.name);
    return names;
}

// Whether the key exists one floor below: a wrong indentation, or a level forgotten.
std::string section_that_has(std::string_view name, const SectionFacts& facts) {
    for (const auto& key : facts.keys) {
        if (!key.inside || !key.placeholder.empty()) continue;
        for (const auto& inner : key.inside->keys)
            if (inner.name == name) return key.name;
        const auto deeper = section_that_has(name, *key.inside);
        if (!deeper.empty()) return key.name + "." + deeper;
    }
    return {};
}

std::string hint_for_unknown(const Node& node, const SectionFacts& facts) {
    if (node.key == "<<") return "merge keys are not accepted: write the keys out";
    const auto names = names_of(facts);
    // A key that stands one level too high is no misspelling.
    const auto section = section_that_has(node.key, facts);
    if (!section.empty()) return fmt::format("\"{}\" belongs under \"{}\"", node.key, section);
    const auto similar = did_you_mean(node.key, names);
    const auto all = fmt::format("keys here: {}", base::join(names, ", "));
    return similar.empty() ? all : similar + " " + all;
}

}  // namespace

bool check_is_section(Problems& problems, const Node& node, const SectionFacts& facts) {
    if (node.kind == Node::Kind::map || node.kind == Node::Kind::null) return true;
    wrong_type(problems, node, "a mapping", fmt::format("keys here: {}", base::join(names_of(facts), ", ")));
    return false;
}

void check_keys(Problems& problems, const Node& node, const SectionFacts& facts) {
    std::vector<std::string_view> excused;
    for (const auto& child : node.children) {
        const auto is_child = [&child](const auto& row) { return row.name == child.key; };
        if (child.refused || std::any_of(facts.keys.begin(), facts.keys.end(), is_child)) continue;
        const auto later = std::find_if(facts.later.begin(), facts.later.end(), is_child);
        if (later != facts.later.end()) {
            problems.error_at_key(child, later->message, later->hint);
            excused.emplace_back(later->instead_of);
        } else {
            auto hint = problems.full() ? std::string() : hint_for_unknown(child, facts);
            problems.error_at_key(child, "unknown key", std::move(hint));
        }
    }
    for (const auto& key : facts.keys) {
        if (!key.fallback.required || node.find(key.name) != nullptr) continue;
        if (std::find(excused.begin(), excused.end(), key.name) != excused.end()) continue;
        problems.missing(node, key.name, key.fallback.words);
    }
}

bool is_foreign_kind(const Node& kind, const KeyFacts& facts) {
    return did_you_mean(kind.text, {facts.words}).empty();
}

void read_default(const KeyFacts& facts, const std::function<void(Problems&, const Node&)>& read) {
    if (facts.fallback.yaml.empty()) return;
    const std::vector<Document> documents{{"the default of " + facts.name, facts.fallback.yaml, false}};
    Problems problems(documents);
    if (const auto node = parse_yaml(facts.fallback.yaml, 0, problems)) read(problems, *node);
    if (problems.has_errors()) throw std::logic_error(problem_text(problems.take().front()));
}

std::string usual_hint(const KeyFacts& facts) {
    if (!facts.hint.empty()) return facts.hint;
    if (!facts.fallback.yaml.empty()) return fmt::format("the default is {}", facts.fallback.yaml);
    return {};
}

std::optional<std::size_t> kind_of_entry(Problems& problems, const Node& entry, const std::vector<std::string>& words,
                                         const std::vector<std::string>& later, std::string_view usual) {
    const auto all = base::join(words, ", ");
    const auto usual_kind = static_cast<std::size_t>(std::find(words.begin(), words.end(), usual) - words.begin());
    // What is no mapping at all the section itself refuses, with its keys.
    if (!usual.empty() && entry.find("type") == nullptr) return usual_kind;
    if (entry.kind != Node::Kind::map && entry.kind != Node::Kind::null) {
        wrong_type(problems, entry, "a mapping", "as in {type: " + words.front() + ", …}; types: " + all);
        return std::nullopt;
    }
    const auto* type = entry.find("type");
    if (type == nullptr) {
        problems.missing(entry, "type", "one of " + all);
        return std::nullopt;
    }
    if (type->refused) return std::nullopt;
    const auto found =
        type->kind == Node::Kind::scalar ? std::find(words.begin(), words.end(), type->text) : words.end();
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    if (type->kind == Node::Kind::scalar && std::find(later.begin(), later.end(), type->text) != later.end()) {
        problems.error(*type, fmt::format("\"{}\" is not supported by this version of pgbakd", type->text),
                       "supported here: " + all);
        return std::nullopt;
    }
    wrong_type(problems, *type, "one of " + all, did_you_mean(type->text, words));
    return std::nullopt;
}

std::optional<std::size_t> kind_meant(const Node& entry, const std::vector<std::string>& words) {
    const auto* type = entry.find("type");
    if (type == nullptr || type->kind != Node::Kind::scalar) return std::nullopt;
    const auto word = base::closest(type->text, words);
    if (!word) return std::nullopt;
    return static_cast<std::size_t>(std::find(words.begin(), words.end(), *word) - words.begin());
}

bool check_entry_name(Problems& problems, const Node& entry, std::string_view what) {
    const auto status = model::check_name(what, entry.key);
    if (status) return true;
    problems.error_at_key(entry, status.error().message(), status.error().hint());
    return false;
}

}  // namespace pgbakd::config
