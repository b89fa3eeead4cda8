// completion: scripts for shells, made from the table of verbs; and the names that those scripts ask for.
#include <fmt/format.h>

#include "admin/completion.hpp"
#include "admin/configuration.hpp"
#include "admin/verbs.hpp"
#include "base/text.hpp"
#include "model/run.hpp"
#include "repository/repository.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::string_view statuses = "SUCCESS WARNING FAILED SKIPPED CANCELLED INTERRUPTED RUNNING";
constexpr std::string_view shells = "bash zsh fish";

// "-n --number"
std::string words_of(const Flag& flag) {
    auto text = flag.spelling;
    for (auto& c : text)
        if (c == ',') c = ' ';
    return text;
}

std::string flags_of(const std::vector<Flag>& flags) {
    std::vector<std::string> words;
    words.reserve(flags.size());
    for (const auto& flag : flags) words.push_back(words_of(flag));
    return base::join(words, " ");
}

// The words themselves, or a command substitution that yields them: `before` and `behind` a kind of names. Empty:
// files.
std::string choices_of(Values values, std::string_view before, std::string_view behind) {
    const auto asked = [&](std::string_view kind) { return fmt::format("{}{}{}", before, kind, behind); };
    switch (values) {
        case Values::jobs: return asked("jobs");
        case Values::sets: return asked("sets");
        case Values::runs: return asked("runs");
        case Values::targets: return asked("targets");
        case Values::channels: return asked("channels");
        case Values::zones: return asked("zones");
        case Values::statuses: return std::string(statuses);
        case Values::shells: return std::string(shells);
        case Values::files:
        case Values::anything: break;
    }
    return {};
}

// The configuration that stands on the line is the one whose jobs are meant.
std::string bash_choices(Values values) {
    return choices_of(values, "$(pgbakctl \"${config[@]}\" names ", " 2>/dev/null)");
}

std::string fish_choices(Values values) {
    return choices_of(values, "(__pgbakctl_names ", ")");
}

std::vector<const Verb*> shown_verbs() {
    std::vector<const Verb*> result;
    for (const auto& verb : verbs())
        if (!verb.hidden) result.push_back(&verb);
    return result;
}

std::string verb_words() {
    std::vector<std::string> names;
    for (const auto* verb : shown_verbs()) names.push_back(verb->name);
    return base::join(names, " ");
}

// The cases of one `case $previous` over all flags with a value.
std::string bash_values() {
    std::string text;
    const auto add = [&text](const Flag& flag) {
        if (flag.value.empty()) return;
        auto pattern = flag.spelling;
        if (const auto comma = pattern.find(','); comma != std::string::npos) pattern[comma] = '|';
        const auto names = bash_choices(flag.values);
        if (flag.values == Values::files)
            text += fmt::format("        {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", pattern);
        else
            text +=
                fmt::format("        {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")); return ;;\n", pattern, names);
    };
    for (const auto& flag : global_flags()) add(flag);
    for (const auto* verb : shown_verbs())
        for (const auto& flag : verb->flags) add(flag);
    return text;
}

std::string bash_script() {
    std::string cases;
    for (const auto* verb : shown_verbs()) {
        const auto names = verb->positionals.empty() ? "" : bash_choices(verb->positionals.front().values);
        cases += fmt::format("        {}) choices=\"{}\"; flags=\"{}\" ;;\n", verb->name, names, flags_of(verb->flags));
    }
    return fmt::format(R"(# bash completion for pgbakctl: source <(pgbakctl completion bash)
_pgbakctl() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} previous="" verb="" choices="" flags="" each config=()
    COMPREPLY=()
    [[ $word == = ]] && word=""
    for each in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
        [[ $each == = ]] && continue
        [[ $previous == --config ]] && config=(--config "$each")
        [[ -z $verb && $previous != --config ]] && case " {verbs} " in *" $each "*) verb=$each ;; esac
        previous=$each
    done
    case $previous in
{values}    esac
    case $verb in
        "") choices="{verbs}" ;;
{cases}    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$flags {globals} --help" -- "$word"))
    else
        COMPREPLY=($(compgen -W "$choices" -- "$word"))
        [[ $verb == verify ]] && COMPREPLY+=($(compgen -f -- "$word"))
    fi
    return 0
}}
complete -F _pgbakctl pgbakctl
)",
                       fmt::arg("values", bash_values()), fmt::arg("verbs", verb_words()), fmt::arg("cases", cases),
                       fmt::arg("globals", flags_of(global_flags())));
}

