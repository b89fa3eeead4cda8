// What the cases of this suite are written with: a channel of some kind on a reactor of its own, and the kinds that
// there are. A new kind is one class more here, and its name in CONTRACT_CHANNELS.
#pragma once

#include <optional>
#include <stdexcept>

#include "alert/channel.hpp"
#include "async/timer.hpp"
#include "services.hpp"
#include "support/catch.hpp"

namespace contract {

namespace alert = pgbakd::alert;
namespace asio = pgbakd::asio;
namespace async = pgbakd::async;
namespace base = pgbakd::base;
namespace model = pgbakd::model;
using Outcome = alert::Delivery::Outcome;

// Stands in every secret of these channels, and must stand in no error.
inline const std::string hidden = "hidden-word";

inline model::SecretReference secret(const std::string& text) {
    model::SecretReference reference;
    reference.kind = model::SecretReference::Kind::literal;
    reference.literal = base::Secret(text);
    return reference;
}

inline model::Alert alert_of(model::AlertKind kind, const std::string& job = "shop-daily") {
    model::Alert alert;
    alert.id = "01JHAF7Z8QZX3M5N7P9RATCVEW";
    alert.kind = kind;
    alert.severity = model::Severity::critical;
    alert.at = base::Timestamp(std::chrono::seconds(1768233601));
    alert.host = "db1";
    alert.job = job;
    alert.title = job + " failed";
    alert.message = "pg_dump: größer\n.\n@everyone";
    alert.hint = "look at it";
    return alert;
}

// Where a channel leads to: to the services, to nobody, or to them under a name that their certificate does not bear
// (or whose authority is not known).
enum class Lead { right, nowhere, untrusted };

class Discord {
  public:
    static constexpr bool is_http = true;
    static model::ChannelSpec spec(Lead lead) {
        model::ChannelSpec channel;
        channel.name = "ops";
        channel.place = model::DiscordPlace{secret(url(lead) + "/api/webhooks/1/" + hidden)};
        return channel;
    }
    static std::string url(Lead lead) {
        const auto& services = Services::get();
        switch (lead) {
            case Lead::right: return "http://127.0.0.1:" + services.port("http");
            case Lead::nowhere: return "http://127.0.0.1:" + services.port("closed");
            case Lead::untrusted: return "https://localhost:" + services.port("https");
        }
        return {};
    }
};

class Webhook {
  public:
    static constexpr bool is_http = true;
    static model::ChannelSpec spec(Lead lead) {
        model::WebhookPlace place;
        place.url = secret(url(lead) + "/hook?token=" + hidden);
        place.headers = {{"X-Team", secret("data")}, {"Authorization", secret("Bearer " + hidden)}};
        place.hmac_key = secret(hidden);
        place.ca_file = Services::get().authority();
        model::ChannelSpec channel;
        channel.name = "hook";
        channel.place = std::move(place);
        return channel;
    }
    static std::string url(Lead lead) {
        const auto& services = Services::get();
        switch (lead) {
            case Lead::right: return "https://localhost:" + services.port("https");
            case Lead::nowhere: return "https://localhost:" + services.port("closed");
            case Lead::untrusted: return "https://127.0.0.2:" + services.port("other_https");
        }
        return {};
    }
};

class Heartbeat {
  public:
    static constexpr bool is_http = true;
    static model::ChannelSpec spec(Lead lead) {
        model::ChannelSpec channel;
        channel.name = "pulse";
        channel.place = model::HeartbeatPlace{secret(Discord::url(lead) + "/" + hidden)};
        return channel;
    }
};

class Mail {
  public:
    static constexpr bool is_http = false;
    static model::ChannelSpec spec(Lead lead) { return spec_at(url("smtps", lead)); }

    static std::string url(const std::string& scheme, Lead lead) {
        const auto& services = Services::get();
        switch (lead) {
            case Lead::right: return scheme + "://localhost:" + services.port(scheme);
            case Lead::nowhere: return scheme + "://localhost:" + services.port("closed");
            case Lead::untrusted: return scheme + "://127.0.0.2:" + services.port("other_" + scheme);
        }
        return {};
    }
    static model::ChannelSpec spec_at(std::string url) {
        model::MailPlace place;
        place.url = std::move(url);
        place.user = "pgbakd";
        place.password = secret(hidden);
        place.from = "pgbakd@example.com";
        place.to = {"dba@example.com", "ops@example.com"};
        place.ca_file = Services::get().authority();
        model::ChannelSpec channel;
        channel.name = "mail";
        channel.place = std::move(place);
        return channel;
    }
};

class MailByStarttls : public Mail {
  public:
    static model::ChannelSpec spec(Lead lead) { return spec_at(url("smtp", lead)); }
};

#define CONTRACT_CHANNELS \
    contract::Discord, contract::Webhook, contract::Heartbeat, contract::Mail, contract::MailByStarttls

class Bench {
  public:
    explicit Bench(const model::ChannelSpec& spec, std::chrono::milliseconds patience = std::chrono::seconds(20))
        : patience_(patience), channel_(alert::make_channel(spec, surroundings())) {
        // Of an earlier case of this program.
        (void)Services::get().taken();
    }

    alert::Delivery deliver(std::vector<model::Alert> alerts = {alert_of(model::AlertKind::run_failed)},
                            async::StopToken stop = {}) {
        std::optional<alert::Delivery> result;
        std::exception_ptr failure;
        asio::co_spawn(io_, channel_->deliver(std::move(alerts), std::move(stop)),
                       [&](const std::exception_ptr& thrown, alert::Delivery delivery) {
                           failure = thrown;
                           result = std::move(delivery);
                       });
        io_.restart();
        io_.run();
        if (failure) std::rethrow_exception(failure);
        check_secrets(*result);
        return std::move(*result);
    }
    // As the services behave.
    alert::Delivery deliver_to(const std::string& behaviour) {
        Services::get().behave(behaviour);
        return deliver();
    }

    [[nodiscard]] asio::io_context& io() { return io_; }

  private:
    alert::Surroundings surroundings() {
        return {.executor = io_.get_executor(),
                .clock = clock_,
                .secret = [](const model::SecretReference& reference) { return reference.literal; },
                .patience = patience_};
    }
    static void check_secrets(const alert::Delivery& delivery) {
        const auto text = delivery.error ? delivery.error->message() + delivery.error->hint() : delivery.remark;
        INFO(text);
        CHECK(delivery.error.has_value() == (delivery.outcome != Outcome::delivered));
        CHECK(text.find(hidden) == std::string::npos);
        CHECK(text.find("aGlkZGVu") == std::string::npos);  // "hidden" in Base64
        CHECK(text.find('\n') == std::string::npos);
    }

    asio::io_context io_;
    base::SystemClock clock_;
    std::chrono::milliseconds patience_;
    std::shared_ptr<alert::Channel> channel_;
};

}  // namespace contract
