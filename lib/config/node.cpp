#include "config/node.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "config/text_check.hpp"

namespace pgbakd::config {

const Node* Node::find(std::string_view name) const noexcept {
    if (kind != Kind::map) return nullptr;
    for (const auto& child : children)
        if (child.key == name) return &child;
    return nullptr;
}

const Node* Node::usable(std::string_view name) const noexcept {
    const auto* found = find(name);
    return found != nullptr && !found->refused ? found : nullptr;
}

std::string Node::path() const {
    if (parent == nullptr) return {};
    const auto above = parent->path();
    if (parent->kind == Kind::list) return fmt::format("{}[{}]", above, this - parent->children.data());
    const auto name = excerpt(key);
    return above.empty() ? name : above + "." + name;
}

std::string Node::shown() const {
    switch (kind) {
        case Kind::null: return "nothing";
        case Kind::list: return "a list";
        case Kind::map: return "a mapping";
        case Kind::scalar: break;
    }
    auto digits = std::string_view(text);
    if (digits.starts_with('-')) digits.remove_prefix(1);
    const bool number = !quoted && !digits.empty() && digits.find_first_not_of("0123456789.") == std::string_view::npos;
    return number ? excerpt(text) : fmt::format("\"{}\"", excerpt(text));
}

void link(Node& root) {
    for (auto& child : root.children) {
        child.parent = &root;
        link(child);
    }
}

std::string excerpt(std::string_view text) {
    if (carries_password(text)) return "***";
    // Cut first: printable() of a text of megabytes is work for nothing.
    return base::clamp_utf8(base::printable(base::clamp_utf8(text, 80)), 80);
}

}  // namespace pgbakd::config
