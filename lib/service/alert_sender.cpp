#include "service/alert_sender.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alert/wants.hpp"
#include "async/timer.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "host/identity.hpp"
#include "host/secrets.hpp"
#include "service/alert_identity.hpp"

namespace pgbakd::service {
namespace {

constexpr base::Timestamp never = base::Timestamp::max();
constexpr std::chrono::minutes catalog_pause{1};
constexpr std::chrono::hours longest_nap{1};  // a clock that is set is noticed by then
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

}  // namespace

void AlertSender::wake() {
    for (const auto& [name, post] : posts_) {
        post->due = {};
        post->again = true;
    }
    changed_.notify();
}

void AlertSender::reconfigured() {
    configured_ = false;
    changed_.notify();
}

// A delivery under way goes on with the channel it began with.
void AlertSender::configure() {
    std::map<std::string, PostPtr> posts;
    for (const auto& [name, spec] : core_.config->channels) {
        auto post = std::make_shared<Post>();
        post->spec = spec;
        if (const auto known = posts_.find(name); known != posts_.end() && known->second->busy) {
            // One at a time: the new one waits until the old one is through.
            post = known->second;
            post->spec = spec;
            post->channel.reset();
            post->again = true;
        } else if (known != posts_.end()) {
            post->settled = known->second->settled;
            post->not_before = known->second->not_before;
        }
        posts.emplace(name, std::move(post));
    }
    posts_ = std::move(posts);
    configured_ = true;
}

asio::awaitable<void> AlertSender::forget_others() {
    std::vector<std::string> names;
    for (const auto& [name, post] : posts_) names.push_back(name);
    auto* catalog = core_.catalog.get();
    const auto now = core_.clock.now();
    const auto keep = [catalog, names, now] {
        auto given_up = catalog->keep_channels(names);
        for (const auto& name : names) catalog->hasten_alerts(name, now);
        return given_up;
    };
    const auto given_up = co_await async::run_blocking(core_.pool, keep);
    for (const auto& [name, count] : given_up)
        core_.log.write(Priority::warning,
                        fmt::format("{} for {} given up: the configuration has no such channel any more",
                                    base::counted(count, "alert"), name),
                        {}, fields_of(name));
}

asio::awaitable<void> AlertSender::send(async::StopToken stop) {
    std::exception_ptr over;
    while (!over) {
        try {
            if (!configured_) {
                configure();
                try {
                    co_await forget_others();
                } catch (const base::Error& error) {
                    core_.log.problem(Priority::warning, error.during("reading which alerts wait"));
                }
            }
            stop.check();
            const auto now = core_.clock.now();
            std::optional<base::Timestamp> later;
            for (const auto& [name, post] : posts_) {
                if (post->busy) continue;
                if (post->due <= now) {
                    post->busy = true;
                    post->again = false;
                    tasks_.spawn(serve(post, stop));
                } else if (post->due != never && (!later || post->due < *later)) {
                    later = post->due;
                }
            }
            co_await wait(later, stop);
        } catch (...) {
            over = std::current_exception();
        }
    }
    while (tasks_.running() > 0) {
        try {
            co_await tasks_.join();
        } catch (const std::exception&) {
            continue;  // the stop's reason
        }
    }
    std::rethrow_exception(over);
}

asio::awaitable<void> AlertSender::wait(std::optional<base::Timestamp> until, async::StopToken stop) {
    if (!until) {
        co_await changed_.wait(stop);
        co_return;
    }
    const auto least = base::Timestamp::duration(10);
    const auto pause = std::clamp(*until - core_.clock.now(), least, base::Timestamp::duration(longest_nap));
    const async::Deadline due(core_.io.get_executor(), stop, pause, "the pause");
    try {
        co_await changed_.wait(due.token());
    } catch (const base::Error&) {
        stop.check();
    }
}

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
    if (std::exchange(post->again, false) && !failure) post->due = {};
    changed_.notify();
}

asio::awaitable<void> AlertSender::serve_once(PostPtr post, async::StopToken stop) {
    auto* catalog = core_.catalog.get();
    const auto name = post->spec.name;
    const auto read = [catalog, name] { return catalog->waiting_alerts(name, most_read); };
    const auto waiting = co_await async::run_blocking(core_.pool, read);
    // What has arrived and could not be taken out, as on a full disk, is not sent again.
    if (!post->settled.empty()) {
        std::vector<std::string> ids(post->settled.begin(), post->settled.end());
        co_await take_out(name, std::move(ids));
        post->settled.clear();
        post->due = {};
        co_return;
    }
    std::vector<alert::Waiting> entries;
    entries.reserve(waiting.size());
    for (const auto& each : waiting) entries.push_back({each.alert, each.created_at, each.attempts, each.next_attempt});
    const auto step = alert::next_step(entries, alert::merging_of(post->spec), core_.clock.now(), post->not_before);
    if (!step.expired.empty()) {
        core_.log.write(Priority::error,
                        fmt::format("{} for {} given up: not delivered within 7 days",
                                    base::counted(step.expired.size(), "alert"), name),
                        {}, fields_of(name));
        co_await take_out(name, ids_of(waiting, step.expired));
    }
    if (!step.superseded.empty()) co_await take_out(name, ids_of(waiting, step.superseded));
    if (step.send.empty()) {
        post->due = step.wake.value_or(never);
    } else {
        std::vector<catalog::WaitingAlert> sent;
        for (const auto i : step.send) sent.push_back(waiting[i]);
        co_await deliver(post, std::move(sent), stop);
        post->due = {};
    }
    if (tell_backlog_) tell_backlog_();
}

