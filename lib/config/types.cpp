#include "config/types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <unordered_set>

#include "base/units.hpp"
#include "config/text_check.hpp"

namespace pgbakd::config {
namespace {

std::string exact_size(std::uint64_t bytes) {
    constexpr std::array names{"TiB", "GiB", "MiB", "KiB"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto unit = std::uint64_t{1} << (40U - 10U * i);
        if (bytes != 0 && bytes % unit == 0) return fmt::format("{} {}", bytes / unit, names[i]);
    }
    return std::to_string(bytes);
}

}  // namespace

base::Error wrong(std::string message, std::string hint) {
    return {base::ErrorCode::invalid_configuration, std::move(message), std::move(hint)};
}

void wrong_type(Problems& problems, const Node& node, std::string_view words, std::string hint) {
    // The backticks are the reference page's.
    std::string plain(words);
    std::erase(plain, '`');
    problems.error(node, fmt::format("must be {} (got {})", plain, node.shown()), std::move(hint));
}

std::optional<std::string> read_text(Problems& problems, const Node& node, std::string_view words) {
    if (node.kind != Node::Kind::scalar || node.text.empty()) {
        wrong_type(problems, node, words);
        return std::nullopt;
    }
    // No value is this long, and what parses it may take its time.
    if (node.text.size() > 4096) {
        problems.error(node, fmt::format("must be at most 4,096 bytes long (got {})", node.text.size()));
        return std::nullopt;
    }
    if (has_control_characters(node.text)) {
        problems.error(node, "has control characters", "write it on one line, without tabs and escapes");
        return std::nullopt;
    }
    return node.text;
}

std::optional<std::int64_t> read_number(Problems& problems, const Node& node, std::string_view words,
                                        std::int64_t minimum, std::int64_t maximum) {
    std::int64_t number = 0;
    const auto& digits = node.text;
    const auto* end = digits.data() + digits.size();
    const auto [stop, failure] = std::from_chars(digits.data(), end, number);
    // A leading zero is octal to some YAML readers and decimal to others.
    const bool odd = digits.size() > 1 && (digits.starts_with('0') || digits.starts_with("-0"));
    if (node.kind != Node::Kind::scalar || digits.empty() || stop != end || odd) {
        wrong_type(problems, node, words);
        return std::nullopt;
    }
    if (node.quoted) {
        wrong_type(problems, node, words, "remove the quotes");
        return std::nullopt;
    }
    // from_chars saturates nothing: an overflow leaves 0, so the sign decides.
    const bool overflow = failure != std::errc{};
    if (overflow ? digits.starts_with('-') : number < minimum) {
        problems.error(node, fmt::format("must be at least {} (got {})", minimum, excerpt(digits)));
        return std::nullopt;
    }
    if (overflow || number > maximum) {
        problems.error(node, fmt::format("must be at most {} (got {})", maximum, excerpt(digits)));
        return std::nullopt;
    }
    return number;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    // A hint is not worth seconds.
    const auto looked_at = std::span(candidates).first(std::min<std::size_t>(candidates.size(), 1000));
    auto found = base::closest(word, looked_at);
    // Swapped letters ("prot") are two edits, too many in a short word.
    for (const auto& candidate : looked_at)
        if (!found && word.size() <= 64 &&
            std::is_permutation(word.begin(), word.end(), candidate.begin(), candidate.end()))
            found = candidate;
    return found ? fmt::format("did you mean \"{}\"?", excerpt(*found)) : std::string();
}

Type<bool> yes_or_no() {
    return {"true or false",
            [](Problems& problems, const Node& node, bool& value) {
                const bool plain = node.kind == Node::Kind::scalar && !node.quoted;
                if (plain && (node.text == "true" || node.text == "false"))
                    value = node.text == "true";
                else
                    wrong_type(problems, node, "true or false");
            },
            [](const bool& value) { return std::string(value ? "true" : "false"); }};
}

Type<std::uint64_t> size(std::uint64_t maximum) {
    auto words = "a size (`512 MiB`, `5 GiB`) of at most " + exact_size(maximum);
    auto parse = [maximum](std::string_view text) -> base::Result<std::uint64_t> {
        auto bytes = base::parse_size(text);
        if (bytes && *bytes > maximum)
            return base::Error(base::ErrorCode::invalid_configuration,
                               fmt::format("must be at most {} (got {})", exact_size(maximum), excerpt(text)));
        return bytes;
    };
    return text_form<std::uint64_t>(std::move(words), parse, [](const std::uint64_t& v) { return exact_size(v); });
}

Type<std::chrono::milliseconds> duration(std::chrono::milliseconds minimum, std::chrono::milliseconds maximum) {
    using base::canonical_duration;
    auto words = fmt::format("a duration from {} to {}", canonical_duration(minimum), canonical_duration(maximum));
    auto parse = [minimum, maximum](std::string_view text) -> base::Result<std::chrono::milliseconds> {
        auto value = base::parse_duration(text);
        if (!value || (*value >= minimum && *value <= maximum)) return value;
        const bool low = *value < minimum;
        return base::Error(base::ErrorCode::invalid_configuration,
                           fmt::format("must be at {} {} (got {})", low ? "least" : "most",
                                       canonical_duration(low ? minimum : maximum), excerpt(text)));
    };
    return text_form<std::chrono::milliseconds>(
        std::move(words), parse, [](const std::chrono::milliseconds& value) { return canonical_duration(value); });
}

Type<std::filesystem::path> absolute_path() {
    auto parse = [](std::string_view text) -> base::Result<std::filesystem::path> {
        if (!text.starts_with('/'))
            return base::Error(base::ErrorCode::invalid_configuration,
                               fmt::format("must be an absolute path (got \"{}\")", excerpt(text)),
                               "write the whole path from \"/\" on; \"~\" and variables are not expanded");
        auto path = std::filesystem::path(text).lexically_normal();
        if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();  // "/a/b/" names /a/b
        return path;
    };
    return text_form<std::filesystem::path>("an absolute path", parse,
                                            [](const std::filesystem::path& path) { return path.string(); });
}

Type<std::string> text(std::string words, std::size_t longest) {
    auto parse = [longest](std::string_view value) -> base::Result<std::string> {
        if (value.size() <= longest) return std::string(value);
        return base::Error(base::ErrorCode::invalid_configuration,
                           fmt::format("must be at most {} bytes long (got {})", longest, value.size()));
    };
    return text_form<std::string>(std::move(words), parse, [](const std::string& value) { return value; });
}

Type<std::vector<std::string>> list_of(const Type<std::string>& element, std::string words) {
    auto read = [element, words](Problems& problems, const Node& node, std::vector<std::string>& value) {
        if (node.kind == Node::Kind::scalar)
            return wrong_type(problems, node, words,
                              fmt::format("write a list: [{}]", yaml_scalar(excerpt(node.text))));
        if (node.kind != Node::Kind::list) return wrong_type(problems, node, words);
        value.clear();
        for (const auto& child : node.children) {
            if (child.refused) continue;
            std::string item;
            element.read(problems, child, item);
            if (!child.refused) value.push_back(std::move(item));
        }
    };
    auto write = [element](const std::vector<std::string>& value) {
        std::vector<std::string> items;
        items.reserve(value.size());
        for (const auto& item : value) items.push_back(element.write(item));
        return "[" + base::join(items, ", ") + "]";
    };
    return {std::move(words), std::move(read), std::move(write)};
}

Type<std::vector<std::string>> set_of(const Type<std::string>& element, std::string words) {
    auto type = list_of(element, std::move(words));
    type.read = [read = type.read](Problems& problems, const Node& node, std::vector<std::string>& names) {
        read(problems, node, names);
        std::unordered_set<std::string_view> seen;
        for (const auto& child : node.children)
            if (!child.refused && !seen.insert(child.text).second)
                problems.error(child, fmt::format("\"{}\" is listed twice", excerpt(child.text)), "remove one of them");
    };
    return type;
}

}  // namespace pgbakd::config
