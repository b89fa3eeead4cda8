// Sections: tables of keys. A row is declared once, with its type, default and help; reading, checking, writing and the
// reference page all go by it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/node.hpp"
#include "config/problems.hpp"
#include "config/types.hpp"
#include "config/yaml_writer.hpp"

namespace pgbakd::config {

// What holds where a key is absent: a default (`is`, as YAML), something else in words (`absent`), or it may not be
// absent (`required`, with a hint what to write).
struct Fallback {
    std::string yaml;
    std::string words;
    bool required = false;
};
[[nodiscard]] inline Fallback is(std::string yaml) {
    return {std::move(yaml), {}, false};
}
[[nodiscard]] inline Fallback absent(std::string words) {
    return {{}, std::move(words), false};
}
[[nodiscard]] inline Fallback required(std::string hint) {
    return {{}, std::move(hint), true};
}

struct SectionFacts;

// What is known of a key without knowing what it configures.
struct KeyFacts {
    std::string name;
    std::string words;  // of its type
    Fallback fallback;
    std::string help;
    std::string hint;                            // for errors of the value; empty: its default is named
    bool gate = false;                           // says what the section describes; stands first
    std::shared_ptr<const SectionFacts> inside;  // of a section
    std::string placeholder;                     // of an open map: what its keys stand for ("NAME")
    // Of an open map whose entries are of several kinds: each kind's word and keys; then `inside` is the first of them.
    std::vector<std::pair<std::string, std::shared_ptr<const SectionFacts>>> kinds{};
};

// A key of a version to come, or of another kind of the same thing: refused, but not as if it were a misspelling.
struct Later {
    std::string name;
    std::string hint;
    std::string instead_of = {};  // a key that is not missed where this one stands
    std::string message = "not supported by this version of pgbakd";
};

struct SectionFacts {
    std::vector<KeyFacts> keys;
    std::vector<Later> later;
};

// Refuses what is no mapping; an empty value counts as an empty one (all its keys may be commented out).
[[nodiscard]] bool check_is_section(Problems& problems, const Node& node, const SectionFacts& facts);
// Reports unknown keys, keys of later versions and missing ones.
void check_keys(Problems& problems, const Node& node, const SectionFacts& facts);
// Whether a kind that was refused is so far from `words` that the section describes something else.
[[nodiscard]] bool is_foreign_kind(const Node& kind, const KeyFacts& facts);
[[nodiscard]] std::string usual_hint(const KeyFacts& facts);

template <class Owner>
struct Key {
    KeyFacts facts;
    std::function<void(Problems&, const Node&, Owner&)> read;
    std::function<void(YamlWriter&, const Owner&)> write;
    std::function<void(Owner&)> apply_default = [](Owner&) {};
};

// Reads a declared default as if it stood in a file; throws std::logic_error if the table is wrong.
void read_default(const KeyFacts& facts, const std::function<void(Problems&, const Node&)>& read);

template <class Owner>
class Section {
  public:
    // `blank`: an owner before any default. Throws std::logic_error if a declared default does not read.
    Section(Owner blank, std::vector<Key<Owner>> keys, std::vector<Later> later = {})
        : keys_(std::move(keys)), blank_(std::move(blank)) {
        SectionFacts facts;
        for (const auto& key : keys_) facts.keys.push_back(key.facts);
        apply_defaults(blank_);
        facts.later = std::move(later);
        facts_ = std::make_shared<const SectionFacts>(std::move(facts));
    }

    [[nodiscard]] const std::shared_ptr<const SectionFacts>& facts() const noexcept { return facts_; }
    // An owner with all defaults.
    [[nodiscard]] const Owner& blank() const noexcept { return blank_; }

    void read(Problems& problems, const Node& node, Owner& owner) const {
        if (!check_is_section(problems, node, *facts_)) return;
        for (const auto& key : keys_) {
            const auto* child = node.usable(key.facts.name);
            if (child == nullptr) continue;
            // What stands inside a section names hints of its own.
            if (!key.facts.inside) problems.set_usual_hint(usual_hint(key.facts));
            key.read(problems, *child, owner);
            problems.set_usual_hint({});
            if (key.facts.gate && child->refused && is_foreign_kind(*child, key.facts)) {
                node.refused = true;
                return;
            }
        }
        check_keys(problems, node, *facts_);
    }

    void write(YamlWriter& out, const Owner& owner) const {
        for (const auto& key : keys_) key.write(out, owner);
    }

    void apply_defaults(Owner& owner) const {
        for (const auto& key : keys_) key.apply_default(owner);
    }

