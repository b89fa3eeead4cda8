// A heartbeat: a service that hears of each run of its jobs, and tells people when it does not. As Healthchecks.io and
// its kin have it: https://healthchecks.io/docs/http_api/
#include <fmt/format.h>

#include <utility>

#include "alert/channels.hpp"
#include "alert/post.hpp"
#include "alert/text.hpp"
#include "base/text.hpp"

namespace pgbakd::alert {
namespace {

// What such services have kept of a body at the least.
constexpr std::size_t most_cause = 10'000;

class Heartbeat final : public Channel {
  public:
    Heartbeat(std::string name, base::Secret url, const Surroundings& around)
        : name_(std::move(name)),
          url_(std::move(url)),
          post_(around, {}, "the check was deleted or its URL is wrong: copy it anew from the service") {}

    asio::awaitable<Delivery> deliver(std::vector<model::Alert> alerts, async::StopToken stop) override {
        // It knows no digest: what it hears last is what it takes for true.
        Delivery delivery;
        for (const auto& alert : alerts) {
            if (!is_of_a_run(alert.kind)) co_return no_run();
            auto request = ping(alert);
            delivery = co_await post_.send(std::move(request), stop);
            if (delivery.outcome != Delivery::Outcome::delivered) co_return delivery;
        }
        co_return delivery;
    }

  private:
    static bool is_of_a_run(model::AlertKind kind) {
        return kind == model::AlertKind::run_started || kind == model::AlertKind::run_succeeded ||
               kind == model::AlertKind::run_failed;
    }

    [[nodiscard]] Delivery no_run() const {
        Delivery delivery;
        delivery.outcome = Delivery::Outcome::rejected;
        delivery.error.emplace(base::ErrorCode::unsupported,
                               fmt::format("{} is a heartbeat: anything told to it counts as a run", name_),
                               "run one of its jobs, and see the service's own page");
        return delivery;
    }

    [[nodiscard]] http::Request ping(const model::Alert& alert) const {
        http::Request request;
        request.url = url_.reveal();
        if (alert.kind == model::AlertKind::run_started) request.url = with_path(url_.reveal(), "/start");
        if (alert.kind == model::AlertKind::run_failed) {
            request.method = "POST";
            request.url = with_path(url_.reveal(), "/fail");
            auto cause = tidy(alert.message);
            if (!alert.hint.empty()) cause += "\nhint: " + tidy(alert.hint);
            request.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
            request.body = std::make_shared<http::MemoryBody>(base::clamp_utf8(cause, most_cause));
        }
        return request;
    }

    std::string name_;
    base::Secret url_;
    Post post_;
};

}  // namespace

ChannelPtr make(const std::string& name, const model::HeartbeatPlace& place, const Surroundings& around) {
    return std::make_shared<Heartbeat>(name, read_url(name, place.url, around), around);
}

}  // namespace pgbakd::alert
