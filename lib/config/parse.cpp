#include "config/parse.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/text_check.hpp"

namespace pgbakd::config {
namespace {

struct Refused {
    Place place;
    std::string message;
    std::string hint;
};

// Turns the parser's marks (bytes, from 0) into places (characters, from 1). Marks come nearly in order, so it walks
// from the last one: a document on one long line stays linear.
class Places {
  public:
    explicit Places(std::string_view text) : text_(text) {}

    // Whether the quoted scalar that begins at `mark` has its closing quote.
    [[nodiscard]] bool is_closed(const YAML::Mark& mark) const {
        const auto start = static_cast<std::size_t>(std::max(mark.pos, 0));
        if (start >= text_.size() || (text_[start] != '"' && text_[start] != '\'')) return true;
        const char quote = text_[start];
        for (auto i = start + 1; i < text_.size(); ++i) {
            if (quote == '"' && text_[i] == '\\') {
                ++i;
            } else if (text_[i] == quote) {
                if (quote == '"' || !text_.substr(i + 1).starts_with(quote)) return true;
                ++i;
            }
        }
        return false;
    }

    Place at(const YAML::Mark& mark) {
        const auto target = mark.pos < 0 ? 0U : std::min(static_cast<std::size_t>(mark.pos), text_.size());
        while (offset_ < target) step_forward();
        while (offset_ > target) step_back();
        return {mark.line + 1, column_ + 1};
    }

  private:
    [[nodiscard]] static bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }
    void step_forward() {
        const char c = text_[offset_++];
        if (c == '\n') column_ = 0;
        if (c != '\n' && begins_character(c)) ++column_;
    }
    void step_back() {
        const char c = text_[--offset_];
        if (c == '\n') {
            const auto line = text_.rfind('\n', offset_ == 0 ? 0 : offset_ - 1);
            const auto start = offset_ == 0 || line == std::string_view::npos ? 0 : line + 1;
            const auto before = text_.substr(start, offset_ - start);
            column_ = static_cast<int>(std::count_if(before.begin(), before.end(), begins_character));
        } else if (begins_character(c)) {
            --column_;
        }
    }

    std::string_view text_;
    std::size_t offset_ = 0;
    int column_ = 0;
};

class Builder final : public YAML::EventHandler {
  public:
    Builder(std::string_view text, int file) : places_(text), file_(file) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1)
            throw Refused{places_.at(mark), "a second YAML document begins here",
                          "put it into a file of its own in the configuration's directory"};
    }
    void OnDocumentEnd() override {}
    void OnAnchor(const YAML::Mark& /*mark*/, const std::string& /*name*/) override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        auto node = make(Node::Kind::null, mark, "?", anchor);
        if (wants_key()) throw Refused{node.place, "a key is missing here", {}};
        // An absent value has no place of its own: the parser names what follows.
        if (in_map()) node.place = key_place_;
        attach(std::move(node));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
        auto node = make(Node::Kind::null, mark, "?", 0);
        if (wants_key()) throw Refused{node.place, "an alias cannot be a key", {}};
        node.trick = Node::Trick::alias;
        attach(std::move(node));
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        auto node = make(Node::Kind::scalar, mark, tag, anchor);
        if (tag == "!") last_quoted_ = mark;
        if (wants_key()) {
            key_ = value;
            key_place_ = node.place;
            key_trick_ = node.trick;
            have_key_ = true;
            return;
        }
        node.text = value;
        node.quoted = tag == "!";
        attach(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value /*style*/) override {
        open(make(Node::Kind::list, mark, tag, anchor));
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value /*style*/) override {
        open(make(Node::Kind::map, mark, tag, anchor));
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

    // The parser takes the end of a cut-off file, if it is a line's end too, for the closing quote.
    void check_end() {
        if (!last_quoted_.is_null() && !places_.is_closed(last_quoted_))
            throw Refused{places_.at(last_quoted_), "this quote is not closed", {}};
    }
    [[nodiscard]] Place place_of(const YAML::Mark& mark) { return places_.at(mark); }
    [[nodiscard]] Node take() { return std::move(root_); }

  private:
    [[nodiscard]] bool in_map() const { return !stack_.empty() && stack_.back().kind == Node::Kind::map; }
    [[nodiscard]] bool wants_key() const { return in_map() && !have_key_; }

    Node make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        Node node;
        node.kind = kind;
        node.file = file_;
        node.place = places_.at(mark);
        if (anchor != 0) node.trick = Node::Trick::anchor;
        // "?" marks a plain and "!" a quoted scalar; anything else was written.
        if (!tag.empty() && tag != "?" && tag != "!") node.trick = Node::Trick::tag;
        return node;
    }
    void name(Node& node) {
        if (!in_map()) return;
        node.key = std::exchange(key_, {});
        node.key_place = key_place_;
        if (key_trick_ != Node::Trick::none) node.trick = std::exchange(key_trick_, Node::Trick::none);
        have_key_ = false;
    }
    void open(Node node) {
        if (wants_key()) throw Refused{node.place, "a key must be a plain text", {}};
        if (static_cast<int>(stack_.size()) >= max_depth)
            throw Refused{node.place, fmt::format("more than {} levels of nesting", max_depth), {}};
        name(node);
        stack_.push_back(std::move(node));
    }
    void close() {
        auto node = std::move(stack_.back());
        stack_.pop_back();
        if (stack_.empty())
            root_ = std::move(node);
        else
            stack_.back().children.push_back(std::move(node));
    }
    void attach(Node node) {
        name(node);
        if (stack_.empty())
            root_ = std::move(node);
        else
            stack_.back().children.push_back(std::move(node));
    }

    Places places_;
    int file_;
    int documents_ = 0;
    YAML::Mark last_quoted_ = YAML::Mark::null_mark();
    std::vector<Node> stack_;  // the containers that are open
    Node root_;
    // The key read last in the innermost map, until its value begins.
    std::string key_;
    Place key_place_;
    Node::Trick key_trick_ = Node::Trick::none;
    bool have_key_ = false;
};

