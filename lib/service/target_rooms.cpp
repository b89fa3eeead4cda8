#include "service/target_rooms.hpp"

#include "async/each.hpp"
#include "async/timer.hpp"

namespace pgbakd::service {
namespace {

constexpr std::chrono::seconds patience{30};
constexpr std::size_t at_once = 8;

}  // namespace

std::vector<health::TargetRoom> TargetRooms::known() const {
    std::vector<health::TargetRoom> rooms;
    for (const auto& [name, spec] : core_.config->targets) {
        const auto answer = answers_.find(name);
        const bool is_known = asked_for_ == core_.config && answer != answers_.end();
        rooms.push_back(is_known ? answer->second : health::TargetRoom{.target = name, .place = {}});
    }
    return rooms;
}

asio::awaitable<void> TargetRooms::ask(async::StopToken stop) {
    if (asked_for_ != core_.config) answers_.clear();
    asked_for_ = core_.config;
    std::vector<std::string> names;
    for (const auto& [name, spec] : asked_for_->targets) names.push_back(name);
    const std::function<asio::awaitable<void>(std::size_t)> one = [this, &names, stop](std::size_t index) {
        return ask_one(names[index], stop);
    };
    co_await async::for_each(names.size(), at_once, one);
}

asio::awaitable<void> TargetRooms::ask_one(std::string name, async::StopToken stop) {
    const auto config = asked_for_;
    const auto executor = co_await asio::this_coro::executor;
    const async::Deadline deadline(executor, stop, patience, "asking " + name + " for its room");
    health::TargetRoom answer{.target = name, .place = {}};
    try {
        const auto target = co_await core_.targets->open(name);
        answer.room = co_await target->room(deadline.token());
        answer.answered = true;
        if (answer.room) {
            answer.file_system = answer.room->file_system;
            const auto facts = co_await target->facts(deadline.token());
            answer.place = facts.place;
        }
    } catch (const base::Error&) {
        stop.check();
    }
    if (asked_for_ != config) co_return;
    auto& known = answers_[name];
    if (!answer.answered) answer.file_system = known.file_system;
    known = std::move(answer);
}

}  // namespace pgbakd::service
