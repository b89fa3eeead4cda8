#include "config/tdengine_keys.hpp"

#include "config/client_keys.hpp"
#include "config/domain_types.hpp"
#include "config/target_types.hpp"

namespace pgbakd::config {
namespace {

using namespace std::chrono_literals;
using model::ClientSpec;
using model::ServerSpec;

ServerSpec blank_server() {
    ServerSpec server;
    server.type = model::ServerType::tdengine;
    return server;
}

// A key that only PostgreSQL servers have.
Later of_postgresql(std::string name) {
    return {std::move(name), "remove the key: it is for PostgreSQL servers", {}, "not for servers of type tdengine"};
}

const Section<ClientSpec>& tdengine_client_keys() {
    static const Section<ClientSpec> section(
        {}, {
                key<ClientSpec>("bin", &ClientSpec::directory, absolute_path(),
                                absent("the `PATH`, then `/usr/local/taos/bin`"),
                                "The directory of `taosdump` and `taos`, where they run."),
                key<ClientSpec>("docker", Same{}, container(), absent("they run on this host"),
                                "They run in this container, by `docker exec`; `host` is as it sees it."),
                key<ClientSpec>("ssh", Same{}, destination(), absent("they run on this host"),
                                "They run on this host, by `ssh`; `host` is as it sees it."),
            });
    return section;
}

}  // namespace

const Section<ServerSpec>& tdengine_keys() {
    static const Section<ServerSpec> section(
        blank_server(),
        {
            kind_key<ServerSpec>("type", "tdengine", {}, required("type: tdengine"), "A TDengine server."),
            key<ServerSpec>("host", &ServerSpec::host, tcp_host(), is("localhost"),
                            "Host name or address; TDengine's own clients want the name that its `fqdn` says."),
            key<ServerSpec>("port", &ServerSpec::port, whole_number<std::uint16_t>(1, 65535), is("6030"), "TCP port."),
            key<ServerSpec>("user", &ServerSpec::user, text("the name of a user", 63), is("root"),
                            "User to log in as."),
            key<ServerSpec>("password", &ServerSpec::password, secret(), absent("that of a new server, `taosdata`"),
                            "Password of the user, without blanks; see \"Secrets\" above."),
            key<ServerSpec>("connect_timeout", &ServerSpec::connect_timeout, duration(1s, 1h), is("10s"),
                            "How long a connection may take to come about."),
            section_key<ServerSpec>("client", &ServerSpec::client, tdengine_client_keys(), {},
                                    "Where the client programs come from."),
        },
        {of_postgresql("passfile"), of_postgresql("sslmode"), of_postgresql("sslrootcert"),
         of_postgresql("maintenance_database")});
    return section;
}

}  // namespace pgbakd::config