void report_tricks(const Node& node, Problems& problems) {
    constexpr std::string_view quote = "write the value out; a text that begins with this character needs quotes";
    switch (node.trick) {
        case Node::Trick::none: break;
        case Node::Trick::alias: problems.error(node, "aliases (*name) are not accepted", std::string(quote)); break;
        case Node::Trick::anchor: problems.error(node, "anchors (&name) are not accepted", std::string(quote)); break;
        case Node::Trick::tag: problems.error(node, "tags (!name) are not accepted", std::string(quote)); break;
    }
    std::unordered_map<std::string_view, const Node*> seen;
    for (const auto& child : node.children) {
        if (node.kind == Node::Kind::map) {
            const auto [first, is_new] = seen.emplace(child.key, &child);
            if (!is_new)
                problems.error_at_key(child, "defined twice",
                                      fmt::format("the first is at line {}", first->second->key_place.line));
        }
        report_tricks(child, problems);
    }
}

std::string hint_for(std::string_view message) {
    struct Row {
        std::string_view part, hint;
    };
    constexpr std::array rows{
        Row{"end of map not found", "check the indentation: keys of one section stand in one column"},
        Row{"end of sequence not found", "check the indentation: the dashes of one list stand in one column"},
        Row{"end of map flow", "a \"{\" has no \"}\""},
        Row{"end of sequence flow", "a \"[\" has no \"]\""},
        Row{"illegal flow end", "brackets and braces do not match"},
        Row{"illegal map value", "a text with \": \" in it needs quotes; or check the indentation"},
        Row{"illegal block entry", "a list begins on a line of its own"},
        Row{"illegal EOF in scalar", "a quote is not closed"},
        Row{"unknown escape", "in double quotes a backslash is written \\\\; or use single quotes"},
        Row{"anchor is not defined", "a text that begins with \"*\" needs quotes"},
        Row{"alias not found", "a text that begins with \"*\" needs quotes"},
        Row{"anchor not found", "a text that begins with \"&\" needs quotes"},
        Row{"unknown token", "a text that begins with this character needs quotes"},
    };
    for (const auto& [part, hint] : rows)
        if (message.find(part) != std::string_view::npos) return std::string(hint);
    return {};
}

// yaml-cpp 0.8 names the anchor that it missed, and an alias may be a secret that wants quotes.
std::string_view without_anchor(std::string_view message) {
    constexpr std::string_view undefined = "the referenced anchor is not defined";
    return message.starts_with(undefined) ? undefined : message;
}

}  // namespace

std::optional<Node> parse_yaml(std::string_view text, std::size_t file, Problems& problems) {
    if (text.size() > max_document_bytes) {
        problems.error_in_file(file, {}, "the file is larger than 4 MiB",
                               "split it: files in the configuration's directory are merged");
        return std::nullopt;
    }
    if (const auto fault = check_text(text)) {
        problems.error_in_file(file, fault->place, fault->message, fault->hint);
        return std::nullopt;
    }
    Builder builder(text, static_cast<int>(file));
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
        builder.check_end();
    } catch (const Refused& refused) {
        problems.error_in_file(file, refused.place, refused.message, refused.hint);
        return std::nullopt;
    } catch (const YAML::Exception& failure) {
        problems.error_in_file(file, builder.place_of(failure.mark),
                               fmt::format("not valid YAML: {}", excerpt(without_anchor(failure.msg))),
                               hint_for(failure.msg));
        return std::nullopt;
    } catch (const std::exception& failure) {
        problems.error_in_file(file, {}, fmt::format("not valid YAML: {}", excerpt(failure.what())));
        return std::nullopt;
    }
    auto root = builder.take();
    link(root);
    report_tricks(root, problems);
    return root;
}

}  // namespace pgbakd::config
