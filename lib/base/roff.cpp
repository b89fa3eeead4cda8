#include "base/roff.hpp"

#include <fmt/format.h>

namespace pgbakd::base {
namespace {

// Escaped, with what stands between backquotes in bold. Escapes are never cut: backquotes are none of them.
std::string marked(std::string_view text) {
    std::string out;
    bool bold = false;
    for (const char c : roff_escaped(text)) {
        if (c != '`') {
            out += c;
            continue;
        }
        bold = !bold;
        out += bold ? "\\fB" : "\\fR";
    }
    if (bold) out += "\\fR";
    return out;
}

}  // namespace

std::string roff_escaped(std::string_view text) {
    std::string out;
    bool begins_line = true;
    for (const char c : text) {
        if (begins_line && (c == '.' || c == '\'')) out += "\\&";
        begins_line = c == '\n';
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";  // a plain hyphen may become another letter, which nobody could type again
        else
            out += c;
    }
    return out;
}

Roff::Roff(std::string_view name, int section, std::string_view source, std::string_view manual)
    // The first line tells man which preprocessors it needs (none) and how the page is written.
    : text_(fmt::format("'\\\" -*- coding: utf-8 -*-\n.TH {} {} \"\" \"{}\" \"{}\"\n", roff_escaped(name), section,
                        roff_escaped(source), roff_escaped(manual))) {}

Roff& Roff::heading(std::string_view text) {
    text_ += fmt::format(".SH {}\n", roff_escaped(text));
    return *this;
}

Roff& Roff::subheading(std::string_view text) {
    text_ += fmt::format(".SS {}\n", roff_escaped(text));
    return *this;
}

Roff& Roff::paragraph(std::string_view text) {
    text_ += fmt::format(".PP\n{}\n", marked(text));
    return *this;
}

Roff& Roff::term(std::string_view tag, std::string_view text) {
    text_ += fmt::format(".TP\n{}\n{}\n", marked(tag), marked(text));
    return *this;
}

Roff& Roff::continued(std::string_view text) {
    text_ += fmt::format(".IP\n{}\n", marked(text));
    return *this;
}

Roff& Roff::example(std::string_view lines) {
    text_ += fmt::format(".PP\n.RS 4\n.EX\n{}{}.EE\n.RE\n", roff_escaped(lines), lines.ends_with('\n') ? "" : "\n");
    return *this;
}

}  // namespace pgbakd::base
