// A YAML document as a tree of values that remember where they stand, so that every problem can name its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgbakd::config {

// Line and column from 1; columns count characters, as editors do.
struct Place {
    int line = 0;
    int column = 0;
};

struct Node {
    enum class Kind { null, scalar, list, map };
    // YAML that is not accepted in a configuration.
    enum class Trick { none, alias, anchor, tag };

    Kind kind = Kind::null;
    Trick trick = Trick::none;
    bool quoted = false;  // a scalar in quotes: never a number or a boolean
    // Something is wrong with this value and has been said: nobody reads it further.
    mutable bool refused = false;
    int file = 0;      // index of its document
    Place key_place;   // in a map: where its key stands
    Place place;       // where the value stands
    std::string key;   // in a map
    std::string text;  // of a scalar
    std::vector<Node> children;
    const Node* parent = nullptr;  // valid after link()

    // The child of that key, refused or not; null if there is none.
    [[nodiscard]] const Node* find(std::string_view name) const noexcept;
    // The same, but null also if it was refused: for checks that build on a value.
    [[nodiscard]] const Node* usable(std::string_view name) const noexcept;
    // "jobs.shop-daily.source.databases[0]"
    [[nodiscard]] std::string path() const;
    // What stands there, for "(got …)": `nothing`, `5`, `"text"`, `a list`, `a mapping`.
    [[nodiscard]] std::string shown() const;
};

// Sets `parent` in the whole tree below `root`, which must not move afterwards.
void link(Node& root);

// `text` fit for a message: one line, at most 80 bytes, no password of a connection string.
[[nodiscard]] std::string excerpt(std::string_view text);

}  // namespace pgbakd::config
