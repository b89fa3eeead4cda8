#include "config/yaml_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.hpp"
#include "config/text_check.hpp"

namespace pgbakd::config {
namespace {

// Plain scalars must not be taken for something else by any YAML reader, of 1.1 or 1.2.
// "30 days", "5 GiB", "90s": a number with a unit is a text to every reader.
bool is_quantity(std::string_view text) {
    const auto unit = text.find_first_not_of("0123456789");
    if (unit == 0 || unit == std::string_view::npos) return false;
    text.remove_prefix(unit + (text[unit] == ' ' ? 1 : 0));
    return !text.empty() && std::all_of(text.begin(), text.end(), base::is_letter);
}

bool is_plain(std::string_view text) {
    if (is_quantity(text)) return true;
    constexpr std::string_view inside = "_./+-@%=~:";
    if (text.empty() || !(base::is_letter(text.front()) || text.front() == '/' || text.front() == '_')) return false;
    constexpr std::array words{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    const auto lower = base::to_lower(text);
    if (std::find(words.begin(), words.end(), lower) != words.end()) return false;
    if (text.back() == ':' || text.back() == ' ' || text.find(": ") != std::string_view::npos) return false;
    return std::all_of(text.begin(), text.end(), [inside](char c) {
        return base::is_letter(c) || base::is_digit(c) || c == ' ' || inside.find(c) != std::string_view::npos;
    });
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
    if (is_plain(text)) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            quoted += c;
    }
    return quoted + '"';
}

void YamlWriter::indent() {
    text_.append(2 * depth_, ' ');
}

void YamlWriter::entry(std::string_view key, std::string_view value) {
    indent();
    text_ += fmt::format("{}: {}\n", yaml_scalar(key), value);
}

void YamlWriter::section(std::string_view key, bool keep_empty, const std::function<void()>& body) {
    const auto before = text_.size();
    indent();
    text_ += fmt::format("{}:\n", yaml_scalar(key));
    const auto begun = text_.size();
    ++depth_;
    body();
    --depth_;
    if (text_.size() != begun) return;
    text_.resize(before);
    if (keep_empty) entry(key, "{}");
}

}  // namespace pgbakd::config
