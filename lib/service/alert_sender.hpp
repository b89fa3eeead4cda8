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

    // Until stopped; what is on its way then waits for the next start, and may come twice, with one id.
    asio::awaitable<void> send(async::StopToken stop);
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
    struct Post {
        model::ChannelSpec spec;
        std::shared_ptr<alert::Channel> channel;  // null: to be made, for the first time or after it refused
        base::Timestamp due{};                    // looked at then; the epoch: at once
        base::Timestamp not_before{};             // as the channel asked
        std::set<std::string> settled;            // ids: arrived, and still in the outbox
        bool busy = false, again = false, failing = false;
    };
    using PostPtr = std::shared_ptr<Post>;

    void configure();
    asio::awaitable<void> forget_others();
    asio::awaitable<void> wait(std::optional<base::Timestamp> until, async::StopToken stop);
    asio::awaitable<void> serve(PostPtr post, async::StopToken stop);
    asio::awaitable<void> serve_once(PostPtr post, async::StopToken stop);
    asio::awaitable<void> deliver(PostPtr post, std::vector<catalog::WaitingAlert> sent, async::StopToken stop);
    asio::awaitable<alert::Delivery> attempt(PostPtr post, std::vector<model::Alert> alerts, async::StopToken stop);
    asio::awaitable<void> take_out(std::string channel, std::vector<std::string> ids);
    void tell_delivered(Post& post, const alert::Delivery& delivery, const std::vector<catalog::WaitingAlert>& sent);
    void tell_failed(Post& post, const alert::Delivery& delivery, base::Timestamp next);

    Core& core_;
    async::Event changed_;
    async::TaskGroup tasks_;
    std::map<std::string, PostPtr> posts_;
    bool configured_ = false;
    std::function<void()> tell_change_;
    std::function<void()> tell_backlog_;
};

}  // namespace pgbakd::service
