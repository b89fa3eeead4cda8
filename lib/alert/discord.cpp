// Discord: its webhook gets one message for one delivery.
#include <utility>

#include "alert/channels.hpp"
#include "alert/discord_message.hpp"
#include "alert/post.hpp"

namespace pgbakd::alert {
namespace {

class Discord final : public Channel {
  public:
    Discord(base::Secret url, const Surroundings& around)
        : url_(std::move(url)),
          post_(around, {},
                "the webhook was deleted or its URL is wrong: copy it anew from the channel's integrations") {}

    asio::awaitable<Delivery> deliver(std::vector<model::Alert> alerts, async::StopToken stop) override {
        http::Request request;
        request.method = "POST";
        // Without it Discord says that all is well before it has the message.
        request.url = with_parameter(url_.reveal(), "wait=true");
        request.headers = {{"Content-Type", "application/json"}};
        request.body = std::make_shared<http::MemoryBody>(discord_message(alerts));
        auto delivery = co_await post_.send(std::move(request), std::move(stop));
        co_return delivery;
    }

  private:
    base::Secret url_;
    Post post_;
};

}  // namespace

ChannelPtr make(const std::string& name, const model::DiscordPlace& place, const Surroundings& around) {
    return std::make_shared<Discord>(read_url(name, place.url, around), around);
}

}  // namespace pgbakd::alert
