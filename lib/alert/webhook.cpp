#include <fmt/format.h>

#include <utility>

#include "alert/channels.hpp"
#include "alert/post.hpp"
#include "alert/webhook_body.hpp"
#include "base/text.hpp"
#include "codec/hmac.hpp"

namespace pgbakd::alert {
namespace {

std::string digest(std::vector<model::Alert> alerts, std::size_t longest_text) {
    std::vector<std::string> texts;
    texts.reserve(alerts.size());
    for (auto& alert : alerts) {
        alert.message = base::clamp_utf8(alert.message, longest_text);
        alert.hint = base::clamp_utf8(alert.hint, longest_text);
        texts.push_back(to_json(alert));
    }
    return R"({"format":"pgbakd-digest/1","alerts":[)" + base::join(texts, ",") + "]}";
}

class Webhook final : public Channel {
  public:
    Webhook(const std::string& name, const model::WebhookPlace& place, const Surroundings& around)
        : url_(read_url(name, place.url, around)),
          post_(around, place.ca_file, "check the URL, and what the receiver wants in headers") {
        using Kind = model::SecretReference::Kind;
        if (place.hmac_key.kind != Kind::none) key_ = around.secret(place.hmac_key);
        for (const auto& [header, value] : place.headers) headers_.push_back({header, around.secret(value)});
    }

    asio::awaitable<Delivery> deliver(std::vector<model::Alert> alerts, async::StopToken stop) override {
        const auto body = webhook_body(alerts);
        http::Request request;
        request.method = "POST";
        request.url = url_.reveal();
        request.headers = {{"Content-Type", "application/json"}};
        request.secret_headers = headers_;
        if (!key_.empty()) request.headers.push_back({"X-Pgbakd-Signature", webhook_signature(key_, body)});
        request.body = std::make_shared<http::MemoryBody>(body);
        auto delivery = co_await post_.send(std::move(request), std::move(stop));
        co_return delivery;
    }

  private:
    base::Secret url_;
    base::Secret key_;
    std::vector<http::SecretHeader> headers_;
    Post post_;
};

}  // namespace

std::string webhook_body(const std::vector<model::Alert>& alerts) {
    if (alerts.size() == 1) return to_json(alerts.front());
    constexpr std::size_t shortest = 32;
    std::size_t longest_text = 16UL * 1024;
    auto body = digest(alerts, longest_text);
    while (body.size() > most_webhook_bytes && longest_text > shortest) {
        longest_text /= 2;
        body = digest(alerts, longest_text);
    }
    return body;
}

std::string webhook_signature(const base::Secret& key, std::string_view body) {
    const auto code = codec::hmac_sha256(std::as_bytes(std::span(key.reveal())), std::as_bytes(std::span(body)));
    return "sha256=" + codec::hex(code);
}

ChannelPtr make(const std::string& name, const model::WebhookPlace& place, const Surroundings& around) {
    return std::make_shared<Webhook>(name, place, around);
}

}  // namespace pgbakd::alert
