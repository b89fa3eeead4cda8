#include "admin/remote.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <map>

#include "admin/interrupted.hpp"
#include "admin/output.hpp"
#include "base/text.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "offsite/targets.hpp"

namespace pgbakd::admin {
namespace {

constexpr std::size_t threads = 4;
constexpr unsigned patience_seconds = 15;  // for a question that was told to stop

void check_name(const config::Config& config, const std::string& name) {
    if (config.targets.contains(name)) return;
    std::vector<std::string> names;
    for (const auto& [known, spec] : config.targets) names.push_back(known);
    const auto near = base::closest(name, names);
    throw base::Error(base::ErrorCode::not_found,
                      fmt::format("there is no target \"{}\"", base::printable(base::clamp_utf8(name, 100))),
                      names.empty() ? std::string("the configuration has no targets")
                      : near        ? fmt::format("did you mean {}?", *near)
                                    : fmt::format("targets: {}", base::join(names, ", ")));
}

// Credentials are handed to the service; root finds them where systemd keeps them while it runs.
systemd::Environment credentials(const Context& context) {
    auto environment = systemd::Environment::of_process();
    if (context.around.environment)
        environment.credentials_directory = context.around.environment("CREDENTIALS_DIRECTORY");
    if (!environment.credentials_directory)
        environment.credentials_directory = context.around.service_credentials.string();
    return environment;
}

volatile std::sig_atomic_t last_signal = 0;

// Of SIGALRM: a thread waits for something that cannot be stopped (a disk whose server is away).
void end_at_last(int /*number*/) {
    ::raise(last_signal);
}

// What ends the tool while it asks: a target keeps files with secrets while it is open, which must go with it. The
// first signal stops the question, a second one ends the process as if there were no handler. What is ignored (nohup)
// stays so.
class Signals {
  public:
    explicit Signals(asio::io_context& reactor) : signals_(reactor) {
        for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
            struct sigaction present {};
            if (::sigaction(number, nullptr, &present) == 0 && present.sa_handler != SIG_IGN) signals_.add(number);
        }
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) return;
            came_ = number;
            signals_.clear();
            last_signal = number;
            (void)std::signal(SIGALRM, end_at_last);
            ::alarm(patience_seconds);
            stop_.stop({base::ErrorCode::cancelled, "it was interrupted"});
        });
    }
    [[nodiscard]] async::StopToken token() const { return stop_.token(); }
    // Lets the reactor end.
    void end() { signals_.cancel(); }
    void check() const {
        if (came_ != 0) throw Interrupted(came_);
    }

  private:
    asio::signal_set signals_;
    async::StopSource stop_;
    int came_ = 0;
};

}  // namespace

ResolveSecret read_target_secrets(const Context& context, const config::Config& config) {
    using Kind = model::SecretReference::Kind;
    std::map<std::string, base::Result<base::Secret>> found;
    const auto environment = credentials(context);
    for (const auto& [name, target] : config.targets) {
        for (const auto& secret : model::secrets_of(target)) {
            if (secret.kind != Kind::credential) continue;
            try {
                found.insert_or_assign(secret.name, host::resolve_secret(secret, environment));
            } catch (const base::Error& error) {
                found.insert_or_assign(secret.name, error);
            }
        }
    }
    return [found](const model::SecretReference& secret) {
        if (secret.kind != Kind::credential) return host::resolve_secret(secret);
        return found.at(secret.name).value();
    };
}

void ask_target(Context& context, const config::Config& config, const ResolveSecret& secrets, const std::string& name,
                const RemoteQuestion& ask) {
    check_name(config, name);
    const auto path = context.around.environment ? context.around.environment("PATH") : std::nullopt;
    asio::io_context reactor;
    Signals signals(reactor);
    async::Pool pool(threads, 0);
    offsite::Targets targets({reactor.get_executor(), pool, context.around.clock, host::random_number, secrets,
                              path.value_or("/usr/bin:/bin"), std::filesystem::temp_directory_path()});
    targets.configure(config.targets, config.limits.upload_rate);
    const auto perform = [&]() -> asio::awaitable<void> {
        const auto target = co_await targets.open(name);
        const RemoteAccess access{*target, pool};
        const auto stop = signals.token();
        stop.check();
        co_await ask(access, stop);
    };
    std::exception_ptr failure;
    asio::co_spawn(reactor, perform(), [&](const std::exception_ptr& thrown) {
        failure = thrown;
        signals.end();
    });
    reactor.run();
    signals.check();
    if (failure) throw base::Error(base::to_error(failure).during("target " + name));
}

}  // namespace pgbakd::admin
