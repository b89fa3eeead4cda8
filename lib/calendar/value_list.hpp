// Sets of numbers as grammars write them: 1-5, 0-58/2, 1,7,9 or 01..05, 00/2, 01,07,09.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calendar/pattern.hpp"

namespace pgbakd::calendar {

struct ListStyle {
    std::string_view range;  // between the ends of a range
    int width = 1;           // digits at least, with zeros in front
    int open_end = 0;        // a progression that cannot go on below this is written without its end; 0: never
};

// Ascending.
[[nodiscard]] std::vector<int> values_of(Bits bits);
// `values` is ascending and not empty. The same set gives the same text.
[[nodiscard]] std::string print_values(std::span<const int> values, const ListStyle& style);

}  // namespace pgbakd::calendar