asio::awaitable<void> AlertSender::take_out(std::string channel, std::vector<std::string> ids) {
    auto* catalog = core_.catalog.get();
    const auto remove = [catalog, channel, ids] { catalog->alerts_delivered(channel, ids); };
    co_await async::run_blocking(core_.pool, remove);
}

// Secrets are read when a channel is made, and again after it refused: somebody may have mended them.
asio::awaitable<alert::Delivery> AlertSender::attempt(PostPtr post, std::vector<model::Alert> alerts,
                                                      async::StopToken stop) {
    auto channel = post->channel;
    if (!channel) {
        const auto around =
            alert::Surroundings{core_.io.get_executor(), core_.clock,
                                [](const model::SecretReference& secret) { return host::resolve_secret(secret); }};
        const auto make = [spec = post->spec, around] { return alert::make_channel(spec, around); };
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

asio::awaitable<void> AlertSender::deliver(PostPtr post, std::vector<catalog::WaitingAlert> sent,
                                           async::StopToken stop) {
    std::vector<model::Alert> alerts;
    std::vector<std::string> ids;
    int attempts = 1;
    for (const auto& each : sent) {
        alerts.push_back(each.alert);
        ids.push_back(each.alert.id);
        attempts = std::max(attempts, each.attempts + 1);
    }
    const auto name = post->spec.name;
    const auto delivery = co_await attempt(post, std::move(alerts), stop);
    const auto now = core_.clock.now();
    if (delivery.pause.count() > 0) post->not_before = now + delivery.pause;
    if (alert::is_settled(delivery)) {
        tell_delivered(*post, delivery, sent);
        post->settled.insert(ids.begin(), ids.end());
        co_await take_out(name, ids);
        post->settled.clear();
        co_return;
    }
    const auto next = alert::next_attempt(delivery, attempts, now, host::random_number());
    auto* catalog = core_.catalog.get();
    const auto message = delivery.error ? delivery.error->message() : std::string("it was not delivered");
    const auto note = [catalog, name, ids, next, message] { catalog->alerts_failed(name, ids, next, message); };
    co_await async::run_blocking(core_.pool, note);
    tell_failed(*post, delivery, next);
}

void AlertSender::tell_delivered(Post& post, const alert::Delivery& delivery,
                                 const std::vector<catalog::WaitingAlert>& sent) {
    const auto& name = post.spec.name;
    if (delivery.outcome == alert::Delivery::Outcome::rejected) {
        const auto error = delivery.error.value_or(base::Error(base::ErrorCode::server_error, "it was not taken"));
        const auto what = sent.size() == 1 ? fmt::format("\"{}\"", base::printable(sent.front().alert.title))
                                           : base::counted(sent.size(), "alert");
        core_.log.problem(Priority::warning, error.during(fmt::format("{} does not take {}", name, what)), {},
                          fields_of(name));
        return;
    }
    if (!delivery.remark.empty())
        core_.log.write(Priority::warning, fmt::format("{}: {}", name, delivery.remark), {}, fields_of(name));
    if (!std::exchange(post.failing, false)) return;
    core_.log.write(Priority::info, fmt::format("alerts reach {} again", name), {}, fields_of(name));
    if (tell_change_) tell_change_();
}

void AlertSender::tell_failed(Post& post, const alert::Delivery& delivery, base::Timestamp next) {
    const auto& name = post.spec.name;
    if (!std::exchange(post.failing, true) && delivery.error)
        core_.log.problem(Priority::warning,
                          delivery.error->during(fmt::format("alerts do not reach {}, it is tried again", name)), {},
                          fields_of(name));
    post.due = next;
    if (tell_change_) tell_change_();
}

asio::awaitable<std::vector<ChannelTest>> AlertSender::test(std::optional<std::string> channel, async::StopToken stop) {
    const auto config = core_.config;
    std::vector<model::ChannelSpec> specs;
    std::vector<std::string> names;
    for (const auto& [name, spec] : config->channels) {
        names.push_back(name);
        // A heartbeat would take any message for a run's.
        const bool is_heartbeat = std::holds_alternative<model::HeartbeatPlace>(spec.place);
        if (channel ? *channel == name : !is_heartbeat) specs.push_back(spec);
    }
    if (channel && specs.empty()) {
        const auto hint = names.empty() ? std::string("the configuration has no alerts: section")
                                        : "channels: " + base::join(names, ", ");
        throw base::Error(base::ErrorCode::not_found,
                          fmt::format("there is no channel \"{}\"", base::printable(*channel)), hint);
    }
    std::vector<ChannelTest> results;
    for (const auto& spec : specs) {
        auto post = std::make_shared<Post>();  // of its own: what waits keeps its order
        post->spec = spec;
        std::vector<model::Alert> alerts{test_alert(core_)};
        const auto delivery = co_await attempt(post, std::move(alerts), stop);
        ChannelTest result{spec.name, delivery.error, delivery.remark};
        if (delivery.outcome != alert::Delivery::Outcome::delivered && !result.error)
            result.error = base::Error(base::ErrorCode::server_error, "it was not delivered");
        // One that works is not left waiting for its next attempt.
        if (!result.error)
            if (const auto found = posts_.find(spec.name); found != posts_.end() && found->second->failing)
                reconfigured();
        results.push_back(std::move(result));
    }
    co_return results;
}

}  // namespace pgbakd::service
