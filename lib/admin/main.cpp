#include "admin/main.hpp"

#include <csignal>

#include "admin/command_line.hpp"
#include "admin/configuration.hpp"
#include "admin/interrupted.hpp"
#include "admin/output.hpp"
#include "admin/verbs.hpp"
#include "host/configuration.hpp"

namespace pgbakd::admin {
namespace {

Context make_context(Surroundings& around) {
    Context context{.around = around, .out = around.out, .err = around.err, .config_file = {}, .socket = {}};
    const auto no_colour = around.environment ? around.environment("NO_COLOR") : std::nullopt;
    context.colour = around.out_is_terminal && (!no_colour || no_colour->empty());
    context.progress = around.err_is_terminal;
    context.config_file = host::default_configuration;
    return context;
}

// Where the file is too broken to tell the control socket's path, the default was tried: then it is the file that wants
// mending, and what is wrong with it can be told without the daemon.
ExitCode perform_verb(Context& context, const CommandLine& command) {
    try {
        return command.verb->perform(context, command.arguments);
    } catch (const Failure& failure) {
        if (failure.exit() == ExitCode::unreachable && context.socket_is_a_guess) (void)load(context);
        throw;
    }
}

ExitCode perform(Context& context, const std::vector<std::string>& arguments) {
    try {
        const auto command = parse_command_line(arguments);
        if (command.verb == nullptr) {
            context.out << command.text;
            return ExitCode::good;
        }
        context.json = command.json;
        if (command.json) context.colour = false;
        if (command.config && command.config->empty())
            throw base::Error(base::ErrorCode::invalid_argument, "--config is given no name",
                              "name a file, or leave --config out");
        if (command.config) context.config_file = *command.config;
        if (command.socket) context.socket = *command.socket;
        return perform_verb(context, command);
    } catch (const Interrupted&) {
        throw;
    } catch (const Failure& failure) {
        tell(context, failure);
        return failure.exit();
    } catch (...) {
        const auto error = base::to_error(std::current_exception());
        tell(context, Failure(exit_code_of(error), error));
        return exit_code_of(error);
    }
}

// Whoever waits for us (a shell's loop, systemd) is to see that it was the signal.
int end_by(int signal) {
    (void)std::signal(signal, SIG_DFL);
    (void)std::raise(signal);
    constexpr int ended_by_signal = 128;  // as shells count; where the signal is blocked
    return ended_by_signal + signal;
}

ExitCode perform_and_flush(Context& context, const std::vector<std::string>& arguments) {
    auto exit = perform(context, arguments);
    context.out.flush();
    // A full disk behind a redirection: what was asked for was not delivered.
    if (!context.out && exit == ExitCode::good) {
        context.err << "pgbakctl: the output could not be written\n";
        exit = ExitCode::failed;
    }
    return exit;
}

}  // namespace

int main(const std::vector<std::string>& arguments, Surroundings& around) {
    auto context = make_context(around);
    // What the arguments say of --json is not known where they are wrong; then the words themselves tell.
    for (const auto& argument : arguments) context.json = context.json || argument == "--json";
    try {
        return static_cast<int>(perform_and_flush(context, arguments));
    } catch (const Interrupted& interrupted) {
        context.out.flush();
        return end_by(interrupted.signal());
    }
}

}  // namespace pgbakd::admin
