// One look at what waits for a channel, and one message.
#include <fmt/format.h>

#include <algorithm>

#include "alert/later.hpp"
#include "base/text.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "service/alert_sender.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::minutes catalog_pause{1};
constexpr std::size_t most_read = 2000;

std::vector<Field> fields_of(const std::string& channel) {
    return {{"PGBAKD_CHANNEL", channel}};
}

std::vector<std::string> ids_of(const std::vector<catalog::WaitingAlert>& waiting,
                                const std::vector<std::size_t>& indices) {
    std::vector<std::string> ids;
    ids.reserve(indices.size());
    for (const auto i : indices) ids.push_back(waiting[i].alert.id);
    return ids;
}

alert::Delivery not_made(const base::Error& error) {
    alert::Delivery delivery;
    delivery.outcome = alert::Delivery::Outcome::refused;
    delivery.error = error;
    return delivery;
}

std::string message_of(const alert::Delivery& delivery) {
    return delivery.error ? delivery.error->message() : std::string("it was not delivered");
}

}  // namespace

asio::awaitable<void> AlertSender::serve(PostPtr post, async::StopToken stop) {
    std::exception_ptr failure;
    try {
        co_await serve_once(post, stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && !stop.stopped()) {
        core_.log.problem(Priority::warning, base::to_error(failure).during("the alerts of " + post->spec.name));
        post->due = core_.clock.now() + catalog_pause;
    }
    post->busy = false;
    serving_.erase(serving_.find(post->spec.name));
    // Configured no more, or anew: now it is known what is left.
    const auto present = posts_.find(post->spec.name);
    if (present == posts_.end())
        configured_ = false;
    else if (present->second != post)
        present->second->due = {};
    if (std::exchange(post->again, false) && !failure) post->due = {};
    close_queue(post);
    changed_.notify();
}

asio::awaitable<void> AlertSender::serve_once(PostPtr post, async::StopToken stop) {
    // What has arrived and could not be taken out, as on a full disk, is not sent again.
    if (post->settled) {
        co_await record(post);
        post->due = {};
        co_return;
    }
    auto* catalog = core_.catalog.get();
    const auto name = post->spec.name;
    const auto read = [catalog, name] { return catalog->waiting_alerts(name, most_read); };
    const auto waiting = co_await async::run_blocking(core_.pool, read);
    std::vector<alert::Waiting> entries;
    entries.reserve(waiting.size());
    for (const auto& each : waiting) entries.push_back({each.alert, each.created_at, each.attempts, each.next_attempt});
    const auto now = core_.clock.now();
    post->asked = alert::by_clock(post->asked, now);
    const auto step =
        alert::next_step(entries, alert::merging_of(post->spec), now, post->asked, post->pace, post->limit);
    if (!step.expired.empty()) {
        auto ids = ids_of(waiting, step.expired);
        co_await give_up(post, std::move(ids), waiting[step.expired.back()].message);
    }
    if (!step.superseded.empty()) {
        const auto ids = ids_of(waiting, step.superseded);
        const auto take_out = [catalog, name, ids] { catalog->alerts_superseded(name, ids); };
        co_await async::run_blocking(core_.pool, take_out);
    }
    if (step.send.empty()) {
        post->due = step.wake ? std::min(*step.wake, now + longest_nap) : never;
    } else {
        stop.check();
        std::vector<catalog::WaitingAlert> sent;
        for (const auto i : step.send) sent.push_back(waiting[i]);
        co_await deliver(post, std::move(sent));
        post->due = {};
    }
    if (tell_backlog_) tell_backlog_();
}

asio::awaitable<void> AlertSender::give_up(PostPtr post, std::vector<std::string> ids, std::string message) {
    const auto& name = post->spec.name;
    core_.log.write(
        Priority::error,
        fmt::format("{} for {} given up: not delivered within 7 days", base::counted(ids.size(), "alert"), name), {},
        fields_of(name));
    post->settled = Settled{std::move(ids), "not delivered within 7 days: " + message};
    co_await record(post);
}

// Secrets are read when a channel is made, and again after it refused: somebody may have mended them.
asio::awaitable<alert::Delivery> AlertSender::attempt(PostPtr post, std::vector<model::Alert> alerts,
                                                      async::StopToken stop) {
    auto channel = post->channel;
    if (!channel) {
        const auto around =
            alert::Surroundings{core_.io.get_executor(), core_.clock,
                                [](const model::SecretReference& secret) { return host::resolve_secret(secret); }};
        const auto make = [spec = alert::without(post->spec, post->held), around] {
            return alert::make_channel(spec, around);
        };
        std::exception_ptr failure;
        try {
            channel = co_await async::run_blocking(core_.pool, make);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) co_return not_made(base::to_error(failure));
        post->channel = channel;
    }
    auto delivery = co_await channel->deliver(std::move(alerts), stop);
    if (delivery.outcome == alert::Delivery::Outcome::refused && post->channel == channel) post->channel.reset();
    co_return delivery;
}

asio::awaitable<void> AlertSender::deliver(PostPtr post, std::vector<catalog::WaitingAlert> sent) {
    std::vector<model::Alert> alerts;
    std::vector<std::string> ids;
    int attempts = 1;
    for (const auto& each : sent) {
        alerts.push_back(each.alert);
        ids.push_back(each.alert.id);
        attempts = std::max(attempts, each.attempts + 1);
    }
    hold_back(*post);
    // Not ended by the stop: what is on its way has a little time then.
    const auto delivery = co_await attempt(post, std::move(alerts), cut_.token());
    const auto now = core_.clock.now();
    const auto name = post->spec.name;
    auto* catalog = core_.catalog.get();
    const bool rejected = delivery.outcome == alert::Delivery::Outcome::rejected;
    // It may be one of them that is not taken, or all of them together: only what is rejected alone is lost.
    const bool divided = rejected && sent.size() > 1;
    if (divided) tell_divided(*post, delivery, sent.size());
    post->limit = alert::next_limit(post->limit, delivery.outcome, sent.size());
    // Before anything is written: that may fail.
    if (!divided && alert::is_settled(delivery)) {
        tell_settled(*post, delivery, sent);
        post->pace = alert::after_message(post->pace, now);
        post->settled = Settled{std::move(ids), {}};
        if (rejected)
            post->settled->lost = message_of(delivery);
        else
            post->settled->later = later_for(*post, delivery, now);
    }
    if (delivery.pause.count() > 0) {
        post->asked = {now, now + delivery.pause};
        const auto note = [catalog, name, asked = post->asked] {
            catalog->put_channel_pause(name, asked.asked_at, asked.until);
        };
        co_await async::run_blocking(core_.pool, note);
    }
    if (post->settled) {
        co_await record(post);
        co_return;
    }
    if (divided) co_return;  // fewer of them go at once
    const auto next = now + alert::backoff(delivery.outcome, attempts, host::random_number());
    const auto message = message_of(delivery);
    const auto note = [catalog, name, next, message] { catalog->alerts_failed(name, next, message); };
    co_await async::run_blocking(core_.pool, note);
    tell_failed(*post, delivery);
}

asio::awaitable<void> AlertSender::record(PostPtr post) {
    auto* catalog = core_.catalog.get();
    const auto write = [catalog, name = post->spec.name, settled = *post->settled, now = core_.clock.now()] {
        // What one recipient has lost is known with the channel, which is what people look at.
        if (settled.lost)
            catalog->alerts_lost(name, settled.ids, now, *settled.lost, std::string(alert::channel_of(name)));
        else
            catalog->alerts_delivered(name, settled.ids, settled.later);
    };
    co_await async::run_blocking(core_.pool, write);
    open_queues(post->settled->later);
    const bool lost = post->settled->lost.has_value();
    post->settled.reset();
    const bool was_well = !post->losing && !post->failing;
    post->losing = lost;
    const auto channel = posts_.find(std::string(alert::channel_of(post->spec.name)));
    if (lost && channel != posts_.end()) channel->second->losing = true;
    if (!lost) post->failing = false;
    if ((lost || !was_well) && tell_change_) tell_change_();
}

// Whoever waits for earlier alerts gets all of them in their order.
void AlertSender::hold_back(Post& post) const {
    const auto* const mail = std::get_if<model::MailPlace>(&post.spec.place);
    if (mail == nullptr || alert::channel_of(post.spec.name).size() != post.spec.name.size()) return;
    std::vector<std::string> held;
    for (const auto& address : mail->to)
        if (posts_.contains(alert::later_queue(post.spec.name, address))) held.push_back(address);
    if (held.size() == mail->to.size()) held.clear();
    if (held != post.held) post.channel.reset();
    post.held = std::move(held);
}

std::vector<catalog::LaterQueue> AlertSender::later_for(const Post& post, const alert::Delivery& delivery,
                                                        base::Timestamp now) const {
    std::vector<catalog::LaterQueue> later;
    for (const auto& address : post.held) later.push_back({alert::later_queue(post.spec.name, address), now, {}});
    for (const auto& [address, answer] : delivery.deferred) {
        const auto next = now + alert::backoff(alert::Delivery::Outcome::try_again, 1, host::random_number());
        later.push_back({alert::later_queue(post.spec.name, address), next, address + ": " + answer});
    }
    return later;
}

void AlertSender::open_queues(const std::vector<catalog::LaterQueue>& later) {
    for (const auto& queue : later) {
        auto spec = alert::later_spec(core_.config->channels, queue.channel);
        if (!spec) continue;  // taken out meanwhile: given up with its channel
        auto& post = posts_[queue.channel];
        if (!post) {
            post = std::make_shared<Post>();
            post->spec = std::move(*spec);
        }
        post->due = {};
        post->again = true;
    }
    if (!later.empty()) changed_.notify();
}

// Nothing waits for that recipient any more: it gets what comes with all others again.
void AlertSender::close_queue(const PostPtr& post) {
    const auto& name = post->spec.name;
    if (alert::channel_of(name).size() == name.size() || post->due != never) return;
    if (const auto found = posts_.find(name); found != posts_.end() && found->second == post) posts_.erase(found);
}

void AlertSender::tell_settled(Post& post, const alert::Delivery& delivery,
                               const std::vector<catalog::WaitingAlert>& sent) {
    const auto& name = post.spec.name;
    if (delivery.outcome == alert::Delivery::Outcome::rejected) {
        const auto error = delivery.error.value_or(base::Error(base::ErrorCode::server_error, "it was not taken"));
        const auto title = base::printable(sent.front().alert.title);
        core_.log.problem(Priority::warning, error.during(fmt::format("{} does not take \"{}\"", name, title)), {},
                          fields_of(name));
        return;
    }
    if (!delivery.remark.empty())
        core_.log.write(Priority::warning, fmt::format("{}: {}", name, delivery.remark), {}, fields_of(name));
    // Before this daemon's start, maybe.
    const auto tried = [](const catalog::WaitingAlert& each) { return each.attempts > 0; };
    post.failing = post.failing || std::ranges::any_of(sent, tried);
    if (post.failing || post.losing)
        core_.log.write(Priority::info, fmt::format("alerts reach {} again", name), {}, fields_of(name));
}

// Once, not for each half of a half.
void AlertSender::tell_divided(const Post& post, const alert::Delivery& delivery, std::size_t sent) {
    if (post.limit < alert::most_in_digest) return;
    const auto& name = post.spec.name;
    core_.log.write(Priority::info,
                    fmt::format("{} does not take {} in one message, it gets fewer at a time: {}", name,
                                base::counted(sent, "alert"), message_of(delivery)),
                    {}, fields_of(name));
}

void AlertSender::tell_failed(Post& post, const alert::Delivery& delivery) {
    const auto& name = post.spec.name;
    if (!std::exchange(post.failing, true) && delivery.error)
        core_.log.problem(Priority::warning,
                          delivery.error->during(fmt::format("alerts do not reach {}, it is tried again", name)), {},
                          fields_of(name));
    if (tell_change_) tell_change_();
}

}  // namespace pgbakd::service
