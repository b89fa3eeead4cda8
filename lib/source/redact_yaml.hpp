// Finds the values of keys in YAML 1.2, byte by byte. It knows where nodes begin and end, which is less than a parser
// does, and refuses whatever it is not sure of. For redact_yaml() only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "source/redact_edits.hpp"

namespace pgbakd::source {

class YamlScanner {
  public:
    // What earlier scans of the text found out: anchors that values taken out refer to, whose nodes are taken out
    // wherever they stand; and anchors within values taken out, which nothing can refer to any more.
    struct Anchors {
        std::set<std::string> hidden;
        std::set<std::string> gone;
        bool operator==(const Anchors&) const = default;
    };
    YamlScanner(std::string_view text, const KeyPatterns& keys, const Anchors& anchors, RedactEdits& edits)
        : text_(text), keys_(keys), anchors_(anchors), edits_(edits), found_(anchors) {}

    // Throws NotUnderstood.
    void scan();
    // With what this scan found.
    [[nodiscard]] const Anchors& anchors() const noexcept { return found_; }

  private:
    // Columns count from 0; what belongs to a node in column n is indented deeper than n.
    using Column = long;
    static constexpr Column outside = -1;

    struct Properties {  // an anchor, a tag
        std::size_t begin = 0;
        std::size_t end = 0;
        std::string anchor;
        bool tag = false;
        [[nodiscard]] bool any() const noexcept { return end > begin; }
    };
    struct Scalar {
        std::size_t begin = 0;
        std::size_t end = 0;
        char quote = '\0';
        [[nodiscard]] bool quoted() const noexcept { return quote != '\0'; }
    };
    struct Key {
        std::string text;
        std::size_t end = 0;  // after its colon
    };

    // Lines and nodes in block style (redact_yaml.cpp).
    void lines(Column above, bool items_at_above);
    [[nodiscard]] bool belongs(Column above, bool items_at_above) const;
    void document_start();
    void entry();
    void value_of(const Key& key, Column column);
    void node(Column parent, const Properties& properties, bool is_item, bool hide);
    void block_scalar(Column parent, const Properties& properties, bool is_item, bool hide);
    void hide_nested(Column parent, bool items_at_parent, const Properties& properties, std::size_t after);
    [[nodiscard]] Scalar plain(Column parent);
    [[nodiscard]] std::size_t plain_in_line(std::size_t at, std::size_t end) const;
    [[nodiscard]] bool find_key(Key& key) const;
    void end_line();
    void finish_node(Column parent);
    void check_indent_after(Column parent) const;

    // Nodes in flow style (redact_yaml_flow.cpp).
    void flow(int depth);
    void flow_entry(int depth);
    [[nodiscard]] bool flow_node(int depth, Scalar& scalar);  // whether it was a scalar
    [[nodiscard]] Scalar flow_plain();
    void flow_skip();

    // Both (redact_yaml_nodes.cpp).
    [[nodiscard]] Properties properties(bool in_flow);
    [[nodiscard]] Scalar quoted();
    // After the quote that ends what begins at `at`; npos if there is none before `end`.
    [[nodiscard]] std::size_t end_of_quoted(std::size_t at, std::size_t end) const;
    void alias();
    [[nodiscard]] static std::string replacement(const Properties& properties);
    void hide_value(const Properties& properties, const Scalar& value);
    void hide_assigned(const Scalar& item);
    [[nodiscard]] std::string text_of(const Scalar& scalar) const;
    [[nodiscard]] bool is_hidden(const Properties& properties) const {
        return anchors_.hidden.contains(properties.anchor);
    }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    // Whether what is there stands alone: before a blank, a line end or the end.
    [[nodiscard]] bool blank_at(std::size_t at) const;
    [[nodiscard]] bool at_line_end() const;                            // or before a comment
    [[nodiscard]] bool at_marker(std::size_t at) const;                // `---` or `...`
    [[nodiscard]] std::size_t skip_empty_lines(std::size_t at) const;  // and comments
    [[nodiscard]] Column indent_of(std::size_t line) const;
    [[nodiscard]] Column column() const noexcept { return static_cast<Column>(at_ - line_); }  // only in lines()
    [[noreturn]] void fail(const char* what) const;

    std::string_view text_;
    const KeyPatterns& keys_;
    const Anchors& anchors_;
    RedactEdits& edits_;
    Anchors found_;
    std::size_t at_ = 0;
    std::size_t line_ = 0;  // where the line begins that it is in
    std::size_t last_ = 0;  // on the last line with content
    // What waits for a value: a key, an item, a document. In which column.
    std::optional<Column> open_ = outside;
    bool is_secret_ = false;  // within a value that is taken out as a whole
};

}  // namespace pgbakd::source
