#include "config/pg_dump_options.hpp"

#include <algorithm>
#include <array>

namespace pgbakd::config {
namespace {

constexpr std::string_view use_server = "it follows from the server: see its entry of servers";
constexpr std::string_view use_databases = "name databases by the key databases";
constexpr std::string_view no_prompt = "pgbakd answers for passwords itself: see the key password of the server";
constexpr std::string_view own = "pgbakd sets it itself: remove it";

constexpr std::array options{
    DumpOption{"file", 'f', OptionValue::needed, OptionRule::owned, OptionEffect::none, own},
    DumpOption{"format", 'F', OptionValue::needed, OptionRule::owned, OptionEffect::none, "use the key format"},
    DumpOption{"compress", 'Z', OptionValue::needed, OptionRule::owned, OptionEffect::none,
               "use the job's key compression"},
    DumpOption{"jobs", 'j', OptionValue::needed, OptionRule::owned, OptionEffect::none, "use the key jobs"},
    DumpOption{"dbname", 'd', OptionValue::needed, OptionRule::owned, OptionEffect::none, use_databases},
    DumpOption{"host", 'h', OptionValue::needed, OptionRule::owned, OptionEffect::none, use_server},
    DumpOption{"port", 'p', OptionValue::needed, OptionRule::owned, OptionEffect::none, use_server},
    DumpOption{"username", 'U', OptionValue::needed, OptionRule::owned, OptionEffect::none, use_server},
    DumpOption{"password", 'W', OptionValue::none, OptionRule::owned, OptionEffect::none, no_prompt},
    DumpOption{"no-password", 'w', OptionValue::none, OptionRule::owned, OptionEffect::none, no_prompt},
    DumpOption{"snapshot", 0, OptionValue::needed, OptionRule::owned, OptionEffect::none, own},
    DumpOption{"lock-wait-timeout", 0, OptionValue::needed, OptionRule::owned, OptionEffect::none,
               "use the key lock_wait_timeout"},
    DumpOption{"version", 'V', OptionValue::none, OptionRule::owned, OptionEffect::none, "it dumps nothing: remove it"},
    DumpOption{"help", '?', OptionValue::none, OptionRule::owned, OptionEffect::none, "it dumps nothing: remove it"},

    DumpOption{"data-only", 'a', OptionValue::none, OptionRule::partial, OptionEffect::none, {}},
    DumpOption{"schema-only", 's', OptionValue::none, OptionRule::partial, OptionEffect::chooses_data, {}},
    DumpOption{"statistics-only", 0, OptionValue::none, OptionRule::partial, OptionEffect::chooses_data, {}},
    DumpOption{"no-data", 0, OptionValue::none, OptionRule::partial, OptionEffect::chooses_data, {}},
    DumpOption{"no-schema", 0, OptionValue::none, OptionRule::partial, OptionEffect::none, {}},
    DumpOption{"section", 0, OptionValue::needed, OptionRule::partial, OptionEffect::chooses_data, {}},

    DumpOption{"attribute-inserts", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"binary-upgrade", 0, OptionValue::none, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"blobs", 'b', OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"clean", 'c', OptionValue::none, OptionRule::free, OptionEffect::makes_database, {}},
    DumpOption{"column-inserts", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"create", 'C', OptionValue::none, OptionRule::free, OptionEffect::makes_database, {}},
    DumpOption{"disable-dollar-quoting", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"disable-triggers", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"enable-row-security", 0, OptionValue::none, OptionRule::free, OptionEffect::row_security, {}},
    DumpOption{"encoding", 'E', OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"exclude-extension", 0, OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"exclude-schema", 'N', OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"exclude-table", 'T', OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"exclude-table-and-children", 0, OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"exclude-table-data", 0, OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{
        "exclude-table-data-and-children", 0, OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"extension", 'e', OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"extra-float-digits", 0, OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"filter", 0, OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"if-exists", 0, OptionValue::none, OptionRule::free, OptionEffect::makes_database, {}},
    DumpOption{"include-foreign-data", 0, OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"inserts", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"large-objects", 'b', OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"load-via-partition-root", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-acl", 'x', OptionValue::none, OptionRule::free, OptionEffect::no_privileges, {}},
    DumpOption{"no-blobs", 'B', OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-comments", 0, OptionValue::none, OptionRule::free, OptionEffect::no_comments, {}},
    DumpOption{"no-large-objects", 'B', OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-owner", 'O', OptionValue::none, OptionRule::free, OptionEffect::no_owner, {}},
    DumpOption{"no-policies", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-privileges", 'x', OptionValue::none, OptionRule::free, OptionEffect::no_privileges, {}},
    DumpOption{"no-publications", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-reconnect", 'R', OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-security-labels", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-statistics", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-subscriptions", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-sync", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-synchronized-snapshots", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-table-access-method", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-tablespaces", 0, OptionValue::none, OptionRule::free, OptionEffect::no_tablespaces, {}},
    DumpOption{"no-toast-compression", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"no-unlogged-table-data", 0, OptionValue::none, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"on-conflict-do-nothing", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"quote-all-identifiers", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"restrict-key", 0, OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"role", 0, OptionValue::needed, OptionRule::free, OptionEffect::takes_role, {}},
    DumpOption{"rows-per-insert", 0, OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"schema", 'n', OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"sequence-data", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"serializable-deferrable", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"statistics", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"strict-names", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"superuser", 'S', OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"sync-method", 0, OptionValue::needed, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"table", 't', OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"table-and-children", 0, OptionValue::needed, OptionRule::free, OptionEffect::chooses_data, {}},
    DumpOption{"use-set-session-authorization", 0, OptionValue::none, OptionRule::free, OptionEffect::none, {}},
    DumpOption{"verbose", 'v', OptionValue::none, OptionRule::free, OptionEffect::verbose, {}},
};

class Reader {
  public:
    explicit Reader(std::span<const std::string> words) : words_(words) {}

    std::vector<OptionUse> read() {
        while (next_ < words_.size()) {
            const std::string_view word = words_[next_++];
            if (word.starts_with("--") && word.size() > 2)
                read_long(word.substr(2));
            else if (word.starts_with('-') && word.size() > 1 && word != "--")
                read_cluster(word.substr(1));
            else
                add(OptionUse::Kind::no_option, std::string(word), {});
        }
        return std::move(uses_);
    }

  private:
    OptionUse& add(OptionUse::Kind kind, std::string spelling, std::vector<const DumpOption*> meanings) {
        uses_.push_back({kind, next_ - 1, std::move(spelling), std::move(meanings), false, {}});
        return uses_.back();
    }

    void take_next_word(OptionUse& use) {
        if (next_ < words_.size())
            use.value = words_[next_++];
        else
            add(OptionUse::Kind::value_missing,
                use.abbreviated ? "--" + std::string(use.meanings.front()->name) : use.spelling, {});
    }

    void read_long(std::string_view text) {
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        std::vector<const DumpOption*> meanings;
        for (const auto& option : options)
            if (option.name == name) meanings = {&option};
        const bool exact = !meanings.empty();
        if (!exact && !name.empty())
            for (const auto& option : options)
                if (option.name.starts_with(name)) meanings.push_back(&option);
        const auto spelling = "--" + std::string(name);
        if (meanings.empty()) {
            add(OptionUse::Kind::unknown, spelling, {});
            return;
        }
        const bool needs_value = meanings.front()->value == OptionValue::needed;
        auto& use = add(OptionUse::Kind::known, spelling, std::move(meanings));
        use.abbreviated = !exact;
        if (equals != std::string_view::npos)
            use.value = text.substr(equals + 1);
        else if (needs_value)
            take_next_word(use);
    }

    void read_cluster(std::string_view letters) {
        while (!letters.empty()) {
            const char letter = letters.front();
            letters.remove_prefix(1);
            if (letter == 'X') continue;  // accepted and ignored by old versions
            const auto* found = std::find_if(options.begin(), options.end(),
                                             [letter](const DumpOption& option) { return option.letter == letter; });
            if (found == options.end()) {
                add(OptionUse::Kind::unknown_letter, std::string(1, letter), {});
                return;
            }
            auto& use = add(OptionUse::Kind::known, std::string("-") + letter, {found});
            if (found->value == OptionValue::none) continue;
            if (letters.empty())
                take_next_word(use);
            else
                use.value = letters;
            return;
        }
    }

    std::span<const std::string> words_;
    std::size_t next_ = 0;
    std::vector<OptionUse> uses_;
};

void apply(DumpTraits& traits, OptionEffect effect, const std::string& value) {
    switch (effect) {
        case OptionEffect::none:
        case OptionEffect::makes_database: break;
        case OptionEffect::chooses_data: traits.chooses_data = true; break;
        case OptionEffect::takes_role: traits.role = value; break;
        case OptionEffect::row_security: traits.row_security = true; break;
        case OptionEffect::no_owner: traits.with_owner = false; break;
        case OptionEffect::no_privileges: traits.with_privileges = false; break;
        case OptionEffect::no_comments: traits.with_comments = false; break;
        case OptionEffect::no_tablespaces: traits.with_tablespaces = false; break;
        case OptionEffect::verbose: traits.verbose = true; break;
    }
}

}  // namespace

std::span<const DumpOption> dump_options_known() noexcept {
    return options;
}

std::vector<OptionUse> read_options(std::span<const std::string> words) {
    return Reader(words).read();
}

DumpTraits dump_traits(std::span<const std::string> words) {
    DumpTraits traits;
    for (const auto& use : read_options(words)) {
        if (use.kind == OptionUse::Kind::unknown) traits.chooses_data = true;
        // pg_dump refuses what could mean two of its options, so where there are several only a newer version has them
        // all. Whatever may leave rows out counts; the rest only if there is no doubt.
        for (const auto* option : use.meanings)
            if (use.meanings.size() == 1 || option->effect == OptionEffect::chooses_data)
                apply(traits, option->effect, use.value);
    }
    return traits;
}

}  // namespace pgbakd::config
