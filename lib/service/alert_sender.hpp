// Delivers what waits in the outbox: each channel for itself, one message at a time, until it has it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alert/channel.hpp"
#include "alert/policy.hpp"
#include "async/event.hpp"
#include "async/stop.hpp"
#include "async/task_group.hpp"
#include "service/core.hpp"

namespace pgbakd::service {

// What came of a test message.
struct ChannelTest {
    std::string channel;
    std::optional<base::Error> error;  // nothing: it was delivered
    std::string remark;                // recipients that were refused
};

class AlertSender {
  public:
    explicit AlertSender(Core& core) : core_(core), changed_(core.io.get_executor()), tasks_(core.io.get_executor()) {}

    // Until stopped. A delivery that is on its way then has a few seconds to end; what has not waits for the next
    // start, and may come twice, with one id.
    asio::awaitable<void> send(async::StopToken stop);
    // The daemon has to be gone by then.
    void end_by(base::SteadyTime time) { end_by_ = time; }
    // Something was put into the outbox.
    void wake();
    // The configuration has changed: channels are made anew, and tried at once.
    void reconfigured();
    // A channel began to fail, failed again or works again.
    void on_change(std::function<void()> tell) { tell_change_ = std::move(tell); }
    // What waits is not what it was.
    void on_backlog(std::function<void()> tell) { tell_backlog_ = std::move(tell); }

    // A test message to one channel, or to all but heartbeats, past the outbox. Errors: not_found, with the channels
    // there are.
    asio::awaitable<std::vector<ChannelTest>> test(std::optional<std::string> channel, async::StopToken stop);

  private:
    static constexpr auto never = base::Timestamp::max();
    static constexpr std::chrono::hours longest_nap{1};  // a clock that is set is noticed by then

    // What became of a message, until the outbox knows it too.
    struct Settled {
        std::vector<std::string> ids;
        std::optional<std::string> lost;  // why it was not taken; nothing: it was
        std::vector<catalog::LaterQueue> later{};
    };
    struct Post {
        model::ChannelSpec spec;
        std::shared_ptr<alert::Channel> channel;  // null: to be made, for the first time or after it refused
        std::vector<std::string> held;            // recipients that it was made without: they have queues of their own
        base::Timestamp due{};                    // looked at then; the epoch: at once
        alert::Pause asked;
        alert::Pace pace;
        std::size_t limit = alert::most_in_digest;  // alerts in one message: fewer, after one was rejected
        std::optional<Settled> settled;
        bool busy = false, again = false;
        bool failing = false;  // what waits could not be delivered
        bool losing = false;   // an alert was lost, and none was taken since
    };
    using PostPtr = std::shared_ptr<Post>;

    // What the outbox knows.
    struct Known {
        std::vector<catalog::ChannelState> states;
        std::vector<std::string> waiting;  // queues in which something waits
    };
    void configure(const Known& known);
    asio::awaitable<Known> forget_others();
    void serve_those_due(const async::StopToken& stop);
    asio::awaitable<void> wait(async::StopToken stop);
    asio::awaitable<void> wind_up();
    asio::awaitable<void> serve(PostPtr post, async::StopToken stop);
    asio::awaitable<void> serve_once(PostPtr post, async::StopToken stop);
    asio::awaitable<void> give_up(PostPtr post, std::vector<std::string> ids, std::string message);
    asio::awaitable<void> deliver(PostPtr post, std::vector<catalog::WaitingAlert> sent);
    asio::awaitable<alert::Delivery> attempt(PostPtr post, std::vector<model::Alert> alerts, async::StopToken stop);
    asio::awaitable<void> record(PostPtr post);
    void hold_back(Post& post) const;
    [[nodiscard]] std::vector<catalog::LaterQueue> later_for(const Post& post, const alert::Delivery& delivery,
                                                             base::Timestamp now) const;
    void open_queues(const std::vector<catalog::LaterQueue>& later);
    void close_queue(const PostPtr& post);
    asio::awaitable<void> works(std::string channel, std::chrono::milliseconds pause);
    void tell_settled(Post& post, const alert::Delivery& delivery, const std::vector<catalog::WaitingAlert>& sent);
    void tell_divided(const Post& post, const alert::Delivery& delivery, std::size_t sent);
    void tell_failed(Post& post, const alert::Delivery& delivery);

    Core& core_;
    async::Event changed_;
    async::TaskGroup tasks_;
    std::map<std::string, PostPtr> posts_;
    std::multiset<std::string> serving_;  // channels, also such as are configured no more
    async::StopSource cut_;               // ends what is on its way
    std::optional<base::SteadyTime> end_by_;
    bool configured_ = false;
    std::function<void()> tell_change_;
    std::function<void()> tell_backlog_;
};

}  // namespace pgbakd::service