  private:
    std::vector<Key<Owner>> keys_;
    Owner blank_;
    std::shared_ptr<const SectionFacts> facts_;
};

// A key whose value lives at `member` of its owner: a pointer to a member, or a function that gives a reference.
template <class Owner, class Member, class T>
[[nodiscard]] Key<Owner> key(const std::string& name, Member member, Type<T> type, Fallback fallback, std::string help,
                             std::string hint = {}) {
    // A value that is still the blank one was not given: where there is no default there is nothing to write.
    std::string blank;
    if constexpr (std::is_default_constructible_v<T>)
        if (fallback.yaml.empty() && !fallback.required) blank = type.write(T{});
    KeyFacts facts{name, type.words, std::move(fallback), std::move(help), std::move(hint), false, nullptr, {}};
    auto write = [name, member, blank, print = type.write](YamlWriter& out, const Owner& owner) {
        const auto value = print(std::invoke(member, owner));
        if (!value.empty() && value != blank) out.entry(name, value);
    };
    auto read = [member, scan = type.read](Problems& problems, const Node& node, Owner& owner) {
        scan(problems, node, std::invoke(member, owner));
    };
    auto apply = [facts, read](Owner& owner) {
        read_default(facts, [&](Problems& problems, const Node& node) { read(problems, node, owner); });
    };
    return {std::move(facts), std::move(read), std::move(write), std::move(apply)};
}

// A key that says which kind of thing its section describes, and has one word so far.
template <class Owner>
[[nodiscard]] Key<Owner> kind_key(const std::string& name, const std::string& word,
                                  const std::vector<std::string>& later, Fallback fallback, std::string help) {
    auto type = choice<int>({{word, 0}}, later);
    KeyFacts facts{name, type.words, std::move(fallback), std::move(help), {}, true, nullptr, {}};
    auto read = [scan = type.read](Problems& problems, const Node& node, Owner& /*owner*/) {
        int ignored = 0;
        scan(problems, node, ignored);
    };
    auto write = [name, word](YamlWriter& out, const Owner& /*owner*/) { out.entry(name, word); };
    return {std::move(facts), std::move(read), std::move(write)};
}

// A section within a section; `member` leads from the owner to what the inner keys set (maybe the owner itself).
template <class Owner, class Member, class Inner>
[[nodiscard]] Key<Owner> section_key(const std::string& name, Member member, const Section<Inner>& section,
                                     Fallback fallback, std::string help) {
    KeyFacts facts{name, "a mapping", std::move(fallback), std::move(help), {}, false, section.facts(), {}};
    auto read = [member, &section](Problems& problems, const Node& node, Owner& owner) {
        section.read(problems, node, std::invoke(member, owner));
    };
    auto write = [name, member, &section](YamlWriter& out, const Owner& owner) {
        out.section(name, false, [&] { section.write(out, std::invoke(member, owner)); });
    };
    auto apply = [member, &section](Owner& owner) { section.apply_defaults(std::invoke(member, owner)); };
    return {std::move(facts), std::move(read), std::move(write), std::move(apply)};
}

// A section whose owner is this one's owner.
struct Same {
    template <class Owner>
    Owner& operator()(Owner& owner) const noexcept {
        return owner;
    }
};

// An entry of an open map, with the node it came from.
template <class T>
struct Named {
    std::string name;
    const Node* node = nullptr;
    T value;
};

// One of the kinds that the entries of a map may have, told by their key `type`. The section's blank is of that kind.
template <class T>
struct Kind {
    std::string word;
    const Section<T>* section = nullptr;
    std::function<bool(const T&)> is;
};
// Which of `words` an entry's `type` is; reports and gives nothing if it is none.
// `later`: types of versions to come, refused with a word of their own. `usual`: what it is without a `type`; empty: an
// error.
[[nodiscard]] std::optional<std::size_t> kind_of_entry(Problems& problems, const Node& entry,
                                                       const std::vector<std::string>& words,
                                                       const std::vector<std::string>& later = {},
                                                       std::string_view usual = {});

// Which of them a `type` that is none of them was most likely meant to be.
[[nodiscard]] std::optional<std::size_t> kind_meant(const Node& entry, const std::vector<std::string>& words);

// Refuses an entry whose key is no name (of a `what`).
[[nodiscard]] bool check_entry_name(Problems& problems, const Node& entry, std::string_view what);

// A mapping from names of the user's choice to sections, in the file's order.
template <class Owner, class Member, class Inner>
[[nodiscard]] Key<Owner> open_map(const std::string& name, const std::string& what, Member member,
                                  const Section<Inner>& section, std::string help) {
    KeyFacts facts{name, "a mapping", {}, std::move(help), {}, false, section.facts(), "NAME"};
    auto read = [what, member, &section](Problems& problems, const Node& node, Owner& owner) {
        if (node.kind == Node::Kind::null) return;
        if (node.kind != Node::Kind::map)
            return wrong_type(problems, node, "a mapping of " + what + " names to their settings");
        auto& entries = std::invoke(member, owner);
        entries.reserve(node.children.size());
        for (const auto& child : node.children) {
            if (child.refused || !check_entry_name(problems, child, what)) continue;
            entries.push_back({child.key, &child, section.blank()});
            entries.back().value.name = child.key;
            section.read(problems, child, entries.back().value);
        }
    };
    auto write = [name, member, &section](YamlWriter& out, const Owner& owner) {
        out.section(name, false, [&] {
            for (const auto& entry : std::invoke(member, owner))
                out.section(entry.name, true, [&] { section.write(out, entry.value); });
        });
    };
    return {std::move(facts), std::move(read), std::move(write)};
}

// The same, of entries of several kinds; without a `type` they are of the kind `usual`, if that is given.
template <class Owner, class Member, class T>
[[nodiscard]] Key<Owner> kinds_map(const std::string& name, const std::string& what, Member member,
                                   std::vector<Kind<T>> kinds, std::string help, const std::string& usual = {}) {
    KeyFacts facts{name, "a mapping", {}, std::move(help), {}, false, kinds.front().section->facts(), "NAME"};
    std::vector<std::string> words;
    for (const auto& kind : kinds) {
        words.push_back(kind.word);
        facts.kinds.emplace_back(kind.word, kind.section->facts());
    }
    auto read = [what, member, kinds, words, usual](Problems& problems, const Node& node, Owner& owner) {
        if (node.kind == Node::Kind::null) return;
        if (node.kind != Node::Kind::map)
            return wrong_type(problems, node, "a mapping of " + what + " names to their settings");
        auto& entries = std::invoke(member, owner);
        for (const auto& child : node.children) {
            if (child.refused || !check_entry_name(problems, child, what)) continue;
            const auto number = kind_of_entry(problems, child, words, {}, usual);
            if (!number) continue;
            const auto& section = *kinds[*number].section;
            entries.push_back({child.key, &child, section.blank()});
            entries.back().value.name = child.key;
            section.read(problems, child, entries.back().value);
        }
    };
    auto write = [name, member, kinds](YamlWriter& out, const Owner& owner) {
        const auto& entries = std::invoke(member, owner);
        if (entries.empty()) return;
        out.section(name, false, [&] {
            for (const auto& entry : entries)
                for (const auto& kind : kinds)
                    if (kind.is(entry.value))
                        out.section(entry.name, true, [&] { kind.section->write(out, entry.value); });
        });
    };
    return {std::move(facts), std::move(read), std::move(write)};
}

// A section of several kinds, told by its key `type`. `later`: types of versions to come.
template <class Owner, class Member, class T>
[[nodiscard]] Key<Owner> kinds_section(const std::string& name, Member member, std::vector<Kind<T>> kinds,
                                       std::vector<std::string> later, Fallback fallback, std::string help) {
    KeyFacts facts{name, "a mapping", std::move(fallback), std::move(help), {}, false, kinds.front().section->facts(),
                   {}};
    std::vector<std::string> words;
    for (const auto& kind : kinds) {
        words.push_back(kind.word);
        facts.kinds.emplace_back(kind.word, kind.section->facts());
    }
    auto read = [member, kinds, words, later = std::move(later)](Problems& problems, const Node& node, Owner& owner) {
        auto number = kind_of_entry(problems, node, words, later);
        // A misspelled type does not hide what else is wrong.
        if (!number) number = kind_meant(node, words);
        if (!number) {
            node.refused = true;
            return;
        }
        const auto& section = *kinds[*number].section;
        auto& value = std::invoke(member, owner);
        value = section.blank();
        section.read(problems, node, value);
    };
    auto write = [name, member, kinds](YamlWriter& out, const Owner& owner) {
        const auto& value = std::invoke(member, owner);
        for (const auto& kind : kinds)
            if (kind.is(value)) out.section(name, false, [&] { kind.section->write(out, value); });
    };
    return {std::move(facts), std::move(read), std::move(write)};
}

// The keys of one alternative of a variant, as keys of the variant.
template <class Variant, class Alternative>
[[nodiscard]] std::vector<Key<Variant>> keys_of_variant(std::vector<Key<Alternative>> keys) {
    std::vector<Key<Variant>> lifted;
    lifted.reserve(keys.size());
    for (auto& key : keys)
        lifted.push_back(
            {std::move(key.facts),
             [read = std::move(key.read)](Problems& problems, const Node& node, Variant& value) {
                 read(problems, node, std::get<Alternative>(value));
             },
             [write = std::move(key.write)](YamlWriter& out, const Variant& value) {
                 write(out, std::get<Alternative>(value));
             },
             [apply = std::move(key.apply_default)](Variant& value) { apply(std::get<Alternative>(value)); }});
    return lifted;
}

}  // namespace pgbakd::config
