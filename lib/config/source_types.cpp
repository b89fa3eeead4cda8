#include "config/source_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.hpp"
#include "config/domain_types.hpp"
#include "config/target_types.hpp"
#include "config/text_check.hpp"
#include "model/key_patterns.hpp"
#include "model/path_excludes.hpp"

namespace pgbakd::config {
namespace {

using base::Result;
using Variable = model::CommandSource::Variable;

// MAX_RATE of BASE_BACKUP (PostgreSQL's src/include/backup/basebackup.h).
constexpr std::uint64_t slowest_rate = std::uint64_t{32} << 10U;
constexpr std::uint64_t fastest_rate = std::uint64_t{1} << 30U;

constexpr std::size_t most_variables = 100;
constexpr std::size_t most_arguments = 1000;
constexpr std::size_t most_paths = 1000;
constexpr std::size_t longest_pattern = 4096;

// IEEE Std 1003.1, 8.1: what a shell could name.
bool is_variable_name(std::string_view name) {
    return !name.empty() && name.size() <= 128 && !base::is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '_'; });
}

// By its name: a value that must not lie open.
bool sounds_secret(std::string_view name) {
    constexpr std::array words{"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"};
    const auto lower = base::to_lower(name);
    return std::any_of(words.begin(), words.end(),
                       [&lower](const char* word) { return lower.find(base::to_lower(word)) != std::string::npos; });
}

void read_variable(Problems& problems, const Node& entry, std::vector<Variable>& variables) {
    if (entry.refused) return;
    if (!is_variable_name(entry.key))
        return problems.error_at_key(entry, "is no name of a variable", "letters, digits and _, no digit first");
    // The daemon knows by it what a run has started.
    if (entry.key == "PGAPPNAME")
        return problems.error_at_key(entry, "this variable is pgbakd's own to set", "remove it");
    Variable variable{entry.key, {}};
    const bool is_text = entry.kind == Node::Kind::scalar && !sounds_secret(entry.key);
    if (is_text && entry.text.find('\0') != std::string::npos) return problems.error(entry, "has a zero byte");
    if (is_text) {
        variable.value.kind = model::SecretReference::Kind::literal;
        variable.value.literal = base::Secret(entry.text);
    } else {
        secret().read(problems, entry, variable.value);
    }
    if (!entry.refused) variables.push_back(std::move(variable));
}

// Each by itself, so that the one that is wrong is named. `Patterns::parse` says what is wrong with it.
template <class Patterns>
Type<std::vector<std::string>> patterns(std::string words, const std::string& hint) {
    auto type = set_of(text("a pattern", longest_pattern), std::move(words));
    type.read = [read = type.read, hint](Problems& problems, const Node& node, std::vector<std::string>& given) {
        read(problems, node, given);
        for (const auto& child : node.children) {
            if (child.refused || child.kind != Node::Kind::scalar) continue;
            const auto parsed = Patterns::parse(std::span(&child.text, 1));
            if (parsed) continue;
            const auto& own = parsed.error().hint();
            problems.error(child, parsed.error().message(), own.empty() ? hint : own);
        }
    };
    return type;
}

Result<std::string> parse_extension(std::string_view text) {
    const auto is_good = [](char c) {
        return base::is_letter(c) || base::is_digit(c) || c == '.' || c == '_' || c == '-';
    };
    for (const std::string_view taken : {"sha256", "age", "gpg"})
        if (text == taken || text.ends_with("." + std::string(taken)))
            return wrong(fmt::format("must not end with {}: such files mean something here", taken));
    if (text.size() <= 32 && base::is_letter(text.front()) && std::all_of(text.begin(), text.end(), is_good))
        return std::string(text);
    return wrong(fmt::format("must be an extension of a file (got \"{}\")", excerpt(text)),
                 "letters, digits, \".\", \"_\" and \"-\", at most 32, as in extension: rdb");
}

}  // namespace

Type<std::vector<std::string>> argument_vector() {
    const std::string words = "a program and its arguments, as a list";
    auto read = [words](Problems& problems, const Node& node, std::vector<std::string>& argv) {
        const std::string hint = "as in argv: [redis-cli, --rdb, \"-\"]; no shell reads it";
        if (node.kind != Node::Kind::list) return wrong_type(problems, node, words, hint);
        if (node.children.empty()) return problems.error(node, "an empty list: there is nothing to run", hint);
        if (node.children.size() > most_arguments)
            return problems.error(node,
                                  fmt::format("more than {} arguments (got {})", most_arguments, node.children.size()));
        for (const auto& child : node.children) {
            if (child.refused) continue;
            if (child.kind != Node::Kind::scalar) {
                wrong_type(problems, child, "a text", hint);
            } else if (child.text.find('\0') != std::string::npos) {
                problems.error(child, "has a zero byte");
            } else {
                argv.push_back(child.text);
            }
        }
        if (argv.size() != node.children.size()) return;
        const auto& program = argv.front();
        if (program.empty() || (program.front() != '/' && program.find('/') != std::string::npos))
            problems.error(node.children.front(), "must be a path from \"/\" on, or the name of a program",
                           "whose directory a daemon starts in is not where you are");
        else if (program.find(' ') != std::string::npos && argv.size() == 1)
            problems.error(node.children.front(), "a whole command in one element",
                           "write one element per word, as in argv: [redis-cli, --rdb, \"-\"]");
    };
    auto write = [](const std::vector<std::string>& argv) {
        std::vector<std::string> quoted;
        quoted.reserve(argv.size());
        for (const auto& word : argv) quoted.push_back(yaml_scalar(word));
        return quoted.empty() ? std::string() : "[" + base::join(quoted, ", ") + "]";
    };
    return {words, std::move(read), std::move(write)};
}

