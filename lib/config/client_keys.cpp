#include "config/client_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/network_types.hpp"

namespace pgbakd::config {
namespace {

using model::ClientSpec;
using model::ServerSpec;
using Where = ClientSpec::Where;

base::Result<std::string> parse_container(std::string_view text) {
    const auto fits = [](char c) {
        return base::is_letter(c) || base::is_digit(c) || c == '_' || c == '.' || c == '-';
    };
    constexpr std::size_t longest = 255;
    const bool good = text.size() >= 2 && text.size() <= longest &&
                      (base::is_letter(text.front()) || base::is_digit(text.front())) &&
                      std::all_of(text.begin(), text.end(), fits);
    if (good) return std::string(text);
    return wrong(fmt::format("must be the name of a container (got \"{}\")", excerpt(text)),
                 "as docker ps shows it: letters, digits, \"_\", \".\" and \"-\"");
}

// What ssh takes for an option, or what a ProxyCommand's shell would take for more than a name, is none.
base::Result<std::string> parse_destination(std::string_view text) {
    const auto fits = [](char c) {
        return base::is_letter(c) || base::is_digit(c) ||
               std::string_view("_.-+~=@:/[]%").find(c) != std::string_view::npos;
    };
    constexpr std::size_t longest = 512;
    if (text.size() <= longest && !text.starts_with('-') && std::all_of(text.begin(), text.end(), fits))
        return std::string(text);
    return wrong(fmt::format("must be a destination of ssh (got \"{}\")", excerpt(text)),
                 "as in ssh: backup@db1.example.com, ssh://backup@db1.example.com:2222, or a Host of ~/.ssh/config");
}

using ParseName = base::Result<std::string> (*)(std::string_view);

Type<ClientSpec> place(std::string words, Where where, ParseName parse) {
    auto read = [words, where, parse](Problems& problems, const Node& node, ClientSpec& client) {
        const auto text = read_text(problems, node, words);
        if (!text) return;
        const auto name = parse(*text);
        if (!name) return problems.error(node, name.error().message(), name.error().hint());
        if (client.where != Where::here)
            return problems.error(node, "only one of docker and ssh", "remove one of them");
        client.where = where;
        client.name = *name;
    };
    auto write = [where](const ClientSpec& client) {
        return client.where == where && !client.name.empty() ? yaml_scalar(client.name) : std::string();
    };
    return {std::move(words), std::move(read), std::move(write)};
}

bool is_far(const ServerSpec& server) {
    return !server.host.empty() && !server.host.starts_with('/') && !is_loopback(server.host);
}

}  // namespace

Type<ClientSpec> container() {
    return place("the name of a container", Where::docker, parse_container);
}

Type<ClientSpec> destination() {
    return place("a destination of ssh (`USER@HOST`)", Where::ssh, parse_destination);
}

const Section<ClientSpec>& client_keys() {
    static const Section<ClientSpec> section(
        {}, {
                key<ClientSpec>("bin", &ClientSpec::directory, absolute_path(),
                                absent("the newest installed version that fits the server"),
                                "The directory of `pg_dump` and its like, where they run."),
                key<ClientSpec>("docker", Same{}, container(), absent("they run on this host"),
                                "Client programs run in this container, by `docker exec`. Without `host` the server is "
                                "in it as well."),
                key<ClientSpec>("ssh", Same{}, destination(), absent("they run on this host"),
                                "Client programs run on this host, by `ssh`; `host` and `port` of the server are as "
                                "that host sees them."),
            });
    return section;
}

void check_client(Problems& problems, const Named<ServerSpec>& server) {
    const auto& client = server.value.client;
    if (client.where == Where::here) return;
    if (const auto* passfile = server.node->usable("passfile"))
        problems.error(*passfile, "is read on this host, and the client programs run on another or in a container",
                       "use password: {file: PATH} instead");
    const auto* sslmode = server.node->usable("sslmode");
    constexpr std::array<std::string_view, 3> strict{"require", "verify-ca", "verify-full"};
    const bool is_strict = std::find(strict.begin(), strict.end(), server.value.sslmode) != strict.end();
    if (sslmode != nullptr && is_strict && client.where == Where::ssh && is_far(server.value))
        problems.warning(*sslmode,
                         fmt::format("holds for the client programs only: pgbakd's own sessions go by ssh to {}, and "
                                     "from there to {} without TLS",
                                     client.name, server.value.host),
                         "let client.ssh be the host of the server itself, or run the programs here");
}

void refuse_elsewhere(Problems& problems, const Node& node, const ClientSpec& client) {
    problems.error(node,
                   fmt::format("writes its files where pg_dump runs, which is {} {}",
                               client.where == Where::docker ? "in container" : "on host", client.name),
                   "use format: custom or plain, or run the programs on this host");
}

}  // namespace pgbakd::config
