#include "calendar/value_list.hpp"

#include <fmt/format.h>

#include <bit>

namespace pgbakd::calendar {
namespace {

// How many values from the front go up in steps as wide as the first; 1 if there is no second.
std::size_t progression_length(std::span<const int> values) {
    if (values.size() < 2) return values.size();
    const int step = values[1] - values[0];
    std::size_t length = 2;
    while (length < values.size() && values[length] - values[length - 1] == step) ++length;
    return length;
}

}  // namespace

std::vector<int> values_of(Bits bits) {
    std::vector<int> values;
    for (; bits != 0; bits &= bits - 1) values.push_back(std::countr_zero(bits));
    return values;
}

std::string print_values(std::span<const int> values, const ListStyle& style) {
    const auto number = [&style](int value) { return fmt::format("{:0{}}", value, style.width); };
    // All of them in equal steps: one entry.
    const auto whole = progression_length(values);
    if (whole == values.size() && whole >= 3 && values[1] - values[0] > 1) {
        const int step = values[1] - values[0];
        if (values.back() + step > style.open_end && style.open_end != 0)
            return fmt::format("{}/{}", number(values.front()), step);
        return fmt::format("{}{}{}/{}", number(values.front()), style.range, number(values.back()), step);
    }
    std::string text;
    while (!values.empty()) {
        auto length = progression_length(values);
        if (length < 3 || values[1] - values[0] != 1) length = 1;
        if (!text.empty()) text += ',';
        text += number(values.front());
        if (length > 1) text += std::string(style.range) + number(values[length - 1]);
        values = values.subspan(length);
    }
    return text;
}

std::string print_range(int first, int last, int step, std::string_view range) {
    if (last - first < step) return fmt::format("{}", first);
    return step == 1 ? fmt::format("{}{}{}", first, range, last) : fmt::format("{}{}{}/{}", first, range, last, step);
}

std::string unwrap(const WrappedRange& wrapped, std::string_view range) {
    const auto& [first, last, step, lowest, highest] = wrapped;
    const auto upper = print_range(first, highest, step, range);
    // Steps go on over the end.
    const int again = lowest + step - 1 - (highest - first) % step;
    return again > last ? upper : upper + ',' + print_range(again, last, step, range);
}

}  // namespace pgbakd::calendar