// zsh runs bash's: one script to keep right. It must not use the names of zsh's own variables, such as `words`.
std::string zsh_script() {
    return "#compdef pgbakctl\n# zsh completion for pgbakctl: source <(pgbakctl completion zsh)\n"
           "autoload -U +X bashcompinit && bashcompinit\n" +
           bash_script() +
           // Found along fpath, the file is the function of its name, and runs when somebody has pressed tab already.
           "[[ ${funcstack[1]} == _pgbakctl ]] && _bash_complete -F _pgbakctl\n";
}

std::string shell_quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') result += '\\';
        result += c;
    }
    return result + "'";
}

std::string fish_flag(const Flag& flag, const std::string& condition) {
    std::string line = "complete -c pgbakctl" + condition;
    for (const auto word : base::split(flag.spelling, ','))
        line += word.starts_with("--") ? fmt::format(" -l {}", word.substr(2)) : fmt::format(" -s {}", word.substr(1));
    const auto names = fish_choices(flag.values);
    if (!flag.value.empty()) line += flag.values == Values::files ? " -r -F" : " -x";
    if (!names.empty()) line += fmt::format(" -a {}", shell_quoted(names));
    return line + fmt::format(" -d {}\n", shell_quoted(flag.help));
}

std::string fish_script() {
    std::string text = R"(# fish completion for pgbakctl: pgbakctl completion fish | source
function __pgbakctl_names
    set -l config
    set -l previous
    for each in (commandline -opc)
        string match -q -- '--config=*' $each; and set config $each
        test "$previous" = --config; and set config --config $each
        set previous $each
    end
    pgbakctl $config names $argv 2>/dev/null
end
complete -c pgbakctl -f
)";
    for (const auto& flag : global_flags()) text += fish_flag(flag, "");
    const auto no_verb = fmt::format(" -n 'not __fish_seen_subcommand_from {}'", verb_words());
    for (const auto* verb : shown_verbs()) {
        text += fmt::format("complete -c pgbakctl{} -a {} -d {}\n", no_verb, verb->name, shell_quoted(verb->summary));
        const auto seen = fmt::format(" -n '__fish_seen_subcommand_from {}'", verb->name);
        for (const auto& flag : verb->flags) text += fish_flag(flag, seen);
        if (verb->positionals.empty()) continue;
        text += fmt::format("complete -c pgbakctl{}{} -a {}\n", seen, verb->name == "verify" ? " -F" : "",
                            shell_quoted(fish_choices(verb->positionals.front().values)));
    }
    return text;
}

}  // namespace

std::string completion_script(std::string_view shell) {
    if (shell == "bash") return bash_script();
    if (shell == "zsh") return zsh_script();
    if (shell == "fish") return fish_script();
    throw usage_error(fmt::format("no completion for \"{}\"", base::printable(base::clamp_utf8(shell, 40))),
                      "there is one for bash, zsh and fish");
}

ExitCode perform_completion(Context& context, const Arguments& arguments) {
    context.out << completion_script(arguments.text("SHELL"));
    return ExitCode::good;
}

// Silent about everything that is wrong: a completion must not print into what is being typed.
ExitCode perform_names(Context& context, const Arguments& arguments) {
    const auto& kind = arguments.text("KIND");
    if (kind == "zones")
        for (const auto& name : context.around.zones.names()) context.out << name << '\n';
    const auto config = load_if_valid(context);
    if (!config) return ExitCode::good;
    if (kind == "jobs" || kind == "runs")
        for (const auto& job : config->jobs) context.out << job->name << '\n';
    if (kind == "targets")
        for (const auto& [name, target] : config->targets) context.out << name << '\n';
    if (kind == "channels")
        for (const auto& [name, channel] : config->channels) context.out << name << '\n';
    if (kind == "sets") {
        for (const auto& job : config->jobs) context.out << job->name << "/latest\n";
        try {
            for (const auto& id : repository::Repository(config->repository.directory).ids())
                context.out << id.text() << '\n';
        } catch (const base::Error&) {
            return ExitCode::good;
        }
    }
    return ExitCode::good;
}

}  // namespace pgbakd::admin
