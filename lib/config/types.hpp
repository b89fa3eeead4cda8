// Types of values: what a value looks like in words, how it is read from a node and how it is written again.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/text.hpp"
#include "config/node.hpp"
#include "config/problems.hpp"
#include "config/yaml_writer.hpp"

namespace pgbakd::config {

template <class T>
struct Type {
    // "a duration from 1s to 24h": completes "must be …" and stands in the reference.
    std::string words;
    // Sets the value, or reports what is wrong and leaves it.
    std::function<void(Problems&, const Node&, T&)> read;
    // As YAML on one line; empty: there is nothing to write.
    std::function<std::string(const T&)> write;
};

// Reports "must be <words> (got …)".
void wrong_type(Problems& problems, const Node& node, std::string_view words, std::string hint = {});
// What a text form gives for a value that is none: an error of the configuration ("must be …").
[[nodiscard]] base::Error wrong(std::string message, std::string hint = {});
// The text of a scalar, for types made of text. Reports and returns nothing if the node is no scalar, empty, or has
// control characters. A plain number is a text too: what was written counts.
[[nodiscard]] std::optional<std::string> read_text(Problems& problems, const Node& node, std::string_view words);
// A whole number of `minimum` to `maximum`; reports and returns nothing else.
[[nodiscard]] std::optional<std::int64_t> read_number(Problems& problems, const Node& node, std::string_view words,
                                                      std::int64_t minimum, std::int64_t maximum);
// `did you mean "x"?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// A type whose values have a text form: `parse` gives the value or the Error that is passed on.
template <class T>
[[nodiscard]] Type<T> text_form(std::string words, std::function<base::Result<T>(std::string_view)> parse,
                                std::function<std::string(const T&)> print) {
    auto read = [words, parse = std::move(parse)](Problems& problems, const Node& node, T& value) {
        const auto text = read_text(problems, node, words);
        if (!text) return;
        auto parsed = parse(*text);
        if (parsed)
            value = std::move(*parsed);
        else
            problems.error(node, base::clamp_utf8(parsed.error().message(), 400), parsed.error().hint());
    };
    return {std::move(words), std::move(read),
            [print = std::move(print)](const T& value) { return yaml_scalar(print(value)); }};
}

template <class T>
[[nodiscard]] Type<T> whole_number(std::int64_t minimum, std::int64_t maximum) {
    auto words = "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum);
    auto read = [words, minimum, maximum](Problems& problems, const Node& node, T& value) {
        if (const auto number = read_number(problems, node, words, minimum, maximum)) value = static_cast<T>(*number);
    };
    return {std::move(words), std::move(read), [](const T& value) { return std::to_string(value); }};
}

template <class T>
[[nodiscard]] Type<std::optional<T>> maybe(Type<T> type) {
    return {type.words,
            [type](Problems& problems, const Node& node, std::optional<T>& value) {
                T read{};
                type.read(problems, node, read);
                if (!node.refused) value = std::move(read);
            },
            [type](const std::optional<T>& value) { return value ? type.write(*value) : std::string(); }};
}

template <class E>
struct Choice {
    std::string name;
    E value;
};
// One of several words. `later`: words that are right, but of a version to come.
template <class E>
[[nodiscard]] Type<E> choice(std::vector<Choice<E>> choices, const std::vector<std::string>& later = {}) {
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const auto& each : choices) names.push_back(each.name);
    auto words = (names.size() > 1 ? "one of " : "") + base::join(names, ", ");
    auto read = [words, choices, names, later](Problems& problems, const Node& node, E& value) {
        const auto text = read_text(problems, node, words);
        if (!text) return;
        for (const auto& each : choices)
            if (each.name == *text) return void(value = each.value);
        for (const auto& name : later)
            if (name == *text)
                return problems.error(node, "\"" + name + "\" is not supported by this version of pgbakd",
                                      "supported here: " + base::join(names, ", "));
        wrong_type(problems, node, words, did_you_mean(*text, names));
    };
    auto write = [choices](const E& value) {
        for (const auto& each : choices)
            if (each.value == value) return each.name;
        return std::string();
    };
    return {std::move(words), std::move(read), std::move(write)};
}

[[nodiscard]] Type<bool> yes_or_no();
[[nodiscard]] Type<std::uint64_t> size(std::uint64_t maximum);
[[nodiscard]] Type<std::chrono::milliseconds> duration(std::chrono::milliseconds minimum,
                                                       std::chrono::milliseconds maximum);
[[nodiscard]] Type<std::filesystem::path> absolute_path();
// A non-empty text of at most `longest` bytes.
[[nodiscard]] Type<std::string> text(std::string words, std::size_t longest);
// A list of such texts; an empty list is a value.
[[nodiscard]] Type<std::vector<std::string>> list_of(const Type<std::string>& element, std::string words);
// The same without repetition.
[[nodiscard]] Type<std::vector<std::string>> set_of(const Type<std::string>& element, std::string words);

}  // namespace pgbakd::config
