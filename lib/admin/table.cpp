#include "admin/table.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace pgbakd::admin {
namespace {

struct Range {
    char32_t first, last;
};
constexpr std::array no_width{
    Range{0x300, 0x36f},   Range{0x483, 0x489},   Range{0x591, 0x5bd},   Range{0x610, 0x61a},   Range{0x64b, 0x65f},
    Range{0x200b, 0x200f}, Range{0x20d0, 0x20ff}, Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}, Range{0xfeff, 0xfeff}};
constexpr std::array double_width{Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},
                                  Range{0xa960, 0xa97f},   Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},
                                  Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},
                                  Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff},
                                  Range{0x20000, 0x3fffd}};

template <class Ranges>
bool is_in(const Ranges& ranges, char32_t character) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [character](const Range& range) { return character >= range.first && character <= range.last; });
}

// The code point at the front of printable text, and how many bytes it has.
std::pair<char32_t, std::size_t> decode(std::string_view text) {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const auto more = [&byte](std::size_t i) { return byte(i) & 0x3fU; };
    if (lead < 0xe0) return {((lead & 0x1fU) << 6U) | more(1), 2};
    if (lead < 0xf0) return {((lead & 0x0fU) << 12U) | (more(1) << 6U) | more(2), 3};
    return {((lead & 0x07U) << 18U) | (more(1) << 12U) | (more(2) << 6U) | more(3), 4};
}

}  // namespace

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const auto [character, bytes] = decode(text);
        text.remove_prefix(std::min(bytes, text.size()));
        if (!is_in(no_width, character)) width += is_in(double_width, character) ? 2U : 1U;
    }
    return width;
}

void Table::print(std::ostream& out, bool colour) const {
    std::vector<std::vector<Cell>> lines;
    lines.reserve(rows_.size() + 1);
    auto& titles = lines.emplace_back();
    for (const auto& column : columns_) titles.emplace_back(column.title, Style::strong);
    for (const auto& row : rows_) {
        auto& line = lines.emplace_back();
        for (const auto& cell : row) line.emplace_back(base::printable(cell.text), cell.style);
        line.resize(columns_.size(), Cell(""));
    }
    std::vector<std::size_t> widths(columns_.size());
    std::vector<bool> used(columns_.size(), rows_.empty());
    for (std::size_t i = 0; i < lines.size(); ++i)
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            const auto& text = lines[i][column].text;
            widths[column] = std::max(widths[column], display_width(text));
            if (i > 0 && !text.empty()) used[column] = true;
        }
    for (const auto& line : lines) {
        std::string printed;
        std::size_t owed = 0;  // blanks before the next text
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            if (!used[column]) continue;
            const auto& cell = line[column];
            const auto padding = widths[column] - display_width(cell.text);
            if (columns_[column].right) owed += padding;
            if (!cell.text.empty()) {
                printed.append(owed, ' ');
                printed += styled(cell.text, cell.style, colour);
                owed = 0;
            }
            owed += columns_[column].right ? 2 : padding + 2;
        }
        out << printed << '\n';
    }
}

}  // namespace pgbakd::admin
