#include "config/dump_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "config/text_check.hpp"
#include "config/types.hpp"

namespace pgbakd::config {
namespace {

enum class Rule {
    free,     // the administrator's business
    owned,    // pgbakd sets it or depends on its default
    partial,  // allowed, but what comes out is no whole database
};
enum class Value { none, needed };

struct Option {
    std::string_view name;
    char letter;  // 0: no short form
    Value value;
    Rule rule;
    std::string_view hint;
};

constexpr std::string_view use_server = "it follows from the server: see its entry of servers";
constexpr std::string_view use_databases = "name databases by the key databases";
constexpr std::string_view no_prompt = "pgbakd answers for passwords itself: see the key password of the server";
constexpr std::string_view own = "pgbakd sets it itself: remove it";

// pg_dump's options, of all its versions from 12 to 18 (src/bin/pg_dump/pg_dump.c).
constexpr std::array options{
    Option{"file", 'f', Value::needed, Rule::owned, own},
    Option{"format", 'F', Value::needed, Rule::owned, "use the key format"},
    Option{"compress", 'Z', Value::needed, Rule::owned, "use the job's key compression"},
    Option{"jobs", 'j', Value::needed, Rule::owned, "use the key jobs"},
    Option{"dbname", 'd', Value::needed, Rule::owned, use_databases},
    Option{"host", 'h', Value::needed, Rule::owned, use_server},
    Option{"port", 'p', Value::needed, Rule::owned, use_server},
    Option{"username", 'U', Value::needed, Rule::owned, use_server},
    Option{"password", 'W', Value::none, Rule::owned, no_prompt},
    Option{"no-password", 'w', Value::none, Rule::owned, no_prompt},
    Option{"snapshot", 0, Value::needed, Rule::owned, own},
    Option{"lock-wait-timeout", 0, Value::needed, Rule::owned, "use the key lock_wait_timeout"},
    Option{"version", 'V', Value::none, Rule::owned, "it dumps nothing: remove it"},
    Option{"help", '?', Value::none, Rule::owned, "it dumps nothing: remove it"},

    Option{"data-only", 'a', Value::none, Rule::partial, {}},
    Option{"schema-only", 's', Value::none, Rule::partial, {}},
    Option{"statistics-only", 0, Value::none, Rule::partial, {}},
    Option{"no-data", 0, Value::none, Rule::partial, {}},
    Option{"no-schema", 0, Value::none, Rule::partial, {}},
    Option{"section", 0, Value::needed, Rule::partial, {}},

    Option{"attribute-inserts", 0, Value::none, Rule::free, {}},
    Option{"binary-upgrade", 0, Value::none, Rule::free, {}},
    Option{"blobs", 'b', Value::none, Rule::free, {}},
    Option{"clean", 'c', Value::none, Rule::free, {}},
    Option{"column-inserts", 0, Value::none, Rule::free, {}},
    Option{"create", 'C', Value::none, Rule::free, {}},
    Option{"disable-dollar-quoting", 0, Value::none, Rule::free, {}},
    Option{"disable-triggers", 0, Value::none, Rule::free, {}},
    Option{"enable-row-security", 0, Value::none, Rule::free, {}},
    Option{"encoding", 'E', Value::needed, Rule::free, {}},
    Option{"exclude-extension", 0, Value::needed, Rule::free, {}},
    Option{"exclude-schema", 'N', Value::needed, Rule::free, {}},
    Option{"exclude-table", 'T', Value::needed, Rule::free, {}},
    Option{"exclude-table-and-children", 0, Value::needed, Rule::free, {}},
    Option{"exclude-table-data", 0, Value::needed, Rule::free, {}},
    Option{"exclude-table-data-and-children", 0, Value::needed, Rule::free, {}},
    Option{"extension", 'e', Value::needed, Rule::free, {}},
    Option{"extra-float-digits", 0, Value::needed, Rule::free, {}},
    Option{"filter", 0, Value::needed, Rule::free, {}},
    Option{"if-exists", 0, Value::none, Rule::free, {}},
    Option{"include-foreign-data", 0, Value::needed, Rule::free, {}},
    Option{"inserts", 0, Value::none, Rule::free, {}},
    Option{"large-objects", 'b', Value::none, Rule::free, {}},
    Option{"load-via-partition-root", 0, Value::none, Rule::free, {}},
    Option{"no-acl", 'x', Value::none, Rule::free, {}},
    Option{"no-blobs", 'B', Value::none, Rule::free, {}},
    Option{"no-comments", 0, Value::none, Rule::free, {}},
    Option{"no-large-objects", 'B', Value::none, Rule::free, {}},
    Option{"no-owner", 'O', Value::none, Rule::free, {}},
    Option{"no-policies", 0, Value::none, Rule::free, {}},
    Option{"no-privileges", 'x', Value::none, Rule::free, {}},
    Option{"no-publications", 0, Value::none, Rule::free, {}},
    Option{"no-reconnect", 'R', Value::none, Rule::free, {}},
    Option{"no-security-labels", 0, Value::none, Rule::free, {}},
    Option{"no-statistics", 0, Value::none, Rule::free, {}},
    Option{"no-subscriptions", 0, Value::none, Rule::free, {}},
    Option{"no-sync", 0, Value::none, Rule::free, {}},
    Option{"no-synchronized-snapshots", 0, Value::none, Rule::free, {}},
    Option{"no-table-access-method", 0, Value::none, Rule::free, {}},
    Option{"no-tablespaces", 0, Value::none, Rule::free, {}},
    Option{"no-toast-compression", 0, Value::none, Rule::free, {}},
    Option{"no-unlogged-table-data", 0, Value::none, Rule::free, {}},
    Option{"on-conflict-do-nothing", 0, Value::none, Rule::free, {}},
    Option{"quote-all-identifiers", 0, Value::none, Rule::free, {}},
    Option{"restrict-key", 0, Value::needed, Rule::free, {}},
    Option{"role", 0, Value::needed, Rule::free, {}},
    Option{"rows-per-insert", 0, Value::needed, Rule::free, {}},
    Option{"schema", 'n', Value::needed, Rule::free, {}},
    Option{"sequence-data", 0, Value::none, Rule::free, {}},
    Option{"serializable-deferrable", 0, Value::none, Rule::free, {}},
    Option{"statistics", 0, Value::none, Rule::free, {}},
    Option{"strict-names", 0, Value::none, Rule::free, {}},
    Option{"superuser", 'S', Value::needed, Rule::free, {}},
    Option{"sync-method", 0, Value::needed, Rule::free, {}},
    Option{"table", 't', Value::needed, Rule::free, {}},
    Option{"table-and-children", 0, Value::needed, Rule::free, {}},
    Option{"use-set-session-authorization", 0, Value::none, Rule::free, {}},
    Option{"verbose", 'v', Value::none, Rule::free, {}},
};

class OptionReader {
  public:
    explicit OptionReader(Problems& problems) : problems_(problems) {}

