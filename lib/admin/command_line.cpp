#include "admin/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "base/text.hpp"

namespace pgbakd::admin {
namespace {

// Where CLI11 puts what it reads, for one verb or for the program.
struct Slots {
    std::map<std::string, std::string> values;
    std::map<std::string, bool> switches;
    std::map<std::string, CLI::Option*> options;
};

void add_flags(CLI::App& app, const std::vector<Flag>& flags, Slots& slots) {
    for (const auto& flag : flags) {
        const auto name = flag.name();
        slots.options[name] =
            flag.value.empty()
                ? app.add_flag(flag.spelling, slots.switches[name], flag.help)
                : app.add_option(flag.spelling, slots.values[name], flag.help)->type_name(flag.value)->take_last();
    }
}

void add_positionals(CLI::App& app, const Verb& verb, Slots& slots) {
    for (const auto& positional : verb.positionals) {
        auto* option = app.add_option(positional.name, slots.values[positional.name], positional.help);
        option->type_name("")->required(positional.required);
        slots.options[positional.name] = option;
    }
}

bool given(const Slots& slots, const std::string& name) {
    return slots.options.at(name)->count() > 0;
}

Arguments take_arguments(const Slots& slots) {
    Arguments arguments;
    for (const auto& [name, option] : slots.options) {
        if (option->count() == 0) continue;
        const auto value = slots.values.find(name);
        arguments.put(name, value == slots.values.end() ? std::string() : value->second);
    }
    return arguments;
}

std::vector<std::string> verb_names() {
    std::vector<std::string> names;
    for (const auto& verb : verbs())
        if (!verb.hidden) names.push_back(verb.name);
    return names;
}

// The first word that should have been a verb and is none.
std::optional<std::string> unknown_verb(const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto& word = arguments[i];
        const auto& flags = global_flags();
        const bool takes_value = std::any_of(flags.begin(), flags.end(), [&word](const Flag& flag) {
            return flag.spelling == word && !flag.value.empty();
        });
        if (takes_value) ++i;
        if (takes_value || word.starts_with("-")) continue;
        return find_verb(word) == nullptr ? std::optional(word) : std::nullopt;
    }
    return std::nullopt;
}

// CLI11 writes "A subcommand is required": here messages are facts in lower case.
std::string as_fact(std::string text) {
    text = base::printable(base::trim(text.substr(0, text.find('\n'))));
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
}

Failure explain(const CLI::ParseError& error, const std::vector<std::string>& arguments, const std::string& verb) {
    if (const auto word = unknown_verb(arguments)) {
        const auto near = base::closest(*word, verb_names());
        return usage_error(fmt::format("\"{}\" is no verb of pgbakctl", base::printable(base::clamp_utf8(*word, 60))),
                           near ? fmt::format("did you mean {}?", *near) : "pgbakctl --help lists the verbs");
    }
    return usage_error(as_fact(error.what()),
                       verb.empty() ? "see pgbakctl --help" : fmt::format("see pgbakctl {} --help", verb));
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    CLI::App app("Administers pgbakd, the resident backup daemon for PostgreSQL hosts.", "pgbakctl");
    app.set_help_flag("-h,--help", "print help and exit");
    app.get_formatter()->label("SUBCOMMAND", "VERB");
    app.get_formatter()->label("Subcommands", "Verbs");
    app.get_formatter()->column_width(24);
    app.footer("pgbakctl VERB --help tells more of a verb.");
    bool version = false;
    app.add_flag("--version", version, "print the version and exit");
    Slots global;
    add_flags(app, global_flags(), global);
    app.require_subcommand(0, 1);

    std::map<const Verb*, std::unique_ptr<Slots>> slots;
    for (const auto& verb : verbs()) {
        auto* sub = app.add_subcommand(verb.name, verb.summary);
        sub->fallthrough();
        sub->footer("Besides: --config FILE, --socket FILE, --json, as with every verb.");
        if (verb.hidden) sub->group("");
        auto& own = *(slots[&verb] = std::make_unique<Slots>());
        add_positionals(*sub, verb, own);
        add_flags(*sub, verb.flags, own);
    }

    const auto parsed_verb = [&app] {
        const auto subs = app.get_subcommands();
        return subs.empty() ? std::string() : subs.front()->get_name();
    };
    CommandLine result;
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
        result.text = app.help();
        return result;
    } catch (const CLI::ParseError& error) {
        throw explain(error, arguments, parsed_verb());
    }
    if (version) {
        result.text = "pgbakctl " PGBAKD_VERSION "\n";
        return result;
    }
    result.verb = find_verb(parsed_verb());
    if (result.verb == nullptr) throw usage_error("no verb is given", "pgbakctl --help lists the verbs");
    result.arguments = take_arguments(*slots.at(result.verb));
    result.json = global.switches["--json"];
    if (given(global, "--config")) result.config = global.values["--config"];
    if (given(global, "--socket")) result.socket = global.values["--socket"];
    return result;
}

}  // namespace pgbakd::admin
