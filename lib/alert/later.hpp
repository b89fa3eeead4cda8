// Recipients of mail whom a server takes it for only later (greylisting): what is for one of them waits in a queue of
// its own, so that the others do not get it again. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/channel.hpp"

namespace pgbakd::alert {

// The queue of that recipient in the outbox: "mail dba@example.com". No name of a channel has a blank in it.
[[nodiscard]] std::string later_queue(std::string_view channel, std::string_view address);
// Whose queue that is; the name itself, where it is a channel's.
[[nodiscard]] std::string_view channel_of(std::string_view queue) noexcept;

// All queues that there may be beside the channels' own.
[[nodiscard]] std::vector<std::string> later_queues(const std::map<std::string, model::ChannelSpec>& channels);

// How that queue is served: as its channel, which has that recipient alone. Nothing if there is no such channel, it has
// no such recipient, or the queue is a channel's own.
[[nodiscard]] std::optional<model::ChannelSpec> later_spec(const std::map<std::string, model::ChannelSpec>& channels,
                                                           std::string_view queue);
// The channel without those recipients; with all of them, if nobody would be left.
[[nodiscard]] model::ChannelSpec without(model::ChannelSpec channel, const std::vector<std::string>& addresses);

}  // namespace pgbakd::alert