Type<std::vector<Variable>> environment() {
    const std::string words = "a mapping of variables to their values";
    auto read = [words](Problems& problems, const Node& node, std::vector<Variable>& variables) {
        if (node.kind != Node::Kind::map)
            return wrong_type(problems, node, words, "as in environment: {REDISCLI_AUTH: {credential: redis}}");
        if (node.children.size() > most_variables)
            return problems.error(node,
                                  fmt::format("more than {} variables (got {})", most_variables, node.children.size()));
        for (const auto& entry : node.children) read_variable(problems, entry, variables);
    };
    auto write = [print = secret().write](const std::vector<Variable>& variables) {
        std::vector<std::string> entries;
        entries.reserve(variables.size());
        for (const auto& variable : variables) entries.push_back(variable.name + ": " + print(variable.value));
        return entries.empty() ? std::string() : "{" + base::join(entries, ", ") + "}";
    };
    return {words, std::move(read), std::move(write)};
}

Type<std::vector<int>> exit_codes() {
    const std::string words = "a list of exit codes";
    auto read = [words](Problems& problems, const Node& node, std::vector<int>& codes) {
        const std::string hint = "as in exit_codes: [0, 1]";
        if (node.kind != Node::Kind::list) return wrong_type(problems, node, words, hint);
        if (node.children.empty()) return problems.error(node, "an empty list: no end would be a good one", hint);
        std::vector<int> given;
        for (const auto& child : node.children)
            if (const auto code = read_number(problems, child, "an exit code from 0 to 255", 0, 255))
                given.push_back(static_cast<int>(*code));
        std::sort(given.begin(), given.end());
        given.erase(std::unique(given.begin(), given.end()), given.end());
        codes = std::move(given);
    };
    auto write = [](const std::vector<int>& codes) { return fmt::format("[{}]", fmt::join(codes, ", ")); };
    return {words, std::move(read), std::move(write)};
}

Type<std::vector<std::filesystem::path>> path_list() {
    const std::string words = "a list of absolute paths";
    auto read = [words, one = absolute_path().read](Problems& problems, const Node& node,
                                                    std::vector<std::filesystem::path>& paths) {
        const std::string hint = "as in paths: [/srv/erp/data]";
        if (node.kind != Node::Kind::list) return wrong_type(problems, node, words, hint);
        if (node.children.empty()) return problems.error(node, "an empty list: there is nothing to back up", hint);
        if (node.children.size() > most_paths)
            return problems.error(node, fmt::format("more than {} paths (got {})", most_paths, node.children.size()),
                                  "give a directory above them, and exclude what is not wanted");
        std::vector<std::filesystem::path> given;
        for (const auto& child : node.children) {
            if (child.refused) continue;
            std::filesystem::path path;
            one(problems, child, path);
            if (child.refused) continue;
            path = path.lexically_normal();
            if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
            if (std::find(given.begin(), given.end(), path) != given.end())
                problems.error(child, fmt::format("\"{}\" is listed twice", excerpt(child.text)), "remove one of them");
            else
                given.push_back(std::move(path));
        }
        paths = std::move(given);
    };
    auto write = [](const std::vector<std::filesystem::path>& paths) {
        std::vector<std::string> quoted;
        quoted.reserve(paths.size());
        for (const auto& path : paths) quoted.push_back(yaml_scalar(path.string()));
        return quoted.empty() ? std::string() : "[" + base::join(quoted, ", ") + "]";
    };
    return {words, std::move(read), std::move(write)};
}

Type<std::vector<std::string>> path_patterns() {
    return patterns<model::PathExcludes>("a list of patterns", "as in exclude: [\"*.tmp\", \"cache/**\"]");
}

Type<std::vector<std::string>> key_patterns() {
    return patterns<model::KeyPatterns>("a list of patterns of keys", "as in redact: [\"*PASSWORD*\", \"*_KEY\"]");
}

Type<std::uint64_t> server_rate() {
    auto type = byte_rate();
    type.words = "a rate from 32 KiB/s to 1 GiB/s";
    type.read = [words = type.words, one = type.read](Problems& problems, const Node& node, std::uint64_t& rate) {
        std::uint64_t given = 0;
        one(problems, node, given);
        if (node.refused) return;
        if (given < slowest_rate || given > fastest_rate)
            return wrong_type(problems, node, words, "the server takes no other; without the key there is no limit");
        rate = given;
    };
    return type;
}

Type<std::string> file_extension() {
    return text_form<std::string>("an extension of a file", parse_extension,
                                  [](const std::string& value) { return value; });
}

}  // namespace pgbakd::config
