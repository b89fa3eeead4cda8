// Takes the secrets out of a configuration file: values of chosen keys become "***", and no other byte changes. Pure.
//
// What is written as a value is replaced; where none is written none is put. A value keeps its quotes. Whatever cannot
// be understood with certainty is an error, never a guess: its caller must not store the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/key_patterns.hpp"

namespace pgbakd::source {

using model::KeyPatterns;

enum class RedactKind {
    // `KEY=value`, `export KEY="value"`, over several lines within quotes. A ` #` after a value that is not quoted
    // begins a comment. Anything else than that, comments and empty lines is not understood.
    env,
    // YAML 1.2 with block and flow collections, any scalar, anchors and aliases: the value of an alias in such a place
    // is taken out where it stands. Items of lists like `- KEY=value` count as keys too, and so do lines like
    // `KEY=value` in block scalars. What is not quoted becomes "***" with quotes, as without them it would be an alias.
    // Complex keys
    // (`? `), tabs as indentation and templates are not understood.
    yaml,
    // JSON, also several values in a file; with comments and commas at the end of lists.
    json,
    // `key = value`, `key: value` and `key value`; continued by deeper indented lines or a `\`. Where a value is not
    // quoted it goes to the end of the line, as only some programs take `;` or `#` there for a comment. `key=value`
    // with such a key inside of another value counts too.
    ini,
};

// By a file's name: .env, .env.*, *.env; *.yml, *.yaml; *.json; *.ini, *.conf, *.cnf; and all of these as editors and
// packagers name their copies (`~`, `.bak`, `.old`, `.orig`, `.save`, `.dpkg-old` and the like). Nothing for others.
[[nodiscard]] std::optional<RedactKind> redact_kind(std::string_view file_name);

// Fails with `unsupported` and the line that is not understood, which is not quoted. Time and memory grow with the
// text.
[[nodiscard]] base::Result<std::string> redact(RedactKind kind, std::string_view text, const KeyPatterns& keys);

}  // namespace pgbakd::source
