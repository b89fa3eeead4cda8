#include <fmt/format.h>

#include <variant>

#include "alert/channels.hpp"
#include "alert/post.hpp"
#include "base/text.hpp"

namespace pgbakd::alert {

base::Secret read_url(const std::string& name, const model::SecretReference& url, const Surroundings& around) {
    base::Secret read(std::string(base::trim(around.secret(url).reveal())));
    check_url(read.reveal(), fmt::format("the URL of channel {}", name));
    return read;
}

std::string with_path(std::string_view url, std::string_view path) {
    url = url.substr(0, url.find('#'));
    const auto query = std::min(url.find('?'), url.size());
    auto before = url.substr(0, query);
    while (before.ends_with('/')) before.remove_suffix(1);
    return fmt::format("{}{}{}", before, path, url.substr(query));
}

std::string with_parameter(std::string_view url, std::string_view parameter) {
    url = url.substr(0, url.find('#'));
    const auto query = url.find('?');
    const auto* const sign = query == std::string_view::npos ? "?" : query + 1 == url.size() ? "" : "&";
    return fmt::format("{}{}{}", url, sign, parameter);
}

std::shared_ptr<Channel> make_channel(const model::ChannelSpec& spec, const Surroundings& around) {
    return std::visit([&](const auto& place) { return make(spec.name, place, around); }, spec.place);
}

}  // namespace pgbakd::alert
