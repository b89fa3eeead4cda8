// Manual pages in the man macros (groff_man(7)): what people read with man, put together from tables. Texts are given
// as they stand in the documentation: words between backquotes are set in bold, the rest appears letter by letter.
#pragma once

#include <string>
#include <string_view>

namespace pgbakd::base {

class Roff {
  public:
    // `name` in the page's header, "PGBAKD.YAML"; `source` is what the page belongs to, with its version.
    Roff(std::string_view name, int section, std::string_view source, std::string_view manual);

    Roff& heading(std::string_view text);     // .SH
    Roff& subheading(std::string_view text);  // .SS
    Roff& paragraph(std::string_view text);
    // A word or line and, set in, what it means.
    Roff& term(std::string_view tag, std::string_view text);
    // A further paragraph of the last term.
    Roff& continued(std::string_view text);
    // Lines as they are, in a typewriter's face.
    Roff& example(std::string_view lines);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

// No letter of it means anything to roff: backslashes, hyphens, and points and apostrophes that begin a line.
[[nodiscard]] std::string roff_escaped(std::string_view text);

}  // namespace pgbakd::base
