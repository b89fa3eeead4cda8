// A pattern of one name, as shells have it: `*` any characters, `?` one, `[a-z]` one of a set, `[!a-z]` one that is
// not, `\` before a character takes it as it is. Pure; a match takes at most length of pattern times length of name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace pgbakd::model {

class NamePattern {
  public:
    enum class Case { as_written, any };  // `any`: of ASCII's letters

    // Characters are UTF-8's; a byte that is none is a character of its own. Fails with `invalid_argument` on an empty
    // pattern, a set without end, a range that ends before it begins, a character class ("[:alpha:]"), a final `\`.
    [[nodiscard]] static base::Result<NamePattern> parse(std::string_view text, Case letters = Case::as_written);

    [[nodiscard]] bool matches(std::string_view name) const;

  private:
    struct Step {
        enum class Kind { set, any_one, any_number };
        Kind kind = Kind::set;
        bool negated = false;
        std::vector<std::pair<char32_t, char32_t>> ranges;
    };
    [[nodiscard]] bool matches_one(const Step& step, char32_t character) const;

    Case letters_ = Case::as_written;
    std::vector<Step> steps_;
};

}  // namespace pgbakd::model
