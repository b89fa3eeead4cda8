#include "source/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "source/redact_edits.hpp"

namespace pgbakd::source {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

constexpr std::array<std::string_view, 12> copies{"~",          ".bak",      ".backup",   ".old",
                                                  ".orig",      ".save",     ".dpkg-old", ".dpkg-new",
                                                  ".dpkg-dist", ".dpkg-bak", ".rpmsave",  ".rpmnew"};

std::string_view without_copy(std::string_view name) {
    for (bool again = true; again;) {
        again = false;
        for (const auto copy : copies)
            if (name.size() > copy.size() && name.ends_with(copy)) {
                name.remove_suffix(copy.size());
                again = true;
            }
    }
    return name;
}

void redact_as(RedactKind kind, std::string_view text, const KeyPatterns& keys, RedactEdits& edits) {
    switch (kind) {
        case RedactKind::env: redact_env(text, keys, edits); break;
        case RedactKind::yaml: redact_yaml(text, keys, edits); break;
        case RedactKind::json: redact_json(text, keys, edits); break;
        case RedactKind::ini: redact_ini(text, keys, edits); break;
    }
}

// What is no text, or is one in another encoding than ours; old Macs' line ends hide lines from who does not expect
// them.
void check_text(RedactKind kind, std::string_view text) {
    if (const auto at = text.find('\0'); at != std::string_view::npos) throw NotUnderstood{at, "it is not a text"};
    if (kind == RedactKind::json || kind == RedactKind::yaml)
        for (std::size_t at = 0; at < text.size();) {
            const auto length = base::utf8_length(text.substr(at));
            if (length == 0) throw NotUnderstood{at, "it is not UTF-8"};
            at += length;
        }
    if (kind == RedactKind::json) return;
    const auto is_control = [](char c) {
        const auto code = static_cast<unsigned char>(c);
        return (code < ' ' && c != '\t' && c != '\n' && c != '\r') || code == 0x7F;
    };
    if (const auto at = std::find_if(text.begin(), text.end(), is_control); at != text.end())
        throw NotUnderstood{static_cast<std::size_t>(at - text.begin()), "a control character"};
    for (auto at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1))
        if (at + 1 == text.size() || text[at + 1] != '\n') throw NotUnderstood{at, "a carriage return within a line"};
}

}  // namespace

std::optional<RedactKind> redact_kind(std::string_view file_name) {
    const auto lower = base::to_lower(file_name);
    const auto name = without_copy(lower);
    const auto ends_with_any = [name](auto... endings) { return (name.ends_with(endings) || ...); };
    if (name.starts_with(".env.") || ends_with_any(".env")) return RedactKind::env;
    if (ends_with_any(".yml", ".yaml")) return RedactKind::yaml;
    if (ends_with_any(".json")) return RedactKind::json;
    if (ends_with_any(".ini", ".conf", ".cnf")) return RedactKind::ini;
    return std::nullopt;
}

base::Result<std::string> redact(RedactKind kind, std::string_view text, const KeyPatterns& keys) {
    const auto mark = text.starts_with(byte_order_mark) ? byte_order_mark : std::string_view();
    const auto rest = text.substr(mark.size());
    try {
        check_text(kind, rest);
        RedactEdits edits;
        redact_as(kind, rest, keys, edits);
        return std::string(mark) + edits.apply(rest);
    } catch (const NotUnderstood& reason) {
        const auto before = rest.substr(0, reason.at);
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        return Error(ErrorCode::unsupported, fmt::format("line {}: {}", line, reason.what));
    }
}

}  // namespace pgbakd::source