    void read(const Node& list) {
        for (const auto& item : list.children) {
            if (item.refused) {
                value_expected_by_ = {};
                continue;
            }
            const auto& word = item.text;
            if (carries_password(word)) {
                // argv can be read by everybody.
                problems_.error(item, "a password in an option: everybody on the host can see options",
                                std::string(no_prompt));
                value_expected_by_ = {};
            } else if (!value_expected_by_.empty()) {
                value_expected_by_ = {};
            } else if (word.starts_with("--") && word.size() > 2) {
                read_long(item, std::string_view(word).substr(2));
            } else if (word.starts_with('-') && word.size() > 1 && word != "--") {
                read_cluster(item, std::string_view(word).substr(1));
            } else {
                problems_.error(item, fmt::format("\"{}\" is not an option", excerpt(word)),
                                "options begin with \"-\"; databases are named by the key databases");
            }
            last_ = &item;
        }
        if (!value_expected_by_.empty() && last_ != nullptr)
            problems_.error(*last_, fmt::format("{} needs a value", value_expected_by_),
                            "write it into the same element: [\"--exclude-table-data=audit_log\"]");
    }

  private:
    void apply(const Node& item, const Option& option, const std::string& spelling) {
        if (option.rule == Rule::owned)
            problems_.error(item, fmt::format("{} is not the administrator's to set", spelling),
                            std::string(option.hint));
        if (option.rule == Rule::partial)
            problems_.warning(item,
                              fmt::format("{} leaves a part out: such a set cannot restore a database alone", spelling),
                              "keep another job that dumps all of it");
    }

    void read_long(const Node& item, std::string_view text) {
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        const bool has_value = equals != std::string_view::npos;
        const auto is_exact = [name](const Option& option) { return option.name == name; };
        // getopt_long takes any unambiguous beginning. Which is unambiguous depends on pg_dump's version, so an
        // abbreviation that could mean an option of ours counts as that one.
        const auto is_abbreviated = [name](const Option& option) { return option.name.starts_with(name); };
        const auto* found = std::find_if(options.begin(), options.end(), is_exact);
        const bool exact = found != options.end();
        if (!exact && !name.empty()) found = std::find_if(options.begin(), options.end(), is_abbreviated);
        if (found == options.end() || name.empty()) return unknown(item, name);
        apply(item, *found,
              exact ? fmt::format("--{}", name) : fmt::format("--{} (short for --{})", excerpt(name), found->name));
        if (found->value == Value::needed && !has_value) value_expected_by_ = fmt::format("--{}", found->name);
    }

    void unknown(const Node& item, std::string_view name) {
        std::vector<std::string> names;
        for (const auto& option : options)
            if (option.rule != Rule::owned) names.push_back(fmt::format("--{}", option.name));
        auto hint = did_you_mean(fmt::format("--{}", name), names);
        problems_.warning(item, fmt::format("--{} is no option of pg_dump known to pgbakd", excerpt(name)),
                          hint.empty() ? "pg_dump itself decides when the job runs" : hint);
    }

    void read_cluster(const Node& item, std::string_view letters) {
        while (!letters.empty()) {
            const char letter = letters.front();
            letters.remove_prefix(1);
            const auto* found = std::find_if(options.begin(), options.end(),
                                             [letter](const Option& option) { return option.letter == letter; });
            if (letter == 'X') continue;  // -X: accepted and ignored by old versions
            if (found == options.end())
                return problems_.error(item, fmt::format("\"-{}\" is no option of pg_dump", excerpt({&letter, 1})),
                                       "long options begin with two dashes");
            apply(item, *found, fmt::format("-{}", letter));
            if (found->value == Value::none) continue;
            if (letters.empty()) value_expected_by_ = fmt::format("-{}", letter);
            return;
        }
    }

    Problems& problems_;
    std::string value_expected_by_;  // the option whose value is the next element; empty: none
    const Node* last_ = nullptr;
};

}  // namespace

void check_dump_options(Problems& problems, const Node& list) {
    OptionReader(problems).read(list);
}

}  // namespace pgbakd::config
