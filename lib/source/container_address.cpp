#include "source/container_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/text.hpp"

namespace pgbakd::source {
namespace {

// Fields of docker's API (ContainerInspect), each behind a mark of its own: a blank cannot be in any of them.
constexpr const char* format =
    "state={{.State.Status}} mode={{.HostConfig.NetworkMode}}"
    "{{range .NetworkSettings.Networks}} ipv4={{.IPAddress}} ipv6={{.GlobalIPv6Address}}{{end}}";

constexpr std::size_t most_networks = 16;

bool is_address(int family, const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

}  // namespace

std::vector<std::string> container_address_arguments(const std::string& container) {
    return {"inspect", "-f", format, container};
}

base::Result<std::vector<std::string>> parse_container_addresses(const std::string& container,
                                                                 std::string_view output) {
    std::string state, mode, ipv4;
    std::vector<std::string> addresses;
    for (const auto word : base::split(base::trim(output), ' ')) {
        const auto value = [word](std::string_view mark) {
            return word.starts_with(mark) ? std::optional<std::string>(word.substr(mark.size())) : std::nullopt;
        };
        if (const auto text = value("state="); text && state.empty()) state = *text;
        if (const auto text = value("mode="); text && mode.empty()) mode = *text;
        // Each network tells both, in this order.
        if (const auto text = value("ipv4=")) ipv4 = *text;
        const auto ipv6 = value("ipv6=");
        if (!ipv6 || addresses.size() == most_networks) continue;
        if (is_address(AF_INET, ipv4))
            addresses.push_back(ipv4);
        else if (is_address(AF_INET6, *ipv6))
            addresses.push_back(*ipv6);
    }
    if (state.empty())
        return base::Error(base::ErrorCode::corrupt, fmt::format("docker inspect of {} printed \"{}\"", container,
                                                                 base::clamp_utf8(base::printable(output), 200)));
    if (state != "running")
        return base::Error(base::ErrorCode::unreachable,
                           fmt::format("container {} is not running: its state is {}", container,
                                       base::clamp_utf8(base::printable(state), 40)),
                           "docker start " + container, base::Persistence::passing);
    if (mode == "host") return std::vector<std::string>{"127.0.0.1"};
    if (!addresses.empty()) return addresses;
    return base::Error(
        base::ErrorCode::invalid_configuration,
        fmt::format("container {} has no address of its own (network {})", container,
                    base::clamp_utf8(base::printable(mode), 60)),
        "give the server a host (and a port), as in host: 127.0.0.1 where the container publishes one; it "
        "must lead to the server from here and from inside the container");
}

}  // namespace pgbakd::source
