#include "config/dump_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/pg_dump_options.hpp"
#include "config/text_check.hpp"
#include "config/types.hpp"

namespace pgbakd::config {
namespace {

constexpr std::string_view no_prompt = "pgbakd answers for passwords itself: see the key password of the server";

std::vector<std::string> words_of(const Node& list) {
    std::vector<std::string> words;
    words.reserve(list.children.size());
    for (const auto& item : list.children) words.push_back(item.text);
    return words;
}

void check_known(Problems& problems, const Node& item, const OptionUse& use) {
    const auto& option = *use.meanings.front();
    const auto spelling =
        use.abbreviated ? fmt::format("{} (short for --{})", excerpt(use.spelling), option.name) : use.spelling;
    if (option.rule == OptionRule::owned)
        problems.error(item, fmt::format("{} is not the administrator's to set", spelling), std::string(option.hint));
    if (option.rule == OptionRule::partial)
        problems.warning(item,
                         fmt::format("{} leaves a part out: such a set cannot restore a database alone", spelling),
                         "keep another job that dumps all of it");
}

void check_unknown(Problems& problems, const Node& item, const OptionUse& use) {
    std::vector<std::string> names;
    for (const auto& option : dump_options_known())
        if (option.rule != OptionRule::owned) names.push_back(fmt::format("--{}", option.name));
    auto hint = did_you_mean(use.spelling, names);
    problems.warning(item, fmt::format("{} is no option of pg_dump known to pgbakd", excerpt(use.spelling)),
                     hint.empty() ? "pg_dump itself decides when the job runs" : hint);
}

void check_use(Problems& problems, const Node& item, const OptionUse& use) {
    switch (use.kind) {
        case OptionUse::Kind::known: return check_known(problems, item, use);
        case OptionUse::Kind::unknown: return check_unknown(problems, item, use);
        case OptionUse::Kind::unknown_letter:
            return problems.error(item, fmt::format("\"-{}\" is no option of pg_dump", excerpt(use.spelling)),
                                  "long options begin with two dashes");
        case OptionUse::Kind::no_option:
            return problems.error(item, fmt::format("\"{}\" is not an option", excerpt(use.spelling)),
                                  "options begin with \"-\"; databases are named by the key databases");
        case OptionUse::Kind::value_missing:
            return problems.error(item, fmt::format("{} needs a value", use.spelling),
                                  "write it into the same element: [\"--exclude-table-data=audit_log\"]");
    }
}

}  // namespace

void check_dump_options(Problems& problems, const Node& list) {
    for (const auto& item : list.children)
        // argv can be read by everybody.
        if (!item.refused && carries_password(item.text))
            problems.error(item, "a password in an option: everybody on the host can see options",
                           std::string(no_prompt));
    for (const auto& use : read_options(words_of(list))) {
        const auto& item = list.children[use.word];
        if (!item.refused) check_use(problems, item, use);
    }
}

void check_options_of_format(Problems& problems, const Node& list, model::DumpFormat format) {
    for (const auto& use : read_options(words_of(list))) {
        const auto& item = list.children[use.word];
        if (item.refused || use.meanings.empty()) continue;
        if (use.meanings.front()->effect != OptionEffect::makes_database) continue;
        if (format == model::DumpFormat::plain)
            problems.error(item, fmt::format("{} makes SQL that a set is not restored by", excerpt(use.spelling)),
                           "remove it: a set's commands make the database themselves, with all its properties");
        else
            problems.warning(item, fmt::format("{} does nothing in this format", excerpt(use.spelling)),
                             "remove it: pg_restore has such options of its own");
    }
}

}  // namespace pgbakd::config
