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

// A range that begins above its end, as two that go upwards: 22-6/2 of hours is 22,0-6/2.
struct WrappedRange {
    int first, last, step;  // first > last, step > 0
    int lowest, highest;    // of all values
};
[[nodiscard]] std::string unwrap(const WrappedRange& wrapped, std::string_view range);
// One range; only its first value where the step leads beyond its end.
[[nodiscard]] std::string print_range(int first, int last, int step, std::string_view range);

}  // namespace pgbakd::calendar
