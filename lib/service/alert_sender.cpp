#include "service/alert_sender.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alert/later.hpp"
#include "async/timer.hpp"
#include "base/text.hpp"
#include "service/alert_identity.hpp"

namespace pgbakd::service {
namespace {

constexpr base::Timestamp::duration shortest_nap(10);
// At a stop: for what is on its way, and what is kept of the time there is for all that comes behind it.
constexpr std::chrono::seconds last_patience{5};
constexpr std::chrono::seconds last_margin{1};

std::vector<Field> fields_of(const std::string& channel) {
    return {{"PGBAKD_CHANNEL", channel}};
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

// A delivery under way goes on with the channel it began with. What the catalog knows is for those that are new here.
void AlertSender::configure(const Known& outbox) {
    const auto& states = outbox.states;
    auto channels = core_.config->channels;
    // A queue of a single recipient is served for as long as something may wait in it.
    auto queues = outbox.waiting;
    for (const auto& [name, post] : posts_) queues.push_back(name);
    for (const auto& queue : queues)
        if (auto spec = alert::later_spec(core_.config->channels, queue)) channels.emplace(queue, std::move(*spec));
    std::map<std::string, PostPtr> posts;
    for (const auto& [name, spec] : channels) {
        auto post = std::make_shared<Post>();
        const auto known = posts_.find(name);
        if (known != posts_.end() && known->second->busy) {
            // One at a time: the new one waits until the old one is through.
            post = known->second;
            post->again = true;
        } else if (known != posts_.end()) {
            *post = *known->second;
            post->due = {};
        } else if (const auto state = std::ranges::find(states, name, &catalog::ChannelState::channel);
                   state != states.end()) {
            post->asked = {state->asked_at, state->not_before};
            post->losing = state->lost_at != base::Timestamp{};
        }
        post->spec = spec;
        post->channel.reset();
        posts.emplace(name, std::move(post));
    }
    posts_ = std::move(posts);
}

asio::awaitable<AlertSender::Known> AlertSender::forget_others() {
    auto* catalog = core_.catalog.get();
    auto names = alert::later_queues(core_.config->channels);
    for (const auto& [name, spec] : core_.config->channels) names.push_back(name);
    // What is on its way is not given up: see serve().
    auto kept = names;
    kept.insert(kept.end(), serving_.begin(), serving_.end());
    const auto keep = [catalog, names, kept, now = core_.clock.now()] {
        Known known;
        auto given_up = catalog->keep_channels(kept);
        for (const auto& name : names) catalog->hasten_alerts(name, now);
        known.states = catalog->channel_states();
        for (const auto& backlog : catalog->alert_backlog()) known.waiting.push_back(backlog.channel);
        return std::pair(std::move(given_up), std::move(known));
    };
    auto [given_up, known] = co_await async::run_blocking(core_.pool, keep);
    for (const auto& [name, count] : given_up)
        core_.log.write(Priority::warning,
                        fmt::format("{} for {} given up: the configuration has no such channel any more",
                                    base::counted(count, "alert"), name),
                        {}, fields_of(name));
    co_return std::move(known);
}

asio::awaitable<void> AlertSender::send(async::StopToken stop) {
    std::exception_ptr over;
    while (!over) {
        try {
            if (!std::exchange(configured_, true)) {
                Known known;
                try {
                    known = co_await forget_others();
                } catch (const base::Error& error) {
                    core_.log.problem(Priority::warning, error.during("reading which alerts wait"));
                }
                configure(known);
            }
            stop.check();
            serve_those_due(stop);
            co_await wait(stop);
        } catch (...) {
            over = std::current_exception();
        }
    }
    co_await wind_up();
    std::rethrow_exception(over);
}

void AlertSender::serve_those_due(const async::StopToken& stop) {
    const auto now = core_.clock.now();
    for (const auto& [name, post] : posts_) {
        // The one of this name that was configured before may be sending still.
        if (serving_.contains(name) || post->due == never) continue;
        // Further away than it is ever put: the clock was set back.
        if (post->due > now && post->due - now <= longest_nap) continue;
        post->busy = true;
        post->again = false;
        serving_.insert(name);
        tasks_.spawn(serve(post, stop));
    }
}

asio::awaitable<void> AlertSender::wait(async::StopToken stop) {
    auto until = never;
    for (const auto& [name, post] : posts_)
        if (!serving_.contains(name)) until = std::min(until, post->due);
    if (until == never) {
        co_await changed_.wait(stop);
        co_return;
    }
    const auto pause = std::clamp(until - core_.clock.now(), shortest_nap, base::Timestamp::duration(longest_nap));
    co_await async::wait_at_most(changed_, pause, stop);
}

// What is on its way has most likely arrived, and would come twice if it were cut.
asio::awaitable<void> AlertSender::wind_up() {
    auto until = core_.clock.steady() + last_patience;
    if (end_by_) until = std::min(until, *end_by_ - last_margin);
    while (!serving_.empty() && core_.clock.steady() < until) {
        const auto left = until - core_.clock.steady();
        const async::StopToken unstopped;
        co_await async::wait_at_most(changed_, left, unstopped);
    }
    cut_.stop({base::ErrorCode::interrupted, "the daemon was stopped"});
    co_await tasks_.settle();
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
        const bool arrived = !result.error;
        results.push_back(std::move(result));
        if (arrived) co_await works(spec.name, delivery.pause);
    }
    co_return results;
}

// One that works is not left waiting for its next attempt, nor for the end of a pause.
asio::awaitable<void> AlertSender::works(std::string channel, std::chrono::milliseconds pause) {
    const auto found = posts_.find(channel);
    if (found == posts_.end()) co_return;
    const auto post = found->second;
    const auto now = core_.clock.now();
    if (!post->failing && !post->losing && post->asked.until <= now) co_return;
    post->losing = false;
    post->asked = {now, now + pause};
    auto* catalog = core_.catalog.get();
    const auto note = [catalog, channel, asked = post->asked] {
        catalog->alerts_delivered(channel, {});
        catalog->put_channel_pause(channel, asked.asked_at, asked.until);
    };
    try {
        co_await async::run_blocking(core_.pool, note);
    } catch (const base::Error& error) {
        core_.log.problem(Priority::warning, error.during("noting that alerts reach " + channel));
    }
    reconfigured();
    if (tell_change_) tell_change_();
}

}  // namespace pgbakd::service
