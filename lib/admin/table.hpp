// Aligned columns for people.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "admin/output.hpp"

namespace pgbakd::admin {

// The columns a terminal takes for it: combining marks none, East Asian wide characters and emoji two (UAX 11, by
// ranges). `text` is UTF-8.
[[nodiscard]] std::size_t display_width(std::string_view text);

struct Cell {
    Cell(std::string content, Style look = Style::plain) : text(std::move(content)), style(look) {}
    Cell(const char* content) : text(content) {}
    std::string text;  // names from outside are made printable when the table is printed
    Style style;
};

class Table {
  public:
    struct Column {
        std::string title;
        bool right = false;  // numbers
    };
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // One cell per column; missing ones at the end are empty.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

    // With a line of titles; columns that are empty in every row are left out; no blanks at the end of a line.
    void print(std::ostream& out, bool colour) const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace pgbakd::admin
