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
    // `hidden`: nodes with these anchors are taken out wherever they stand.
    YamlScanner(std::string_view text, const KeyPatterns& keys, const std::set<std::string>& hidden, RedactEdits& edits)
        : text_(text), keys_(keys), hidden_(hidden), edits_(edits) {}

    // Throws NotUnderstood.
    void scan();
    // The anchors that values taken out refer to.
    [[nodiscard]] const std::set<std::string>& aliases() const noexcept { return aliases_; }

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

    // Both.
    [[nodiscard]] Properties properties(bool in_flow);
    [[nodiscard]] Scalar quoted();
    void alias();
    void hide_value(const Properties& properties, const Scalar& value);
    void hide_assigned(const Scalar& item);
    [[nodiscard]] std::string text_of(const Scalar& scalar) const;
    [[nodiscard]] bool is_hidden(const Properties& properties) const { return hidden_.contains(properties.anchor); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    // Whether what is there stands alone: before a blank, a line end or the end.
    [[nodiscard]] bool blank_at(std::size_t at) const;
    [[nodiscard]] bool at_line_end() const;                            // or before a comment
    [[nodiscard]] bool at_marker(std::size_t at) const;                // `---` or `...`
    [[nodiscard]] std::size_t skip_empty_lines(std::size_t at) const;  // and comments
    [[nodiscard]] Column indent_of(std::size_t line) const;
    [[nodiscard]] Column column() const;
    [[noreturn]] void fail(const char* what) const;

    std::string_view text_;
    const KeyPatterns& keys_;
    const std::set<std::string>& hidden_;
    RedactEdits& edits_;
    std::set<std::string> aliases_;
    std::size_t at_ = 0;
    std::size_t last_ = 0;  // on the last line with content
    // What waits for a value: a key, an item, a document. In which column.
    std::optional<Column> open_ = outside;
    bool is_secret_ = false;  // within a value that is taken out as a whole
};

}  // namespace pgbakd::source
