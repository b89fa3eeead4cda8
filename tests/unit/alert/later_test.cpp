// Queues of recipients whom a mail server takes mail for only later.
#include "alert/later.hpp"

#include "support/catch.hpp"

using namespace pgbakd;
using Texts = std::vector<std::string>;

namespace {

model::ChannelSpec mail(const std::string& name, Texts to) {
    model::MailPlace place;
    place.to = std::move(to);
    return {name, place, model::Severity::warning, {}};
}

Texts recipients(const model::ChannelSpec& channel) {
    return std::get<model::MailPlace>(channel.place).to;
}

}  // namespace

TEST_CASE("a queue is served for as long as its channel has that recipient") {
    const std::map<std::string, model::ChannelSpec> channels{{"mail", mail("mail", {"a@example.com", "b@example.com"})},
                                                             {"hook", {"hook", model::WebhookPlace{}, {}, {}}}};
    const auto queue = alert::later_queue("mail", "b@example.com");
    CHECK(queue == "mail b@example.com");
    CHECK(alert::channel_of(queue) == "mail");
    CHECK(alert::channel_of("mail") == "mail");
    CHECK(alert::later_queues(channels) == Texts{"mail a@example.com", "mail b@example.com"});
    const auto spec = alert::later_spec(channels, queue);
    REQUIRE(spec);
    CHECK(spec->name == queue);
    CHECK(recipients(*spec) == Texts{"b@example.com"});
    for (const auto* const other : {"mail c@example.com", "post b@example.com", "hook b@example.com", "mail", ""})
        CHECK_FALSE(alert::later_spec(channels, other));
}

TEST_CASE("a channel is told without those who wait, unless that is everybody") {
    const auto channel = mail("mail", {"a@example.com", "b@example.com"});
    CHECK(recipients(alert::without(channel, {})).size() == 2);
    CHECK(recipients(alert::without(channel, {"b@example.com"})) == Texts{"a@example.com"});
    CHECK(recipients(alert::without(channel, {"a@example.com", "b@example.com"})).size() == 2);
    const model::ChannelSpec hook{"hook", model::WebhookPlace{}, model::Severity::info, {}};
    CHECK(alert::without(hook, {"a@example.com"}).name == "hook");
}
