#include "alert/later.hpp"

#include <algorithm>

namespace pgbakd::alert {

std::string later_queue(std::string_view channel, std::string_view address) {
    return std::string(channel).append(" ").append(address);
}

std::string_view channel_of(std::string_view queue) noexcept {
    return queue.substr(0, queue.find(' '));
}

std::vector<std::string> later_queues(const std::map<std::string, model::ChannelSpec>& channels) {
    std::vector<std::string> queues;
    for (const auto& [name, channel] : channels)
        if (const auto* const mail = std::get_if<model::MailPlace>(&channel.place))
            for (const auto& address : mail->to) queues.push_back(later_queue(name, address));
    return queues;
}

std::optional<model::ChannelSpec> later_spec(const std::map<std::string, model::ChannelSpec>& channels,
                                             std::string_view queue) {
    const auto name = channel_of(queue);
    const auto channel = channels.find(std::string(name));
    if (name.size() == queue.size() || channel == channels.end()) return std::nullopt;
    const auto* const mail = std::get_if<model::MailPlace>(&channel->second.place);
    const std::string address(queue.substr(name.size() + 1));
    if (mail == nullptr || std::ranges::find(mail->to, address) == mail->to.end()) return std::nullopt;
    auto spec = channel->second;
    spec.name = queue;
    std::get<model::MailPlace>(spec.place).to = {address};
    return spec;
}

model::ChannelSpec without(model::ChannelSpec channel, const std::vector<std::string>& addresses) {
    auto* const mail = std::get_if<model::MailPlace>(&channel.place);
    if (mail == nullptr) return channel;
    auto left = mail->to;
    std::erase_if(left,
                  [&addresses](const auto& each) { return std::ranges::find(addresses, each) != addresses.end(); });
    if (!left.empty()) mail->to = std::move(left);
    return channel;
}

}  // namespace pgbakd::alert
