#include "config/merge.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/parse.hpp"

namespace pgbakd::config {
namespace {

bool is_section(const Node& node) {
    return !node.refused && (node.kind == Node::Kind::map || node.kind == Node::Kind::null);
}

bool is_mapping(const Node& node) {
    return node.kind == Node::Kind::map;
}

void merge_entry(Node& root, Node entry) {
    const auto same = std::find_if(root.children.begin(), root.children.end(),
                                   [&entry](const Node& child) { return child.key == entry.key; });
    if (same == root.children.end() || !is_section(*same) || !is_section(entry)) {
        root.children.push_back(std::move(entry));
    } else if (same->kind == Node::Kind::null) {
        *same = std::move(entry);
    } else {
        std::move(entry.children.begin(), entry.children.end(), std::back_inserter(same->children));
    }
}

void report_duplicates_in(const Node& map, Problems& problems) {
    std::unordered_map<std::string_view, const Node*> seen;
    for (const auto& child : map.children) {
        const auto [first, is_new] = seen.emplace(child.key, &child);
        if (is_new || child.refused || first->second->refused) continue;
        if (child.kind != first->second->kind && (is_mapping(child) || is_mapping(*first->second))) {
            const auto& wrong = is_mapping(child) ? *first->second : child;
            const auto& other = is_mapping(child) ? child : *first->second;
            problems.error(wrong, "must be a mapping (got " + wrong.shown() + ")",
                           "it is one at " + problems.where(other, other.key_place));
            continue;
        }
        problems.error_at_key(child, "defined twice",
                              "the first is at " + problems.where(*first->second, first->second->key_place));
    }
}

}  // namespace

std::optional<Node> parse_and_merge(const std::vector<Document>& documents, Problems& problems) {
    Node root;
    root.kind = Node::Kind::map;
    bool readable = true;
    for (std::size_t file = 0; file < documents.size(); ++file) {
        auto document = parse_yaml(documents[file].text, file, problems);
        if (!document || document->refused) {
            readable = false;
        } else if (document->kind == Node::Kind::map) {
            for (auto& entry : document->children) merge_entry(root, std::move(entry));
        } else if (document->kind != Node::Kind::null) {
            problems.error(*document, "must be a mapping (got " + document->shown() + ")",
                           "a configuration begins with keys, as in \"jobs:\"");
            readable = false;
        }
    }
    if (!readable) return std::nullopt;
    return root;
}

void report_duplicates(const Node& root, Problems& problems) {
    report_duplicates_in(root, problems);
    for (const auto& section : root.children)
        if (section.kind == Node::Kind::map) report_duplicates_in(section, problems);
}

}  // namespace pgbakd::config
