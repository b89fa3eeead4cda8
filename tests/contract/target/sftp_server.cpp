#include "sftp_server.hpp"

#include <iostream>
#include <map>

#include "shared_server.hpp"

namespace contract {

using namespace pgbakd;

std::string sftp_fact(const std::string& name) {
    static const auto facts = shared_server("sftp");
    const auto found = facts.find(name);
    return found == facts.end() ? "" : found->second;
}

bool sftp_is_there() {
    const auto reason = sftp_fact("skipped");
    if (!reason.empty()) std::cout << "SKIPPED: " << reason << '\n';
    return reason.empty();
}

std::string sftp_file(const std::string& name) {
    return sftp_fact("directory") + "/" + name;
}

target::SftpTargetOptions sftp_options(std::string path) {
    target::SftpTargetOptions options;
    options.name = "vault";
    options.server.host = "127.0.0.1";
    options.server.port = static_cast<std::uint16_t>(std::stoi(sftp_fact("port")));
    options.server.user = sftp_fact("user");
    options.server.key_file = sftp_file("key");
    options.server.known_hosts = sftp_file("known_hosts");
    options.path = std::move(path);
    options.retry.first = std::chrono::milliseconds(1);
    options.retry.random = [] { return 0; };
    return options;
}

}  // namespace contract
